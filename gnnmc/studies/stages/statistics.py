"""Stage `statistics`: what can be said of a problem's data: of a single graph, the statistics of science 1.7."""

from collections.abc import Sequence
from typing import cast

import pandas as pd

from gnnmc.graphstats import STATISTICS, graph_stats
from gnnmc.problem import absent_from_train
from gnnmc.store import Cell, Execution, Request, Result, Task
from gnnmc.studies.sources import data_of
from gnnmc.studies.stages.graph import is_one_graph, problem_of

VERSION = 4


def statistics_task(graph: Cell) -> Task:
    """The task of one problem's statistics."""
    # Which statistics there are is part of the key: a new one has to be computed.
    config = {"statistics": sorted(STATISTICS)}
    return Task(measure_graphs, (Cell("statistics", VERSION, config, {"graph": graph}, label=graph.label),))


def measure_graphs(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """graph → `statistics` (one row; `num_items`, `num_train`, `num_classes` of all), `about`, and of its problem the
    `units` of columns and the `classes_without_training`.
    """
    results: list[Result] = []
    for request in requests:
        graph = cast(Result, request.inputs["graph"])
        problem = problem_of(graph)
        row = pd.DataFrame({"num_items": [len(problem.targets)], "num_train": [len(problem.splits["train"])]})
        if is_one_graph(graph):
            row = row.join(graph_stats(data_of(graph), names=request.config["statistics"]).frame())
        elif problem.loss.classification:
            row["num_classes"] = problem.num_outputs
        # That a rare token is in one piece of a text alone is in the nature of text.
        told = problem.loss.classification and not problem.per_position
        absent = absent_from_train(problem.splits, problem.targets) if told else []
        known = {"about": graph["about"], "units": problem.units, "classes_without_training": absent}
        results.append({"statistics": row, **known})
    return results
