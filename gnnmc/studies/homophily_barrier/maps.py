"""Barriers over homophily and another knob of the generator at once: degree, separability, classes, size, labels."""

import pandas as pd

from gnnmc.analysis import interaction_map
from gnnmc.studies.knobs import BESIDE_HOMOPHILY, HOMOPHILY, Knob, held_in_words, varied
from gnnmc.studies.maps import map_figure
from gnnmc.studies.pages import FigureView, Section, Tables
from gnnmc.studies.sections import chord_loss, short_unit


def map_sections(tables: Tables) -> list[Section]:
    """A map per knob that was varied beside homophily; none where homophily alone was."""
    graphs = tables["graphs"]
    if "homophily_asked" not in graphs or not (graphs["family"] == "csbm").any():
        return []
    rows = chord_loss(tables).merge(graphs[graphs["family"] == "csbm"], on="graph")
    rows = rows[(rows["path"] == rows["path"].iloc[0]) & rows["split"].isin(["train", "test"])]
    knobs = varied(rows, BESIDE_HOMOPHILY)
    if rows["homophily_asked"].nunique() < 2 or not knobs:
        return []
    figures = tuple(_map(rows, knob, [other for other in knobs if other is not knob], tables) for knob in knobs)
    return [Section("Homophily together with other settings", figures=figures)]


def _map(rows: pd.DataFrame, knob: Knob, others: list[Knob], tables: Tables) -> FigureView:
    named = rows.assign(held=held_in_words(rows, others))
    cells = interaction_map(named, HOMOPHILY.column, knob.column, by=("model", "held", "split"))
    return map_figure(
        cells,
        HOMOPHILY,
        knob,
        name=f"map_{knob.column.removeprefix('made_')}",
        of=f"{rows['path'].iloc[0]} path",
        unit=short_unit(tables),
        tested="Description: no cell is tested.",
    )
