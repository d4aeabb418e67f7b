"""Settings of generated graphs that a study looks along: where tables have them, and what of a graph they move."""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from gnnmc.studies.regimes import LABEL_STATISTICS


@dataclass(frozen=True)
class Knob:
    """column: of the table of graphs. words: what a reader calls it. statistics: of a graph, which it moves."""

    column: str
    words: str
    statistics: tuple[str, ...]


# By the name that a config has for them.
KNOBS = {
    "homophily": Knob("homophily_asked", "edge homophily", LABEL_STATISTICS),
    "mean_degree": Knob("made_mean_degree", "mean degree", ("degree_mean",)),
    "separation": Knob("made_separation", "separation of the classes", ("separability_fisher",)),
    "num_classes": Knob("made_num_classes", "number of classes", ("num_classes",)),
    "num_nodes": Knob("made_num_nodes", "number of nodes", ("num_nodes",)),
    "train_per_class": Knob("made_train_per_class", "labels per class", ("made_train_per_class",)),
}
HOMOPHILY = KNOBS["homophily"]
BESIDE_HOMOPHILY = tuple(knob for knob in KNOBS.values() if knob is not HOMOPHILY)


def varied(graphs: pd.DataFrame, knobs: Iterable[Knob] = tuple(KNOBS.values())) -> list[Knob]:
    """The knobs that take several values on these graphs."""
    return [knob for knob in knobs if knob.column in graphs and graphs[knob.column].nunique() > 1]


def held_in_words(rows: pd.DataFrame, held: Iterable[Knob]) -> "pd.Series[str]":
    """The values of knobs that are held on a map, for each row: "mean degree 4, separation 2"; "" without any."""
    words = pd.Series("", index=rows.index)
    for knob in held:
        short = knob.column.removeprefix("made_").replace("_", " ")
        told = f"{short} " + rows[knob.column].map(lambda value: f"{value:g}")
        words = words.where(words == "", words + ", ") + told
    return words
