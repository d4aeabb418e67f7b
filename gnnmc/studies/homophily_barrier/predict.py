"""Stage `predict`: how well statistics of a graph predict the loss barriers on graphs held out (science 1.8)."""

from collections.abc import Sequence

from gnnmc.store import Cell, Execution, Request, Result, Task
from gnnmc.studies.predicting import predictions
from gnnmc.studies.regimes import GROUP, chord_rows, joined, regimes, tables_of

VERSION = 1


def predict_task(tables: Cell) -> Task:
    """The task that predicts one run's barriers."""
    return Task(predict, (Cell("predict", VERSION, {}, {"tables": tables}, label="prediction"),))


def predict(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """tables → `prediction` and `importance`; gnnmc.analysis gives their columns."""
    return [_predict(request) for request in requests]


def _predict(request: Request) -> Result:
    found = [
        predictions(regime.rows, regime.of_the_graph, GROUP)
        for regime in regimes(chord_rows(tables_of(request)))
        if regime.of_the_graph
    ]
    return {
        "prediction": joined([each.scores for each in found]),
        "importance": joined([each.importances for each in found]),
    }
