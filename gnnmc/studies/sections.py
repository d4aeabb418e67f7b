"""Parts of a report's page that studies share: their tables are those of stage `table`."""

from typing import Any

import pandas as pd

from gnnmc.studies.findings import ROUNDING
from gnnmc.studies.pages import FigureView, Section, Tables, TableView


def measured(tables: Tables) -> bool:
    """Whether any barrier could be measured."""
    return bool(tables["barriers"]["barrier"].notna().any())


def models_of(tables: Tables) -> list[str]:
    """All the models of a page: its figures are given them, so that a model looks the same in every one."""
    return [str(name) for name in tables["barriers"]["model"].unique()]


def loss_unit(tables: Tables) -> str:
    """What losses and their barriers are measured in, as the problems themselves say; several where these differ."""
    return " or ".join(tables["graphs"]["loss_unit"].unique())


def short_unit(tables: Tables) -> str:
    """The same in a word where one will do: for figures, and in sentences."""
    unit = loss_unit(tables)
    return "nats" if all(part.startswith("nats") for part in unit.split(" or ")) else unit


def split_note(tables: Tables) -> str:
    """The end of a caption: what is shown of the loss."""
    return f"Mean loss in {loss_unit(tables)}; barrier: largest excess over the chord between the ends."


def loss_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of the default barrier: chord excess of the loss."""
    return frame[(frame["metric"] == "loss") & (frame["barrier_kind"] == "chord")] if len(frame) else frame


def chord_loss(tables: Tables, **where: Any) -> pd.DataFrame:
    """The barriers of the loss over the chord, of the rows where the columns have these values."""
    rows = loss_rows(tables["barriers"])
    for name, value in where.items():
        rows = rows[rows[name] == value]
    return rows


def common_pairs(rows: pd.DataFrame) -> pd.DataFrame:
    """The pairs that every kind of path connects: a curve fitted for some of them is compared on these alone."""
    paths = rows.groupby(["graph", "model", "a", "b"])["path"].transform("nunique")
    return rows[paths == rows["path"].nunique()]


def ends_section(tables: Tables, least_train_accuracy: float) -> Section:
    """Loss and metrics of the ends by data, model and split, with a flag on those that did not learn."""
    used = tables["endpoints"][tables["endpoints"]["used"]]
    about = ["graph", "model", "endpoint", "split", "seed", "train_seed", "status", "used", "epoch", "parameters"]
    metrics = [name for name in used.columns if name not in about]
    cells = used.groupby(["graph", "model", "split"], sort=False)[metrics].agg(["mean", "min", "max"])
    cells.columns = pd.Index([" ".join(column) for column in cells.columns.to_flat_index()])
    cells = cells.reset_index()
    if "accuracy min" in cells:
        low = (cells["split"] == "train") & (cells["accuracy min"] < least_train_accuracy - ROUNDING)
        cells.insert(3, "flag", low.map({True: f"an end below {least_train_accuracy:g}", False: ""}))
    caption = f"Ends of the paths: loss ({loss_unit(tables)}) and metrics over seeds, BatchNorm as in training."
    return Section("The ends", tables=(TableView("endpoints", cells.dropna(axis=1, how="all"), caption),))


def diagnostics_section(tables: Tables) -> Section:
    """Every diagnostic that fired, in words."""
    fired = tables["diagnostics"]
    lines = [f"{row.code} {row.title}: {row.message}. {row.meaning} {row.remedy}" for row in fired.itertuples()]
    return Section("Diagnostics that fired", tuple(lines) or ("None.",))


def planes_section(tables: Tables) -> list[Section]:
    """Losses on planes through two modes and the curve between them, where the run made some."""
    planes = tables.get("planes", pd.DataFrame())
    if planes.empty:
        return []
    figures = []
    for number, (key, rows) in enumerate(planes.groupby(["graph", "model", "path", "a", "b"], sort=False)):
        graph, model, path, a, b = key
        marks, line = (_same(tables[name], key) for name in ("plane_marks", "plane_lines"))
        distance = float(line["path_distance"].iloc[0])
        figures.append(
            FigureView(
                name=f"plane_{number}",
                draw="plane.draw_plane_figure",
                frame=rows[rows["split"] != "val"][["x", "y", "split", "loss"]],
                caption=(
                    f"Loss ({loss_unit(tables)}) on the plane through modes {a} and {b} and the fitted {path} curve: "
                    f"{model} on {graph}. The dashed straight line joins the modes, the curve is drawn in; distances "
                    "are Euclidean, in weight space."
                ),
                alt="Contours of the loss on a plane of weight space with two modes, a line and a curve between them.",
                options={
                    "marks": marks[["x", "y", "label"]],
                    "path": line[["x", "y"]].to_numpy(),
                    "path_distance": distance,
                    "units": {"loss": short_unit(tables)},
                },
            )
        )
    return [Section("Planes through two modes and a curve", figures=tuple(figures))]


def _same(frame: pd.DataFrame, key: tuple[Any, ...]) -> pd.DataFrame:
    """The rows of one plane."""
    names = ["graph", "model", "path", "a", "b"]
    return frame[(frame[names] == pd.Series(dict(zip(names, key)))).all(axis=1)]
