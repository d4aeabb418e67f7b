"""Stage `predict`: how well statistics of a graph predict the loss barriers on graphs held out (science 1.8)."""

from collections.abc import Sequence

import pandas as pd

from gnnmc.analysis import predict_barrier
from gnnmc.store import Cell, Execution, Request, Result, Task
from gnnmc.studies.regimes import GROUP, Regime, chord_rows, joined, regimes, tables_of

VERSION = 1

# Losses on the splits that the answer is about.
SPLITS = ("train", "test")
EVERYTHING = "all of them"


def predict_task(tables: Cell) -> Task:
    """The task that predicts one run's barriers."""
    return Task(predict, (Cell("predict", VERSION, {}, {"tables": tables}, label="prediction"),))


def predict(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """tables → `prediction` and `importance`; gnnmc.analysis gives their columns."""
    return [_predict(request) for request in requests]


def _predict(request: Request) -> Result:
    found = [_predictions(regime) for regime in regimes(chord_rows(tables_of(request))) if regime.of_the_graph]
    return {
        "prediction": joined([scores for scores, _ in found]),
        "importance": joined([importances for _, importances in found]),
    }


def _predictions(regime: Regime) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores and importances of each statistic of the graph alone, and of all together."""
    statistics = regime.of_the_graph
    sets = {name: [name] for name in statistics}
    if len(statistics) > 1:
        sets[EVERYTHING] = statistics
    losses = regime.rows[(regime.rows["metric"] == "loss") & regime.rows["split"].isin(SPLITS)]
    found = predict_barrier(losses, sets, by=GROUP)
    return found.scores, found.importances
