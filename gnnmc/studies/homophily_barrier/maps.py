"""Barriers over homophily and another knob of the generator at once: degree, separability, label rate."""

import pandas as pd

from gnnmc.analysis import interaction_map
from gnnmc.studies.pages import FigureView, Section, Tables
from gnnmc.studies.sections import chord_loss, short_unit

# Knobs that a map is drawn along, in words.
KNOBS = {
    "made_mean_degree": "mean degree",
    "made_separation": "separation of the classes",
    "made_train_per_class": "labels per class",
}


def map_sections(tables: Tables) -> list[Section]:
    """A map per knob that was varied beside homophily; none where homophily alone was."""
    graphs = tables["graphs"]
    if "homophily_asked" not in graphs or not (graphs["family"] == "csbm").any():
        return []
    rows = chord_loss(tables).merge(graphs[graphs["family"] == "csbm"], on="graph")
    rows = rows[(rows["path"] == rows["path"].iloc[0]) & rows["split"].isin(["train", "test"])]
    varied = [name for name in KNOBS if name in rows and rows[name].nunique() > 1]
    if rows["homophily_asked"].nunique() < 2 or not varied:
        return []
    figures = tuple(_map(rows, knob, [name for name in varied if name != knob], tables) for knob in varied)
    return [Section("Homophily together with other settings", figures=figures)]


def _map(rows: pd.DataFrame, knob: str, others: list[str], tables: Tables) -> FigureView:
    where = rows["model"].astype(str)
    for other in others:
        short = other.removeprefix("made_").replace("_", " ")
        where = where + f", {short} " + rows[other].map(lambda value: f"{value:g}")
    named = rows.assign(row=where, column=rows["split"] + " split", x=rows["homophily_asked"], y=rows[knob])
    cells = interaction_map(named, "x", "y", by=("row", "column"))
    path, graphs = rows["path"].iloc[0], cells["num_graphs"]
    count = f"{graphs.min()}" if graphs.min() == graphs.max() else f"{graphs.min()} to {graphs.max()}"
    return FigureView(
        name=f"map_{knob.removeprefix('made_')}",
        draw="maps.draw_map",
        frame=cells,
        caption=(
            f"Loss barrier ({short_unit(tables)}) of the {path} path over edge homophily and {KNOBS[knob]}, by split; "
            f"mean over {count} graphs a cell (pairs averaged within a graph). The more a cell stands out, "
            "the higher, on one scale per split. Description: no cell is tested."
        ),
        alt=f"A grid of numbers: barrier by edge homophily and {KNOBS[knob]}, a panel per model and split.",
        options={"y_label": KNOBS[knob]},
    )
