"""How well statistics of a graph predict its loss barriers, each by itself and all together (science 1.8)."""

from collections.abc import Sequence

import pandas as pd

from gnnmc.analysis import Prediction, predict_barrier

# Losses on the splits that the answer is about.
SPLITS = ("train", "test")
EVERYTHING = "all of them"
# Where several statistics say of one setting what another says: the first of each.
ONE_EACH = "one of each setting"
TOGETHER = (EVERYTHING, ONE_EACH)


def predictor_sets(statistics: Sequence[str], joint: Sequence[str] | None = None) -> dict[str, list[str]]:
    """Each statistic alone, and several together: all, or those of `joint`."""
    together = list(statistics if joint is None else joint)
    label = EVERYTHING if together == list(statistics) else ONE_EACH
    sets = {name: [name] for name in statistics}
    return sets | {label: together} if len(together) > 1 else sets


def losses_shown(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the loss on the splits that the answer is about."""
    return rows[(rows["metric"] == "loss") & rows["split"].isin(SPLITS)]


def predictions(
    rows: pd.DataFrame, statistics: Sequence[str], by: Sequence[str], joint: Sequence[str] | None = None
) -> Prediction:
    """Scores and importances of `predictor_sets` in each group of the barriers of losses."""
    return predict_barrier(losses_shown(rows), predictor_sets(statistics, joint), by=by)
