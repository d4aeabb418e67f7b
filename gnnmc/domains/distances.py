"""The distances between two domains that need no model, by name."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gnnmc.domains.pair import Pair, sparse_tensor, tensor
from gnnmc.graphstats import degree_distribution, local_homophily_distribution, spectral_distance
from gnnmc.registry import Registry
from gnnmc.similarity import coral, mmd_permutation_test, proxy_a_distance, wasserstein

NAN = float("nan")

_SPLITS = 20  # of one graph's nodes into random halves, which a floor is the mean over


@dataclass(frozen=True)
class Found:
    """One distance: its value, what chance within one graph makes of it (floor) or how likely chance is (p)."""

    value: float
    floor: float = NAN
    p: float = NAN
    computed_from: str = ""
    note: str = ""


@dataclass(frozen=True)
class Distance:
    """One entry of DISTANCES. labels: whether it looks at labels, and is NaN where a graph has none."""

    compute: Callable[[Pair], Found]
    unit: str
    source: str
    labels: bool = False


DISTANCES: Registry[Distance] = Registry("domain distance")


def _feature_mmd(pair: Pair) -> Found:
    found = mmd_permutation_test(*map(tensor, pair.drawn), permutations=pair.permutations, seed=pair.seed)
    widths = ", ".join(f"{bandwidth:.3g}" for bandwidth in found.bandwidths)
    note = f"unbiased; Gaussian kernels of bandwidths {widths}; p takes nodes as independent"
    return Found(found.value, p=found.p_value, computed_from=pair.of_drawn, note=note)


def _coral(pair: Pair) -> Found:
    sizes = pair.source.graph.num_nodes, pair.target.graph.num_nodes
    floors = []
    for name, domain in (("source", pair.source), ("target", pair.target)):
        for one, other in pair.halves(f"CORAL {name}", domain.graph.num_nodes, 1):
            chance = float(coral(*(sparse_tensor(domain.features[np.sort(half)]) for half in (one, other))))
            floors.append(chance * _chance(domain.graph.num_nodes, sizes) ** 2)
    value = float(coral(sparse_tensor(pair.source.features), sparse_tensor(pair.target.features)))
    return Found(value, max(floors), computed_from="features of all nodes")


def _a_distance(pair: Pair) -> Found:
    floors = []
    for name, rows in zip(("source", "target"), pair.drawn):
        for one, other in pair.halves(f"A-distance {name}", rows.shape[0], 1):
            floors.append(proxy_a_distance(sparse_tensor(rows[one]), sparse_tensor(rows[other]), seed=pair.seed).value)
    found = proxy_a_distance(*map(sparse_tensor, pair.drawn), seed=pair.seed)
    note = f"logistic regression, balanced error {found.error:.3g} over {len(found.error_by_fold)} folds"
    return Found(found.value, max(floors), computed_from=pair.of_drawn, note=note)


def _degrees(pair: Pair) -> Found:
    return _on_the_line(pair, "degrees", *(degree_distribution(side.graph) for side in (pair.source, pair.target)))


def _local_homophily(pair: Pair) -> Found:
    shares = [local_homophily_distribution(side.graph) for side in (pair.source, pair.target)]
    if not all(map(len, shares)):
        return Found(NAN, note="a graph has fewer than two classes, or no edge between labeled nodes")
    return _on_the_line(pair, "shares of neighbors of a node's own class", *shares)


def _on_the_line(pair: Pair, of: str, one: np.ndarray, other: np.ndarray) -> Found:
    sizes = len(one), len(other)
    floor = max(_floor_of(pair, f"{of} {name}", values, sizes) for name, values in (("source", one), ("target", other)))
    counts = f"{len(one):,} and {len(other):,} nodes"
    return Found(wasserstein(one, other), floor, computed_from=f"{of}, {counts}")


def _floor_of(pair: Pair, purpose: str, values: np.ndarray, sizes: tuple[int, int]) -> float:
    """Mean W₁ between random halves of one graph's nodes, as large as it would be between samples of these sizes."""
    if len(values) < 2:
        return NAN
    halves = pair.halves(purpose, len(values), _SPLITS)
    return _chance(len(values), sizes) * float(
        np.mean([wasserstein(values[one], values[other]) for one, other in halves])
    )


def _chance(count: int, sizes: tuple[int, int]) -> float:
    """Chance between samples of these sizes over that between halves of so many items: it goes as √(1/n + 1/m)."""
    return float(np.sqrt((1 / sizes[0] + 1 / sizes[1]) / (4 / count)))


def _spectral(pair: Pair) -> Found:
    found = spectral_distance(pair.source.graph, pair.target.graph, seed=pair.seed)
    accuracy = "exact" if found.exact else f"by Lanczos quadrature, off by about {found.error:.2g} at most"
    return Found(found.value, computed_from="normalized Laplacians of all nodes", note=f"{accuracy}; no floor")


def _homophily_gap(pair: Pair) -> Found:
    # Of the arcs of an undirected graph the first half has every edge once.
    same = [side.graph.label_arcs.same for side in (pair.source, pair.target)]
    edges = [arcs[: len(arcs) // 2].astype(float) for arcs in same]
    if min(map(len, edges)) < 2 or min(pair.source.graph.num_classes, pair.target.graph.num_classes) < 2:
        return Found(NAN, note="a graph has fewer than two classes, or edges between labeled nodes")
    floors = []
    for name, values in zip(("source", "target"), edges):
        halves = pair.halves(f"homophily {name}", len(values), _SPLITS)
        chance = np.mean([abs(values[one].mean() - values[other].mean()) for one, other in halves])
        floors.append(chance * _chance(len(values), (len(edges[0]), len(edges[1]))))
    homophily = [float(values.mean()) for values in edges]
    note = f"edge homophily {homophily[0]:.4g} and {homophily[1]:.4g}; floor from halves of the edges"
    value = abs(homophily[0] - homophily[1])
    return Found(value, float(max(floors)), computed_from="edges between labeled nodes", note=note)


DISTANCES.add("feature_mmd", Distance(_feature_mmd, "squared, sum of 5 kernels", "Gretton et al. 2012"))
DISTANCES.add("coral", Distance(_coral, "fourth power of the features' unit", "Sun and Saenko 2016"))
DISTANCES.add("a_distance", Distance(_a_distance, "2(1 − 2·error), at most 2", "Ben-David et al. 2007"))
DISTANCES.add("degree_w1", Distance(_degrees, "neighbors", "science 1.7"))
DISTANCES.add("local_homophily_w1", Distance(_local_homophily, "share of neighbors", "science 1.7", labels=True))
DISTANCES.add("spectral", Distance(_spectral, "eigenvalue, in [0, 2]", "Gu, Hua and Liu 2015"))
DISTANCES.add("homophily_gap", Distance(_homophily_gap, "share of edges", "science 1.7", labels=True))
