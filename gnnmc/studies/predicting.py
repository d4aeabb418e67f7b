"""How well statistics of a graph predict its loss barriers, each by itself and all together (science 1.8)."""

from collections.abc import Sequence

import pandas as pd

from gnnmc.analysis import Prediction, predict_barrier

# Losses on the splits that the answer is about.
SPLITS = ("train", "test")
EVERYTHING = "all of them"


def predictor_sets(statistics: Sequence[str]) -> dict[str, list[str]]:
    """Each statistic alone, and all together where there are several."""
    sets = {name: [name] for name in statistics}
    return sets | {EVERYTHING: list(statistics)} if len(statistics) > 1 else sets


def losses_shown(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the loss on the splits that the answer is about."""
    return rows[(rows["metric"] == "loss") & rows["split"].isin(SPLITS)]


def predictions(rows: pd.DataFrame, statistics: Sequence[str], by: Sequence[str]) -> Prediction:
    """Scores and importances of each statistic alone, and of all together, in each group of the barriers of losses."""
    return predict_barrier(losses_shown(rows), predictor_sets(statistics), by=by)
