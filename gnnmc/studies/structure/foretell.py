"""Stage `foretell`: which statistics of the graph predict the barrier on graphs held out, and how (science 1.8)."""

from collections.abc import Sequence

from gnnmc.analysis import partial_dependence
from gnnmc.store import Cell, Execution, Request, Result, Task
from gnnmc.studies.predicting import predictions, predictor_sets
from gnnmc.studies.regimes import joined, tables_of
from gnnmc.studies.structure.rows import LINE, barriers_with_graphs, families, joint_of, statistics_of

VERSION = 2

GROUP = ("regime", "model", *LINE)


def foretell_task(tables: Cell) -> Task:
    """The task that predicts one run's barriers from its graphs."""
    return Task(foretell, (Cell("foretell", VERSION, {}, {"tables": tables}, label="prediction"),))


def foretell(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """tables → `prediction`, `importance` and `dependence` (of statistics together)."""
    return [_foretell(request) for request in requests]


def _foretell(request: Request) -> Result:
    found, curves = [], []
    for rows in families(barriers_with_graphs(tables_of(request))):
        if statistics := statistics_of(rows):
            joint = joint_of(rows, statistics)
            found.append(predictions(rows, statistics, GROUP, joint))
            sets = predictor_sets(statistics, joint)
            together = {label: names for label, names in sets.items() if names == joint}
            curves.append(partial_dependence(rows, dict([*together.items()][-1:]), by=GROUP))
    return {
        "prediction": joined([each.scores for each in found]),
        "importance": joined([each.importances for each in found]),
        "dependence": joined(curves),
    }
