"""The page of the study: every model beside the others, with the ends' quality."""

import pandas as pd

from gnnmc.studies.architectures.config import Architectures
from gnnmc.studies.pages import FigureView, Page, Section, Tables, TableView
from gnnmc.studies.sections import (
    common_pairs,
    diagnostics_section,
    ends_section,
    loss_unit,
    measured,
    models_of,
    planes_section,
    short_unit,
    split_note,
)

QUESTION = (
    "How high are the loss barriers of graph networks, of MLPs on the same features, and of CNNs and MLPs on images?"
)
NO_TEST = (
    "These are descriptions of the problems listed, each with its own data, label rate and training; nothing is "
    "tested, and a difference between problems is not one between architectures."
)


def make_page(tables: Tables, config: Architectures) -> Page:
    """What the report shows of a run."""
    sections = [ends_section(tables, config.least_train_accuracy), diagnostics_section(tables)]
    if measured(tables):
        sections = [_comparison(tables), *_profiles(tables), *planes_section(tables), *sections]
    return Page(
        title=config.title,
        question=QUESTION,
        answer=tuple(_answer(tables)) if measured(tables) else ("No barrier was measured: every end diverged.",),
        rests_on=tuple(_rests_on(tables, config)),
        sections=tuple(sections),
    )


def _answer(tables: Tables) -> list[str]:
    lines = []
    table = tables["comparison"]
    units = tables["graphs"].set_index("graph")["loss_unit"].to_dict()
    train = table[table["split"] == "train"]
    for (problem, path), rows in train.groupby(["problem", "path"], sort=False):
        told = "; ".join(
            f"{row.model} ({row.kind}) {row.barrier:.2f} [{row.low:.2f}, {row.high:.2f}], "
            f"ends' loss {row.ends_loss:.2f}"
            for row in rows.itertuples()
        )
        lines.append(
            f"{problem}, {path} path, train split, in {units[problem]}, mean over {_pairs(rows)} [least, largest]: "
            f"{told}."
        )
    return [*lines, NO_TEST]


def _pairs(rows: pd.DataFrame) -> str:
    counts = sorted(set(rows["pairs"]))
    return "1 pair" if counts == [1] else f"{' or '.join(str(count) for count in counts)} pairs"


def _rests_on(tables: Tables, config: Architectures) -> list[str]:
    graphs = tables["graphs"]
    sizes = tables["comparison"]["parameters"]
    pairs = "1 pair" if config.num_pairs == 1 else f"{config.num_pairs} pairs"
    return [
        f"{len(graphs)} problems; {len(config.seeds)} modes of every model on a problem ({pairs}); "
        f"{sizes.min():,} to {sizes.max():,} parameters.",
        f"Ends at the {'last epoch' if config.endpoint == 'last' else 'best validation epoch'}; losses and barriers on "
        "the train, validation and test splits, dropout off; BatchNorm statistics "
        + ("re-estimated at every point." if config.profile.batchnorm == "reestimate" else "as stored."),
        "Nothing was aligned: hidden units are in the order in which they were trained.",
    ]


def _comparison(tables: Tables) -> Section:
    table = tables["comparison"]
    figure = FigureView(
        name="architectures",
        draw="architectures.draw_architectures",
        frame=table[table["split"] != "val"],
        caption=(
            "Loss barrier of every model on every problem, mean over pairs, bar from the least to the largest pair; "
            "beside it the mean loss and accuracy (area under the ROC curve where the problem has no accuracy) of the "
            f"ends on the same split. {split_note(tables)}"
        ),
        alt="A row per model under each problem: barrier on "
        f"{' and '.join(table['path'].unique())} paths, loss and accuracy of the ends.",
        options={
            "models": models_of(tables),
            "interval_label": "least to largest pair",
            "barrier_label": f"barrier ({short_unit(tables)})",
        },
    )
    view = TableView(
        "comparison",
        table,
        f"Chord barrier of the loss ({loss_unit(tables)}): mean over pairs, least "
        "(low) and largest (high); mean loss and accuracy of the ends; barrier of that accuracy.",
    )
    return Section("Graph networks beside MLPs and CNNs", figures=(figure,), tables=(view,))


def _profiles(tables: Tables) -> list[Section]:
    """Loss along the line and the curve, a row for each problem."""
    rows = common_pairs(tables["profiles"])
    if rows.empty:
        return []
    mean = rows.groupby(["model", "path", "split", "graph", "t"], sort=False)["loss"].mean().reset_index()
    figure = FigureView(
        name="profiles",
        draw="profiles.draw_profiles",
        frame=mean,
        caption="Mean loss along the path over the pairs that every path connects, on each problem. "
        f"{split_note(tables)}",
        alt="Loss along the path from one mode to another, for each problem, model and split.",
        options={"x": "graph", "models": models_of(tables), "value_label": f"loss ({short_unit(tables)})"},
    )
    return [Section("Along the paths", figures=(figure,))]
