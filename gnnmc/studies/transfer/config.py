"""What a config of the study may say."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from gnnmc.config import AlignmentBlock, Block, CsbmBlock, GraphEntry, ModelBlock, ObjectiveBlock, TrainBlock, validate
from gnnmc.errors import InputError
from gnnmc.registry import unknown_name
from gnnmc.studies.aligned_sweep import AlignedSweep
from gnnmc.studies.stages.adapt import VANILLA, known_methods
from gnnmc.studies.sweep_block import known_models, known_training

# What of a generated graph may be shifted: what leaves its features and classes those of the other domain.
SHIFTS = ("homophily", "mean_degree", "separation", "feature_shift")


class DomainEntry(GraphEntry):
    """One domain: a name and a single graph.

    cluster: the independently collected data that it is of, where that is not the graph's own (science 1.8).
    """

    name: str = Field(min_length=1)
    cluster: str | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _one_domain(self) -> "DomainEntry":
        if (count := len(list(self.expand()))) != 1:
            raise ValueError(f"domain {self.name!r} is {count} graphs: a domain is one: give a name to each")
        return self


class DomainGroup(Block):
    """Domains with one feature space and one label space, or generated ones with shifts in known amounts.

    domains: a list, or a mapping from a name to a graph. pairs: "all" pairs in both directions, or a list of
    [source, target]. base, shifts, seeds: of generated graphs: what the source is, value by value what the target is
    in its place, one setting at a time, and how many times each pair is drawn anew. train, methods: where those of the
    group are not as for the others.
    """

    name: str = Field(min_length=1)
    domains: tuple[DomainEntry, ...] = ()
    pairs: Literal["all"] | tuple[tuple[str, str], ...] = "all"
    base: CsbmBlock | None = None
    shifts: dict[str, tuple[float, ...]] = Field(default_factory=dict)
    seeds: tuple[int, ...] = Field((0,), min_length=1)
    train: TrainBlock | None = None
    methods: tuple[ObjectiveBlock, ...] | None = Field(None, min_length=1)

    @field_validator("domains", mode="before")
    @classmethod
    def _named(cls, domains: Any) -> Any:
        if not isinstance(domains, dict):
            return domains
        if wrong := [name for name, entry in domains.items() if not isinstance(entry, dict)]:
            raise ValueError(f"{wrong[0]!r}: expected a graph, such as real: {{name: …}}")
        return [{"name": str(name)} | entry for name, entry in domains.items()]

    @field_validator("shifts")
    @classmethod
    def _known_shifts(cls, shifts: dict[str, tuple[float, ...]]) -> dict[str, tuple[float, ...]]:
        # Here and not beside the base, so that a message names and repeats the shifts alone.
        for axis, values in shifts.items():
            if axis not in SHIFTS:
                raise unknown_name("shift", axis, SHIFTS)
            if not values or len(set(values)) < len(values):
                raise ValueError(f"{axis} {list(values)}: give at least one value, and each once")
        return shifts

    @model_validator(mode="after")
    def _one_kind(self) -> "DomainGroup":
        if bool(self.domains) == (self.base is not None):
            raise ValueError("give either domains, or a base with its shifts")
        if self.base is None and self.shifts:
            raise ValueError("shifts are those of a base: give one, or leave them out")
        names = [domain.name for domain in self.domains]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"config domains: domain {twice[0]!r} is listed twice: list it once")
        if self.domains:
            self._check_pairs(names)
        else:
            self._check_shifts()
        return self

    def _check_pairs(self, names: list[str]) -> None:
        if self.pairs == "all":
            if len(names) < 2:
                raise ValueError(f"one domain, {names[0]!r}: there is no pair: give at least two")
            return
        for source, target in self.pairs:
            for name in (source, target):
                if name not in names:
                    raise unknown_name("domain", name, names)
            if source == target:
                raise ValueError(f"{source!r} to itself is no transfer: leave it out")
        if not self.pairs or len(set(self.pairs)) < len(self.pairs):
            raise ValueError("pairs: give at least one, and each once")

    def _check_shifts(self) -> None:
        assert self.base is not None
        if not self.shifts:
            raise ValueError("a base without shifts: give what is shifted, such as homophily: [0.3, 0.5]")
        for axis, values in self.shifts.items():
            for value in values:
                validate(CsbmBlock, self.base.model_dump() | {axis: value}, under=f"shifts.{axis}")
        if len(set(self.seeds)) < len(self.seeds) or min(self.seeds) < 0:
            raise ValueError(f"seeds {list(self.seeds)}: whole numbers from 0 on, each once")
        if self.pairs != "all":
            raise ValueError("pairs are of domains: with a base the source is the base and every shift a target")

    @field_validator("train")
    @classmethod
    def _known_training(cls, train: TrainBlock | None) -> TrainBlock | None:
        return None if train is None else known_training(train)

    @field_validator("methods")
    @classmethod
    def _known_methods(cls, methods: tuple[ObjectiveBlock, ...] | None) -> tuple[ObjectiveBlock, ...] | None:
        return None if methods is None else known_methods(methods)


class TransferStudy(AlignedSweep):
    """Groups of domains × models → modes of every domain; pairs × methods → source modes evaluated on the target.

    methods: how source modes are trained; "vanilla" (the source alone) is always among them. alignments: of the line
    between two modes of one source. connected: so many modes of every source are joined with one of the target. most:
    items of either domain that MMD and A-distance look at.
    """

    study: Literal["transfer"] = "transfer"
    title: str = "Connectivity and transfer between domains"
    groups: tuple[DomainGroup, ...] = Field(min_length=1)
    models: tuple[ModelBlock, ...] = Field((ModelBlock(name="gcn"),), min_length=1)
    methods: tuple[ObjectiveBlock, ...] = Field(
        tuple(ObjectiveBlock(name=name) for name in (VANILLA, "coral", "mmd", "dann", "udagcn", "specreg")),
        min_length=1,
    )
    alignments: tuple[AlignmentBlock, ...] = ()
    connected: int = Field(1, ge=0)
    most: int = Field(1000, ge=10)

    @model_validator(mode="after")
    def _names_once(self) -> "TransferStudy":
        names_once(self.groups, "groups")
        return self

    @field_validator("models")
    @classmethod
    def _known_models(cls, models: tuple[ModelBlock, ...]) -> tuple[ModelBlock, ...]:
        return known_models(models)

    @field_validator("methods")
    @classmethod
    def _known_methods(cls, methods: tuple[ObjectiveBlock, ...]) -> tuple[ObjectiveBlock, ...]:
        return known_methods(methods)

    def methods_of(self, group: DomainGroup) -> tuple[ObjectiveBlock, ...]:
        """The methods of a group, vanilla first: all others are told beside it."""
        return vanilla_first(group.methods or self.methods)


def names_once(groups: Sequence[DomainGroup], key: str) -> None:
    """Raise InputError where two groups, or two domains of any groups, have one name. key: where a config has them."""
    for kind, names in (
        ("group", [group.name for group in groups]),
        ("domain", [domain.name for group in groups for domain in group.domains]),
    ):
        if twice := [name for name in names if names.count(name) > 1]:
            raise InputError(f"config {key}: {kind} {twice[0]!r} is listed twice: give each a name of its own")


def vanilla_first(methods: Sequence[ObjectiveBlock]) -> tuple[ObjectiveBlock, ...]:
    """The methods with vanilla before them, whether it was listed or not."""
    vanilla = [method for method in methods if method.name == VANILLA] or [ObjectiveBlock(name=VANILLA)]
    return (*vanilla, *(method for method in methods if method.name != VANILLA))
