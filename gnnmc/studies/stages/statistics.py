"""Stage `statistics`: the statistics of a graph (science 1.7)."""

from collections.abc import Sequence
from typing import cast

from gnnmc.graphstats import STATISTICS, graph_stats
from gnnmc.problem import absent_from_train
from gnnmc.store import Cell, Request, Result, Task
from gnnmc.studies.stages.graph import data_of, problem_of

VERSION = 1


def statistics_task(graph: Cell) -> Task:
    """The task of one graph's statistics."""
    # Which statistics there are is part of the key: a new one has to be computed.
    config = {"statistics": sorted(STATISTICS)}
    return Task(measure_graphs, (Cell("statistics", VERSION, config, {"graph": graph}, label=graph.label),))


def measure_graphs(requests: Sequence[Request], device: str) -> list[Result]:
    """graph → `statistics` (one row), the graph's `about`, and `classes_without_training`."""
    results: list[Result] = []
    for request in requests:
        graph = cast(Result, request.inputs["graph"])
        problem = problem_of(graph)
        results.append(
            {
                "statistics": graph_stats(data_of(graph), names=request.config["statistics"]).frame(),
                "about": graph["about"],
                "classes_without_training": absent_from_train(problem.splits, problem.targets),
            }
        )
    return results
