"""Parts of a report's page that studies share: their tables are those of stage `table`."""

from typing import Any

import pandas as pd

from gnnmc.studies.findings import train_ends
from gnnmc.studies.pages import FigureView, Section, Tables, TableView

# Of one diagnostic, told in words.
MOST_PLACES = 3

# The answer of a page without a barrier.
NOTHING_MEASURED = "No barrier was measured: every end diverged."


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


def told_apart(frame: pd.DataFrame) -> pd.DataFrame:
    """Without a column of regimes in which all rows say the same."""
    return frame.drop(columns="regime") if "regime" in frame and frame["regime"].nunique() < 2 else frame


def common_pairs(rows: pd.DataFrame) -> pd.DataFrame:
    """The pairs that every kind of path connects: a curve fitted for some of them is compared on these alone."""
    paths = rows.groupby(["graph", "model", "a", "b"])["path"].transform("nunique")
    return rows[paths == rows["path"].nunique()]


def ends_section(tables: Tables, least_train_accuracy: float) -> Section:
    """Loss and metrics of the ends by model and split, and by graph, with a count of those that did not learn."""
    used = tables["endpoints"][tables["endpoints"]["used"]]
    about = ["graph", "model", "endpoint", "split", "seed", "train_seed", "status", "used", "epoch", "parameters"]
    metrics = [name for name in used.columns if name not in about]
    train, poor = train_ends(tables, least_train_accuracy)
    poor_ends = train[poor].assign(poor=1)[["graph", "model", "seed", "poor"]]
    flagged = used.merge(poor_ends, on=["graph", "model", "seed"], how="left").fillna({"poor": 0})
    flagged["poor"] = flagged["poor"].where(flagged["status"] == "ok", 1)
    by_model = _ends_table(flagged, ["model", "split"], metrics)
    by_graph = _ends_table(flagged, ["graph", "model", "split"], metrics)
    words = (
        f"loss ({loss_unit(tables)}) and metrics, BatchNorm as in training. Flagged: under-trained (GMC001), its train "
        f"loss above half of that of guessing or its train accuracy below {least_train_accuracy:g}; or "
        "diverged (GMC012). A barrier between such ends says little"
    )
    views = (
        TableView("ends", by_model, f"Ends of the paths by model and split, over graphs and seeds: {words}."),
        TableView("endpoints", by_graph, f"Ends of the paths on every graph, over seeds: {words}."),
    )
    return Section("The ends", tables=views)


def _ends_table(ends: pd.DataFrame, keys: list[str], metrics: list[str]) -> pd.DataFrame:
    groups = ends.groupby(keys, sort=False)
    cells = groups[metrics].agg(["median", "min", "max"])
    cells.columns = pd.Index([" ".join(column) for column in cells.columns.to_flat_index()])
    cells.insert(0, "ends", groups.size())
    cells.insert(1, "flagged", groups["poor"].sum().astype(int))
    return cells.reset_index().dropna(axis=1, how="all")


def diagnostics_section(tables: Tables) -> Section:
    """Every diagnostic that fired, in words: where, and once what it means; a table has all places if they are many."""
    fired = tables["diagnostics"]
    lines = []
    for _, rows in fired.groupby("code", sort=False):
        first = rows.iloc[0]
        more = f" (and {len(rows) - MOST_PLACES} more: see the table)" if len(rows) > MOST_PLACES else ""
        where = "; ".join(rows["message"].head(MOST_PLACES))
        lines.append(f"{first['code']} {first['title']}: {where}{more}. {first['meaning']} To do: {first['remedy']}")
    table = TableView("diagnostics", fired[["code", "title", "message"]], "Diagnostics and where they fired.")
    return Section(
        "Diagnostics that fired", tuple(lines) or ("None.",), tables=(table,) if len(fired) > len(lines) else ()
    )


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
