"""Data × models × seeds → modes, pairs of modes × paths → profiles: what most studies begin with."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gnnmc.config import AlignmentBlock, ModelBlock, PathBlock, PlaneBlock, ProfileBlock, SourceBlock, TrainBlock
from gnnmc.connectivity import LinearPath
from gnnmc.engine import ENGINES
from gnnmc.errors import InputError
from gnnmc.models import check_fits
from gnnmc.store import Cell, Execution, Task
from gnnmc.studies.sources import source_of
from gnnmc.studies.stages.align import AS_TRAINED, align_tasks
from gnnmc.studies.stages.connect import Numbered, connect_tasks
from gnnmc.studies.stages.graph import graph_task
from gnnmc.studies.stages.modes import modes_tasks
from gnnmc.studies.stages.plane import gather_task, plane_task
from gnnmc.studies.stages.statistics import statistics_task
from gnnmc.studies.stages.tabulate import tabulate_task

# Graphs of one shape that are one task: of more, workers would be idle, and little is left to gain (measured).
TOGETHER = 4


@dataclass
class Sweep:
    """Tasks in the order to start them, and the labeled cells that a table is made of."""

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
    alignments: list[tuple[dict[str, Any], Cell]] = field(default_factory=list)
    _data: dict[str, Cell] = field(default_factory=dict)

    def add(
        self,
        problems: Sequence[tuple[SourceBlock, dict[str, Any]]],
        models: Sequence[tuple[str, ModelBlock]],
        train: TrainBlock | None = None,
        alignments: Sequence[AlignmentBlock] = (),
    ) -> None:
        """Plan problems: the data of each, their statistics, and every model's modes, paths and profiles on them.

        train: how their modes are trained, where that is not as for the others. alignments: of the pairs that a line
        joins. A problem may be added again, with other models.

        Raises InputError for data that cannot be made, and for a model that cannot be made for such data.
        """
        _check_fits(problems, [model for _, model in models])
        rows = [_Rows() for _ in problems]
        how = train or self.train
        for places in self._groups([block for block, _ in problems], how):
            graphs = [self._add_data(*problems[place], rows[place]) for place in places]
            for name, model in models:
                self._add_model(graphs, name, model, how, alignments, [rows[place] for place in places])
        for row in rows:
            self.statistics += row.statistics
            self.modes += row.modes
            self.profiles += row.profiles
            self.alignments += row.alignments

    def _groups(self, blocks: Sequence[SourceBlock], train: TrainBlock) -> list[list[int]]:
        """Places of blocks that are worked on together: they differ in what is drawn alone.

        Each by itself where nothing would be done together, so that more workers have something to do.
        """
        many = self.execution.engine is None or ENGINES[self.execution.engine].many_at_once
        groups: dict[tuple[Any, ...], list[list[int]]] = {}
        for place, block in enumerate(blocks):
            known = {name: value for name, value in block.model_dump().items() if name not in block.drawn}
            some = groups.setdefault((block.key, repr(known)), [[]])
            together = many and (source_of(block).one_graph or train.batch_size is None)
            if some[-1] and (len(some[-1]) == TOGETHER or not together):
                some.append([])
            some[-1].append(place)
        return [places for some in groups.values() for places in some]

    def _add_data(self, block: SourceBlock, row: dict[str, Any], rows: "_Rows") -> Cell:
        rows.graph = row["graph"]
        if rows.graph not in self._data:
            made = graph_task(block, rows.graph)
            measured = statistics_task(made.cells[0])
            self.tasks += [made, measured]
            rows.statistics.append((row, measured.cells[0]))
            self._data[rows.graph] = made.cells[0]
        return self._data[rows.graph]

    def _add_model(
        self,
        graphs: Sequence[Cell],
        name: str,
        model: ModelBlock,
        train: TrainBlock,
        alignments: Sequence[AlignmentBlock],
        rows: Sequence["_Rows"],
    ) -> None:
        tasks, cells = modes_tasks(graphs, model, train, self.seeds, self.execution)
        self.tasks += tasks
        where = [{"graph": each.graph, "model": name, "endpoint": self.endpoint} for each in rows]
        numbered = [list(zip(self.seeds, some, strict=True)) for some in cells]
        for each, labels, some in zip(rows, where, numbered, strict=True):
            each.modes += [(labels | {"seed": number}, cell) for number, cell in some]
        self._add_paths(graphs, model, numbered, alignments, where, rows)

    def paths_between(
        self,
        graph: Cell,
        model: ModelBlock,
        numbered: Sequence[Numbered],
        alignments: Sequence[AlignmentBlock],
        labels: dict[str, Any],
    ) -> list[tuple[dict[str, Any], Cell]]:
        """Plan paths between modes of a graph that were planned elsewhere: profiles with their labels, in no table."""
        rows = _Rows()
        self._add_paths([graph], model, [list(numbered)], alignments, [labels], [rows])
        return rows.profiles

    def _add_paths(
        self,
        graphs: Sequence[Cell],
        model: ModelBlock,
        numbered: Sequence[Sequence[Numbered]],
        alignments: Sequence[AlignmentBlock],
        where: Sequence[dict[str, Any]],
        rows: Sequence["_Rows"],
    ) -> None:
        pairs = [list(itertools.combinations(some, 2)) for some in numbered]
        for path_name, path in self.paths:
            tasks, profiles = connect_tasks(graphs, model, pairs, path, self.profile, self.endpoint, self.execution)
            self.tasks += tasks
            for each, labels, found in zip(rows, where, profiles, strict=True):
                for a, b, cell in found:
                    each.profiles.append((labels | {"path": path_name, "a": a, "b": b, "aligned": AS_TRAINED}, cell))
            if path.kind == LinearPath.kind:
                for graph, each, labels, of_graph in zip(graphs, rows, where, pairs, strict=True):
                    joined = of_graph[: path.pairs] if path.pairs else of_graph
                    self._add_alignments(graph, model, joined, alignments, labels | {"path": path_name}, each)

    def _add_alignments(
        self,
        graph: Cell,
        model: ModelBlock,
        pairs: Sequence[tuple[Numbered, Numbered]],
        alignments: Sequence[AlignmentBlock],
        labels: dict[str, Any],
        rows: "_Rows",
    ) -> None:
        for alignment in alignments:
            tasks, found = align_tasks(graph, model, pairs, alignment, self.profile, self.endpoint, self.execution)
            self.tasks += tasks
            for each in found:
                about = labels | {"a": each.a, "b": each.b, "aligned": each.called}
                rows.profiles.append((about, each.profile))
                if each.alignment is not None:
                    rows.alignments.append((about, each.alignment))

    def data_of(self, graph: str) -> Cell:
        """The cell of the data of a problem that was added."""
        return self._data[graph]

    def knows(self, graph: str) -> bool:
        """Whether a problem of that name was added."""
        return graph in self._data

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


def _check_fits(problems: Sequence[tuple[SourceBlock, dict[str, Any]]], models: Sequence[ModelBlock]) -> None:
    for (block, labels), model in itertools.product(problems, models):
        try:
            check_fits(model.name, source_of(block).given, labels["graph"])
        except InputError as error:
            raise InputError(f"config models: {error}") from None


@dataclass
class _Rows:
    """What tables say of one problem."""

    graph: str = ""
    statistics: list[tuple[dict[str, Any], Cell]] = field(default_factory=list)
    modes: list[tuple[dict[str, Any], Cell]] = field(default_factory=list)
    profiles: list[tuple[dict[str, Any], Cell]] = field(default_factory=list)
    alignments: list[tuple[dict[str, Any], Cell]] = field(default_factory=list)
