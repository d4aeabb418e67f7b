"""How well statistics of a graph predict the loss barriers of networks on graphs that were held out (science 1.8)."""

import pandas as pd

from gnnmc.analysis import predict_barrier

# Losses on the splits that the answer is about.
SPLITS = ("train", "test")
EVERYTHING = "all of them"


def predictions(chord: pd.DataFrame, statistics: list[str], by: tuple[str, ...]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores and importances of each statistic of the graph alone, and of all together.

    Shapes: `chord` one row per (graph, pair, group) of chord barriers with the graph's statistics beside them.
    """
    sets = {name: [name] for name in statistics}
    if len(statistics) > 1:
        sets[EVERYTHING] = statistics
    losses = chord[(chord["metric"] == "loss") & chord["split"].isin(SPLITS)]
    found = predict_barrier(losses, sets, by=by)
    return found.scores, found.importances
