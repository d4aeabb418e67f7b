"""From a config to tasks: graph → statistics → modes → paths → profiles → tables → association."""

import itertools
from typing import Any

from gnnmc.engine import resolve_device
from gnnmc.errors import InputError
from gnnmc.store import Cell, Task
from gnnmc.studies.homophily_barrier.config import HomophilyBarrier
from gnnmc.studies.homophily_barrier.relate import relate_task
from gnnmc.studies.naming import distinct_names, graph_rows
from gnnmc.studies.stages.connect import connect_tasks
from gnnmc.studies.stages.graph import canonical, graph_task
from gnnmc.studies.stages.modes import modes_task
from gnnmc.studies.stages.statistics import statistics_task
from gnnmc.studies.stages.tabulate import tabulate_task
from gnnmc.studies.study import Plan


def make_plan(config: HomophilyBarrier) -> Plan:
    """All tasks of a run.

    Raises InputError for graphs that are listed twice or out of reach, and a device that is not there.
    """
    blocks = [canonical(block) for entry in config.graphs for block in entry.expand()]
    rows = graph_rows(blocks, axis="homophily")
    names = [row["graph"] for row in rows]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"config graphs: {twice!r} is listed twice: list each graph once")
    model_names = distinct_names(config.models, "name")
    path_names = distinct_names(config.paths, "kind")
    device = str(resolve_device(config.run.device))
    tasks: list[Task] = []
    statistics: list[Cell] = []
    modes: list[tuple[dict[str, Any], Cell]] = []
    profiles: list[tuple[dict[str, Any], Cell]] = []
    for block, row in zip(blocks, rows, strict=True):
        made = graph_task(block, row["graph"])
        graph = made.cells[0]
        measured = statistics_task(graph)
        tasks += [made, measured]
        statistics.append(measured.cells[0])
        for model, model_name in zip(config.models, model_names, strict=True):
            trained = modes_task(graph, model, config.train, config.seeds, device)
            tasks.append(trained)
            where = {"graph": row["graph"], "model": model_name, "endpoint": config.endpoint}
            numbered = list(zip(config.seeds, trained.cells, strict=True))
            modes += [(where | {"seed": number}, cell) for number, cell in numbered]
            pairs = list(itertools.combinations(numbered, 2))
            for path, path_name in zip(config.paths, path_names, strict=True):
                connecting, cells = connect_tasks(graph, model, pairs, path, config.profile, config.endpoint, device)
                tasks += connecting
                for a, b, cell in cells:
                    profiles.append((where | {"path": path_name, "a": a, "b": b, "aligned": "none"}, cell))
    tabulated = tabulate_task(list(zip(rows, statistics, strict=True)), modes, profiles)
    related = relate_task(tabulated.cells[0], config.least_train_accuracy)
    return Plan((*tasks, tabulated, related), (tabulated.cells[0], related.cells[0]))
