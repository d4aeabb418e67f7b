"""Pairs of domains × models × methods as tasks of a run: what any study adds that looks at transfer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gnnmc.config import AlignmentBlock, ModelBlock, ObjectiveBlock, TrainBlock
from gnnmc.connectivity import LinearPath
from gnnmc.errors import InputError
from gnnmc.store import Cell, Task
from gnnmc.studies.stages.across import across_task, carry_task
from gnnmc.studies.stages.adapt import VANILLA, adapt_task
from gnnmc.studies.stages.apart import apart_task
from gnnmc.studies.stages.bridge import SOURCE, TARGET, bridge_task
from gnnmc.studies.stages.connect import Numbered
from gnnmc.studies.stages.graph import graph_task
from gnnmc.studies.stages.modes import modes_tasks
from gnnmc.studies.stages.sweep import Sweep
from gnnmc.studies.transfer.gather import Labeled, gather_task
from gnnmc.studies.transfer.pairs import Domain, DomainPair, TransferGroup


def plan_transfers(
    groups: Sequence[TransferGroup],
    models: Sequence[tuple[str, ModelBlock]],
    sweep: Sweep,
    *,
    alignments: Sequence[AlignmentBlock] = (),
    connected: int = 1,
    most: int = 1000,
    key: str = "groups",
) -> tuple[list[Task], Cell]:
    """The tasks of all pairs of the groups, and the cell of their tables (`gather_transfers`), `transfer` among them.

    Modes of every domain are the sweep's, which plans those that it does not have yet; paths, seeds, profile and
    endpoint are its own as well. Its tasks come before those that are returned. alignments: of lines between modes of
    one source. connected: so many modes of every source are joined with one of the target each. most: items that
    distances between samples look at. key: where a config has its groups, for messages.

    Raises InputError for data that cannot be made, for a domain that is in a group under two names, and for one whose
    name the sweep has for another graph, or for the same with modes of another kind.
    """
    plan = _Transfers(sweep, alignments, connected, most, key)
    for group in groups:
        plan.add_domains(group, models)
        for pair in group.pairs:
            for name, model in models:
                plan.add_pair(group, pair, name, model)
    gathered = gather_task(plan.pairs, plan.found)
    # What the sweep had to plan for paths between adapted modes is its own already.
    return [*plan.tasks, gathered], gathered.cells[0]


@dataclass
class _Transfers:
    sweep: Sweep
    alignments: Sequence[AlignmentBlock]
    connected: int
    most: int
    key: str
    tasks: list[Task] = field(default_factory=list)
    pairs: list[dict[str, Any]] = field(default_factory=list)
    found: dict[str, list[tuple[dict[str, Any], Cell]]] = field(
        default_factory=lambda: {
            role: [] for role in ("carried", "on_source", "on_target", "own_modes", "own_profiles", "apart", "bridges")
        }
    )
    _apart: set[tuple[str, str]] = field(default_factory=set)
    _joined: set[tuple[tuple[str, str], str]] = field(default_factory=set)

    def add_domains(self, group: TransferGroup, models: Sequence[tuple[str, ModelBlock]]) -> None:
        """Modes of all domains, and the paths between them, where the sweep has none yet."""
        domains = group.domains
        for each in domains:
            self._check_name(each)
        for name, model in models:
            known = {labels["graph"] for labels, _ in self.sweep.modes if labels["model"] == name}
            new = [
                (each.block, {"graph": each.name, "cluster": each.cluster, "family": each.block.key})
                for each in domains
                if each.name not in known
            ]
            if new:
                self.sweep.add(new, [(name, model)], group.train, self.alignments)
            for each in domains:
                if each.name in known:
                    self._check_modes(each, name, model, group.train)
        keys: dict[str, str] = {}
        for each in domains:
            key = self.sweep.data_of(each.name).key
            if keys.setdefault(key, each.name) != each.name:
                raise InputError(
                    f"config {self.key}: {each.name!r} and {keys[key]!r} are the same graph: list it once, in one group"
                )

    def _check_name(self, domain: Domain) -> None:
        """Raise InputError where the sweep has another graph under that name."""
        if not self.sweep.knows(domain.name):
            return
        planned = graph_task(domain.block, domain.name).cells[0]
        if planned.key != self.sweep.data_of(domain.name).key:
            raise InputError(
                f"config {self.key}: domain {domain.name!r} is another graph than the one of the run that has this "
                "name: give the domain another name"
            )

    def _check_modes(self, domain: Domain, name: str, model: ModelBlock, train: TrainBlock) -> None:
        """Raise InputError where the modes that the sweep has of a domain are not those that it would get here."""
        _, (cells,) = modes_tasks(
            [self.sweep.data_of(domain.name)], model, train, self.sweep.seeds, self.sweep.execution
        )
        if {cell.key for cell in cells} != {cell.key for _, cell in self._modes(domain.name, name)}:
            raise InputError(
                f"config {self.key}: model {name!r} on {domain.name!r} has other settings or another training in the "
                "run than as a domain: give the domain another name"
            )

    def add_pair(self, group: TransferGroup, pair: DomainPair, name: str, model: ModelBlock) -> None:
        """All methods on one pair: modes, their lines on both domains, and the modes on the target."""
        source, target = (self.sweep.data_of(domain.name) for domain in (pair.source, pair.target))
        labels = {"group": group.name} | pair.labels()
        if name not in {row["model"] for row in self.pairs if row["pair"] == pair.name}:
            self.pairs.append(labels | pair.shift() | {"model": name})
        own, others = (self._modes(domain.name, name) for domain in (pair.source, pair.target))
        for domain in (pair.source, pair.target):
            self._note_own(domain.name, name)
        for method in group.methods:
            where = labels | {"model": name, "method": method.called}
            if method.name == VANILLA:
                numbered, profiles = own, list(self._profiles(pair.source.name, name))
            else:
                numbered, profiles = self._adapted(source, target, model, group, method, where)
            self._evaluate(source, target, model, numbered, profiles, where)
        # What is the same in both directions is done once.
        if (pair.unordered, name) not in self._joined:
            self._joined.add((pair.unordered, name))
            self._bridge(source, target, model, own, others, labels | {"model": name})
        if pair.unordered not in self._apart:
            self._apart.add(pair.unordered)
            first, second = map(self.sweep.data_of, pair.unordered)
            task = apart_task(first, second, self.most)
            self.tasks.append(task)
            self.found["apart"].append((dict(zip(("first", "second"), pair.unordered)), task.cells[0]))

    def _modes(self, graph: str, model: str) -> list[Numbered]:
        return [
            (labels["seed"], cell)
            for labels, cell in self.sweep.modes
            if labels["graph"] == graph and labels["model"] == model
        ]

    def _profiles(self, graph: str, model: str) -> list[tuple[dict[str, Any], Cell]]:
        return [
            (labels, cell)
            for labels, cell in self.sweep.profiles
            if labels["graph"] == graph and labels["model"] == model
        ]

    def _note_own(self, graph: str, model: str) -> None:
        """What was trained on a domain alone, once."""
        known = {(labels["graph"], labels["model"]) for labels, _ in self.found["own_modes"]}
        if (graph, model) not in known:
            where = {"graph": graph, "model": model, "endpoint": self.sweep.endpoint}
            self.found["own_modes"] += [(where | {"seed": number}, cell) for number, cell in self._modes(graph, model)]
            self.found["own_profiles"] += self._profiles(graph, model)

    def _adapted(
        self,
        source: Cell,
        target: Cell,
        model: ModelBlock,
        group: TransferGroup,
        method: ObjectiveBlock,
        where: dict[str, Any],
    ) -> tuple[list[Numbered], list[tuple[dict[str, Any], Cell]]]:
        task = adapt_task(source, target, model, group.train, method, self.sweep.seeds, self.sweep.execution)
        self.sweep.tasks.append(task)
        numbered = list(zip(self.sweep.seeds, task.cells, strict=True))
        return numbered, self.sweep.paths_between(source, model, numbered, self.alignments, where)

    def _evaluate(
        self,
        source: Cell,
        target: Cell,
        model: ModelBlock,
        numbered: Sequence[Numbered],
        profiles: Labeled,
        where: dict[str, Any],
    ) -> None:
        execution, endpoint = self.sweep.execution, self.sweep.endpoint
        modes = [cell for _, cell in numbered]
        carried = carry_task(source, target, model.differing(), endpoint, self.most, modes, execution)
        across = across_task([cell for _, cell in profiles], target, execution)
        self.tasks += [carried, across]
        self.found["carried"] += [
            (where | {"seed": number}, cell) for (number, _), cell in zip(numbered, carried.cells, strict=True)
        ]
        for (labels, on_source), on_target in zip(profiles, across.cells, strict=True):
            along = where | {name: labels[name] for name in ("path", "aligned", "a", "b")}
            self.found["on_source"].append((along, on_source))
            self.found["on_target"].append((along, on_target))

    def _bridge(
        self,
        source: Cell,
        target: Cell,
        model: ModelBlock,
        own: Sequence[Numbered],
        others: Sequence[Numbered],
        where: dict[str, Any],
    ) -> None:
        """Lines between modes of both domains, and a curve of every kind fitted on either."""
        ends = list(zip(own, others, strict=True))[: self.connected]
        if not ends:
            return
        for path_name, path in self.sweep.paths:
            for fitted_on in (None,) if path.kind == LinearPath.kind else (SOURCE, TARGET):
                task = bridge_task(
                    source,
                    target,
                    model,
                    [(a, b) for (_, a), (_, b) in ends],
                    path,
                    fitted_on,
                    self.sweep.profile,
                    self.sweep.endpoint,
                    self.sweep.execution,
                )
                self.tasks.append(task)
                about = where | {"path": path_name, "fitted_on": fitted_on or "neither"}
                self.found["bridges"] += [
                    (about | {"seed": number}, cell) for ((number, _), _), cell in zip(ends, task.cells, strict=True)
                ]
