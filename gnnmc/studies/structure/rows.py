"""The rows that the stages of the study look at: barriers of the loss with the statistics of their graphs."""

from collections.abc import Mapping, Sequence

import pandas as pd

from gnnmc.studies.knobs import varied
from gnnmc.studies.predicting import losses_shown
from gnnmc.studies.regimes import ENDS, STATISTICS, chord_rows

# Of all that is said: one line of a run on one split.
LINE = ("path", "aligned", "split")
GENERATED = "csbm"
# Real graphs differ in more than what a generator is asked for.
OF_REAL_GRAPHS = (*(name for name in STATISTICS if name != ENDS), "num_classes", "gap_modulus")


def barriers_with_graphs(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Chord barriers of the loss on the train and test splits, each with the statistics of its graph.

    regime: the family of graphs, in words.
    """
    return losses_shown(chord_rows(tables))


def statistics_of(rows: pd.DataFrame) -> list[str]:
    """The statistics of the graphs of one family that were varied: of generated graphs those that their knobs move.

    What a generator was not asked to vary differs by its noise alone.
    """
    graphs = rows.drop_duplicates("graph")
    if (graphs["family"] == GENERATED).all():
        names = [name for knob in varied(graphs) for name in knob.statistics]
    else:
        names = list(OF_REAL_GRAPHS)
    return [name for name in names if name in graphs and graphs[name].nunique() > 1]


def joint_of(rows: pd.DataFrame, statistics: Sequence[str]) -> list[str]:
    """Those of the statistics that predict together: of generated graphs the first that each knob moves.

    What else a knob moves is a function of the same setting: a model of both would speak of graphs that cannot be.
    """
    if (rows["family"] != GENERATED).any():
        return list(statistics)
    firsts = {knob.statistics[0] for knob in varied(rows.drop_duplicates("graph"))}
    return [name for name in statistics if name in firsts]


def families(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """The rows of each family of graphs."""
    return [some for _, some in rows.groupby("regime", sort=False)]
