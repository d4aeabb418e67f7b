"""Data × models × seeds → modes, pairs of modes × paths → profiles: what most studies begin with."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gnnmc.config import ModelBlock, PathBlock, PlaneBlock, ProfileBlock, SourceBlock, TrainBlock
from gnnmc.store import Cell, Execution, Task
from gnnmc.studies.stages.connect import connect_tasks
from gnnmc.studies.stages.graph import graph_task
from gnnmc.studies.stages.modes import modes_task
from gnnmc.studies.stages.plane import gather_task, plane_task
from gnnmc.studies.stages.statistics import statistics_task
from gnnmc.studies.stages.tabulate import tabulate_task


@dataclass
class Sweep:
    """Tasks in the order to start them, and the labeled cells that a table is made of. `add` one problem at a time."""

    train: TrainBlock
    seeds: Sequence[int]
    paths: Sequence[tuple[str, PathBlock]]
    profile: ProfileBlock
    endpoint: str
    execution: Execution
    tasks: list[Task] = field(default_factory=list)
    statistics: list[tuple[dict[str, Any], Cell]] = field(default_factory=list)
    modes: list[tuple[dict[str, Any], Cell]] = field(default_factory=list)
    profiles: list[tuple[dict[str, Any], Cell]] = field(default_factory=list)
    planes: list[tuple[dict[str, Any], Cell]] = field(default_factory=list)

    def add(
        self,
        block: SourceBlock,
        row: dict[str, Any],
        models: Sequence[tuple[str, ModelBlock]],
        train: TrainBlock | None = None,
    ) -> None:
        """Plan one problem: its data, its statistics, and every model's modes, paths and profiles on it.

        train: how its modes are trained, where that is not as for the others.

        Raises InputError for data that cannot be made.
        """
        made = graph_task(block, row["graph"])
        graph = made.cells[0]
        measured = statistics_task(graph)
        self.tasks += [made, measured]
        self.statistics.append((row, measured.cells[0]))
        for model_name, model in models:
            trained = modes_task(graph, model, train or self.train, self.seeds, self.execution)
            self.tasks.append(trained)
            where = {"graph": row["graph"], "model": model_name, "endpoint": self.endpoint}
            numbered = list(zip(self.seeds, trained.cells, strict=True))
            self.modes += [(where | {"seed": number}, cell) for number, cell in numbered]
            pairs = list(itertools.combinations(numbered, 2))
            for path_name, path in self.paths:
                tasks, cells = connect_tasks(graph, model, pairs, path, self.profile, self.endpoint, self.execution)
                self.tasks += tasks
                for a, b, cell in cells:
                    self.profiles.append((where | {"path": path_name, "a": a, "b": b, "aligned": "none"}, cell))

    def tabulated(self) -> Task:
        """The task of the tables of all that was added."""
        return tabulate_task(self.statistics, self.modes, self.profiles)

    def add_planes(self, block: PlaneBlock) -> Task | None:
        """Plan planes around the first fitted curve on some of the problems, and the task of their tables.

        None where no curve is fitted.
        """
        first: dict[str, tuple[dict[str, Any], Cell]] = {}
        for labels, cell in self.profiles:
            if "path" in cell.inputs:
                first.setdefault(labels["graph"], (labels, cell))
        graphs = list(first)
        if not graphs:
            return None
        places = {round(i * (len(graphs) - 1) / max(1, block.graphs - 1)) for i in range(block.graphs)}
        for place in sorted(places):
            labels, cell = first[graphs[place]]
            task = plane_task(cell, block, self.execution)
            self.tasks.append(task)
            self.planes.append((labels, task.cells[0]))
        return gather_task(self.planes)
