"""The page of the study: every model beside the others, with the ends' quality."""

from typing import Any

import pandas as pd

from gnnmc.analysis.wording import counted, number
from gnnmc.studies.architectures.config import Architectures
from gnnmc.studies.architectures.resting import asked, rests_on
from gnnmc.studies.pages import FigureView, Page, Section, Tables, TableView
from gnnmc.studies.sections import (
    NOTHING_MEASURED,
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
    sections = [asked(tables, config), ends_section(tables, config.least_train_accuracy)]
    if measured(tables):
        sections += [_comparison(tables), *_profiles(tables), *planes_section(tables)]
    sections.append(diagnostics_section(tables))
    return Page(
        title=config.title,
        question=QUESTION,
        answer=tuple(_answer(tables)) if measured(tables) else (NOTHING_MEASURED,),
        rests_on=tuple(rests_on(tables, config)),
        sections=tuple(sections),
        at_a_glance=_at_a_glance(tables) if measured(tables) else None,
    )


def _answer(tables: Tables) -> list[str]:
    """From the lowest to the highest barrier of every path, and what that is worth."""
    table = tables["comparison"].dropna(subset=["barrier"])
    lines = []
    for (path, split), rows in table[table["split"] != "val"].groupby(["path", "split"], sort=False):
        low, high = (rows.iloc[int(place)] for place in (rows["barrier"].argmin(), rows["barrier"].argmax()))
        lines.append(
            f"{str(path).capitalize()} path, {split} split: mean barriers in {short_unit(tables)} from {_told(low)} to "
            f"{_told(high)}."
        )
    return [*lines, NO_TEST]


def _told(row: "pd.Series[Any]") -> str:
    return f"{_cell(row)} ({row['model']} on {row['problem']}, ends' loss {number(row['ends_loss'])})"


def _cell(row: "pd.Series[Any]") -> str:
    """A mean over pairs, with the least and the largest of them where there are several."""
    spread = f" [{number(row['low'])}, {number(row['high'])}]" if row["pairs"] > 1 else ""
    return f"{number(row['barrier'])}{spread}"


def _at_a_glance(tables: Tables) -> TableView:
    """Every model on every problem, paths and splits across."""
    table = tables["comparison"]
    rows = table[table["split"] != "val"]
    rows = rows.assign(across=rows["path"] + ", " + rows["split"], cell=[_cell(row) for _, row in rows.iterrows()])
    wide = rows.pivot_table(
        index=["problem", "kind", "model"], columns="across", values="cell", aggfunc="first", sort=False
    )
    frame = wide[list(dict.fromkeys(rows["across"]))].fillna("").reset_index().rename_axis(columns=None)
    several = " [least, largest]" if (rows["pairs"] > 1).any() else ""
    caption = (
        f"Loss barrier in {loss_unit(tables)}, mean over pairs{several}, by path and split ({_pairs(rows)}). Kind: "
        "what the model sees."
    )
    return TableView("at_a_glance", frame, caption)


def _pairs(rows: pd.DataFrame) -> str:
    """How many pairs there are of every path."""
    return ", ".join(
        f"{path}: {counted(some['pairs'].min(), 'pair', most=some['pairs'].max())}"
        for path, some in rows.groupby("path", sort=False)
    )


def _comparison(tables: Tables) -> Section:
    table = tables["comparison"]
    figure = FigureView(
        name="architectures",
        draw="architectures.draw_architectures",
        frame=table[table["split"] != "val"],
        caption=(
            "Loss barrier of every model on every problem, by split: full marks on the "
            f"{' path, open marks on the '.join(table['path'].unique())} path; mean over pairs ({_pairs(table)}), "
            "bars from the least to the largest pair. Beside it the mean loss and accuracy (area under the ROC curve "
            f"where the problem has no accuracy) of the ends on the same split. {split_note(tables)}"
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
        caption=(
            f"Mean loss along the path ({' against '.join(rows['path'].unique())}), on each problem, by split; mean "
            f"over the pairs that every path connects ({_common(rows)}). {split_note(tables)}"
        ),
        alt="Loss along the path from one mode to another, for each problem, model and split.",
        options={"x": "graph", "models": models_of(tables), "value_label": f"loss ({short_unit(tables)})"},
    )
    return [Section("Along the paths", figures=(figure,))]


def _common(profiles: pd.DataFrame) -> str:
    sizes = profiles.drop_duplicates(["graph", "model", "a", "b"]).groupby(["graph", "model"]).size()
    return f"{counted(sizes.min(), 'pair', most=sizes.max())} of every model on each"
