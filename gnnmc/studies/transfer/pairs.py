"""From groups of a config to domains, and to pairs of a source and a target that belong to independent clusters."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gnnmc.config import CsbmBlock, ObjectiveBlock, SourceBlock, TrainBlock
from gnnmc.errors import InputError
from gnnmc.seeding import stream
from gnnmc.store import Cell
from gnnmc.studies.costs.size import data_size
from gnnmc.studies.sources import data_rows
from gnnmc.studies.stages.graph import canonical
from gnnmc.studies.transfer.config import DomainGroup

# Targets are other draws than sources, also where nothing is shifted.
_TARGETS = 1000


@dataclass(frozen=True)
class Domain:
    """One graph: its name in all tables, what it is made from, and the base graph that it is of (science 1.8)."""

    name: str
    block: SourceBlock
    cluster: str


@dataclass(frozen=True)
class DomainPair:
    """A source and a target. called: its name where that is not made of theirs.

    axis, value, amount: of a shift in a known amount; replicate: how often it was drawn before. None otherwise.
    """

    source: Domain
    target: Domain
    called: str | None = None
    axis: str | None = None
    value: float | None = None
    amount: float | None = None
    replicate: int | None = None

    @property
    def name(self) -> str:
        """What it is called in all tables."""
        return self.called or f"{self.source.name} → {self.target.name}"

    @property
    def cluster(self) -> str:
        """Both directions of two base graphs are one cluster."""
        return " and ".join(sorted({self.source.cluster, self.target.cluster}))

    @property
    def unordered(self) -> tuple[str, str]:
        """Both domains, whichever is the source."""
        first, second = sorted((self.source.name, self.target.name))
        return first, second

    def labels(self) -> dict[str, Any]:
        """Columns of its rows."""
        return {"pair": self.name, "source": self.source.name, "target": self.target.name, "cluster": self.cluster}

    def shift(self) -> dict[str, Any]:
        """What is known of a shift in a known amount."""
        return {"axis": self.axis or "", "value": self.value, "amount": self.amount, "replicate": self.replicate}


@dataclass(frozen=True)
class TransferGroup:
    """Pairs of domains of one feature space and label space, how modes are trained on them, and by which methods."""

    name: str
    pairs: tuple[DomainPair, ...]
    train: TrainBlock
    methods: tuple[ObjectiveBlock, ...]

    @property
    def domains(self) -> list[Domain]:
        """Every domain once, in the order of the pairs."""
        return list(dict.fromkeys(domain for pair in self.pairs for domain in (pair.source, pair.target)))


def group_of(
    entry: DomainGroup, train: TrainBlock, methods: Sequence[ObjectiveBlock], key: str = "groups"
) -> TransferGroup:
    """The group that an entry of a config describes; key: where a config has its groups.

    Raises InputError for data that cannot be made, and where the spaces of two domains are known to differ.
    """
    found = _shifted(entry) if entry.base is not None else _listed(entry)
    group = TransferGroup(entry.name, tuple(found), entry.train or train, tuple(methods))
    for pair in group.pairs:
        _check_spaces(f"{key}: {entry.name}", pair)
    return group


def _listed(entry: DomainGroup) -> Iterator[DomainPair]:
    blocks = [canonical(next(each.expand())) for each in entry.domains]
    domains = {
        each.name: Domain(each.name, block, each.cluster or row["cluster"])
        for each, block, row in zip(entry.domains, blocks, data_rows(blocks, axis=""), strict=True)
    }
    pairs = itertools.permutations(domains, 2) if entry.pairs == "all" else entry.pairs
    for source, target in pairs:
        yield DomainPair(domains[source], domains[target])


def _shifted(entry: DomainGroup) -> Iterator[DomainPair]:
    """Every shift and replicate with a source of its own, so that no two pairs share a graph."""
    assert entry.base is not None
    for axis, values in entry.shifts.items():
        for value, seed in itertools.product(values, entry.seeds):
            space = stream("transfer", entry.name, axis, value, seed) % 2**31
            base = entry.base.model_copy(update={"seed": seed, "rotation_seed": space})
            own = {"seed": seed + _TARGETS, "rotation_seed": space}
            target = CsbmBlock.model_validate(entry.base.model_dump() | own | {axis: value})
            own_value = float(getattr(base, axis))
            amount = value - own_value
            called = f"{entry.name}: {axis} {own_value:g} → {value:g}, replicate {seed}"
            yield DomainPair(
                Domain(f"source of {called}", base, called),
                Domain(f"target of {called}", target, called),
                called,
                axis,
                value,
                amount,
                seed,
            )


def _check_spaces(where: str, pair: DomainPair) -> None:
    """Raise InputError where numbers of features or classes are known without reading the data, and differ."""
    sizes = []
    for domain in (pair.source, pair.target):
        sizes.append(data_size(Cell("graph", 0, {domain.block.key: domain.block.differing()})))
    if sizes[0] is None or sizes[1] is None:
        return
    for what in ("features", "classes"):
        first, second = (int(getattr(size, what)) for size in sizes)
        if first != second:
            hint = "choose what both have, such as features: degree" if what == "features" else "leave one of them out"
            raise InputError(
                f"config {where}: {pair.source.name!r} has {first} {what} and {pair.target.name!r} {second}: "
                f"domains need one {'feature' if what == 'features' else 'label'} space: {hint}"
            )
