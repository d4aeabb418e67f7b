"""Two graphs that are compared as domains: one feature space, one label space."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from gnnmc.errors import InputError
from gnnmc.graphstats import SimpleGraph, prepare
from gnnmc.graphstats.rows import SPARSE_SHARE
from gnnmc.seeding import numpy_generator

Features: TypeAlias = "np.ndarray | sp.csr_array"


@dataclass(frozen=True, eq=False)
class Domain:
    """One graph, its features ready for products, and the classes among its labels (as the user numbers them).

    Shapes:
        features: (N, F), sparse where nearly all are 0
    """

    graph: SimpleGraph
    features: Features
    classes: frozenset[int]


@dataclass(frozen=True, eq=False)
class Pair:
    """Source and target, and how their distances are computed: nodes drawn at most, permutations, the seed.

    called: what either graph is called in messages.
    """

    source: Domain
    target: Domain
    most_nodes: int
    permutations: int
    seed: int
    called: tuple[str, str]

    @property
    def labeled(self) -> bool:
        """Whether both have labels."""
        return bool(self.source.classes and self.target.classes)

    @cached_property
    def drawn(self) -> tuple[Features, Features]:
        """Features of at most `most_nodes` nodes of either graph, drawn evenly."""
        return self._drawn("source", self.source), self._drawn("target", self.target)

    @property
    def of_drawn(self) -> str:
        """What is computed from `drawn`, in words."""
        counts = [f"{rows.shape[0]:,} of {domain.graph.num_nodes:,}" for rows, domain in zip(self.drawn, self._domains)]
        return f"features of {counts[0]} and {counts[1]} nodes"

    @property
    def _domains(self) -> tuple[Domain, Domain]:
        return self.source, self.target

    def _drawn(self, name: str, domain: Domain) -> Features:
        if domain.graph.num_nodes <= self.most_nodes:
            return domain.features
        order = numpy_generator("domains", name, self.seed).permutation(domain.graph.num_nodes)
        return domain.features[np.sort(order[: self.most_nodes])]

    def halves(self, purpose: str, count: int, splits: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Random halves of so many things, for a floor."""
        rng = numpy_generator("domains", "halves", purpose, self.seed, count)
        for _ in range(splits):
            order = rng.permutation(count)
            yield order[: count // 2], order[count // 2 :]


def read_pair(
    source: object, target: object, most_nodes: int, permutations: int, seed: int, names: tuple[str, str] | None
) -> Pair:
    """Both graphs, checked to be comparable; neither is changed. names: theirs, for messages.

    Raises InputError: a malformed graph; no features; features of another width, or not finite; no class in common.
    """
    graphs = {"source": prepare(source), "target": prepare(target)}
    called = {role: f"the {role} graph" for role in graphs}
    if names is not None:
        called = {role: f"{words} {name}" for (role, words), name in zip(called.items(), names, strict=True)}
    for role, graph in graphs.items():
        if graph.num_nodes < 10:
            raise InputError(f"{called[role]} has {graph.num_nodes} nodes: at least 10 are needed to compare domains")
        if graph.features is None:
            raise InputError(f"{called[role]} has no features x: give both graphs features of one space, (N, F)")
    widths = {name: 0 if graph.features is None else graph.features.shape[1] for name, graph in graphs.items()}
    if widths["source"] != widths["target"]:
        raise InputError(
            f"the feature spaces differ: {called['source']} has {widths['source']} columns of x and "
            f"{called['target']} {widths['target']}; allowed: one meaning for each column in both, so make the "
            "features anew over one vocabulary"
        )
    classes = {"source": _classes(source), "target": _classes(target)}
    if all(classes.values()) and not classes["source"] & classes["target"]:
        raise InputError(
            f"the label spaces differ: {called['source']} has the classes {_listed(classes['source'])} in y and "
            f"{called['target']} {_listed(classes['target'])}; allowed: one number for one meaning, so renumber the "
            "classes of one graph"
        )
    domains = [Domain(graph, _compact(graph.features, called[role]), classes[role]) for role, graph in graphs.items()]
    return Pair(domains[0], domains[1], most_nodes, permutations, seed, (called["source"], called["target"]))


def tensor(rows: Features) -> Tensor:
    """Dense rows, in double precision only where given so. Shapes: (n, F) → (n, F)."""
    dense = rows if isinstance(rows, np.ndarray) else rows.toarray()
    return torch.from_numpy(np.array(dense, dtype=np.float64 if dense.dtype == np.float64 else np.float32))


def sparse_tensor(rows: Features) -> Tensor:
    """Sparse rows as a sparse tensor, dense ones as they are. Shapes: (n, F) → (n, F)."""
    if isinstance(rows, np.ndarray):
        return tensor(rows)
    entries = rows.tocoo()
    place = torch.from_numpy(np.stack(entries.coords).astype(np.int64))
    values = torch.from_numpy(entries.data.astype(np.float64))
    return torch.sparse_coo_tensor(place, values, rows.shape, check_invariants=False)


def missing_classes(pair: Pair) -> list[str]:
    """In words, classes that one graph has and the other has not; nothing where one has no labels."""
    if not pair.labeled:
        return []
    only = pair.source.classes - pair.target.classes, pair.target.classes - pair.source.classes
    return [f"only {name} has the classes {_listed(found)}" for name, found in zip(pair.called, only) if found]


def one_origin(pair: Pair) -> list[str]:
    """In words, that both graphs have the same labels node by node, as versions of one graph do; else nothing.

    Labels that are sorted are equal wherever classes are of equal sizes: they tell something only with equal features.
    """
    source, target = pair.source, pair.target
    labels = source.graph.labels
    if not pair.labeled or source.classes != target.classes or not np.array_equal(labels, target.graph.labels):
        return []
    if (np.diff(labels) >= 0).all() and not _equal(source.features, target.features):
        return []
    return [
        f"{pair.called[0]} and {pair.called[1]} have equal labels node by node ({len(labels):,} nodes): their rows are "
        "paired, and p, the A-distance and floors are of independent nodes"
    ]


def _equal(one: Features, other: Features) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return np.array_equal(one, other)
    both_sparse = not isinstance(one, np.ndarray) and not isinstance(other, np.ndarray)
    return both_sparse and one.shape == other.shape and (one != other).nnz == 0


def _classes(data: object) -> frozenset[int]:
    given = getattr(data, "y", None)
    if given is None:
        return frozenset()
    labels = np.asarray(given.detach().cpu() if isinstance(given, Tensor) else given)
    return frozenset(int(label) for label in np.unique(labels) if label >= 0)


def _listed(classes: frozenset[int]) -> str:
    some = sorted(classes)
    return ", ".join(map(str, some[:10])) + (f", … ({len(some)} in all)" if len(some) > 10 else "")


def _compact(features: "np.ndarray | sp.csr_array | None", called: str) -> Features:
    assert features is not None
    stored = np.count_nonzero(features) if isinstance(features, np.ndarray) else features.count_nonzero()
    values = features if isinstance(features, np.ndarray) else features.data
    if not np.isfinite(values).all():
        raise InputError(f"features x of {called} are not all finite: mend or drop those nodes")
    if stored < SPARSE_SHARE * features.shape[0] * features.shape[1]:
        return sp.csr_array(features)
    return features if isinstance(features, np.ndarray) else features.toarray()
