"""Inference over clusters: which graphs a resample holds, which places clusters may exchange (science 1.8).

A cluster is an independently generated or collected base graph; its graphs (rewired versions, twins) stay together.
"""

from itertools import permutations, product
from math import factorial, prod

import numpy as np
from numpy.typing import NDArray

from gnnmc.analysis.ranks import Array, control_basis, midranks, residuals
from gnnmc.errors import InputError
from gnnmc.numbers import real_number, whole_number

Indices = NDArray[np.intp]


def cluster_counts(clusters: Indices, resamples: int, rng: np.random.Generator) -> Array:
    """How often every graph is drawn when K clusters are drawn with replacement. Shapes: (N,) → (resamples, N)."""
    num = int(clusters.max()) + 1
    drawn = rng.integers(num, size=(resamples, num)) + num * np.arange(resamples)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=resamples * num).reshape(resamples, num)
    return counts[:, clusters].astype(float)


def count_arrangements(clusters: Indices, kinds: Indices | None = None) -> int:
    """In how many ways clusters can exchange places with clusters of their own size (1: nothing can move)."""
    return prod(factorial(len(rows)) for rows in _equal_sizes(clusters, kinds))


def arrangements(
    clusters: Indices, limit: int, rng: np.random.Generator, kinds: Indices | None = None
) -> tuple[Indices, bool]:
    """Rows of the graphs after clusters exchanged places, and whether these are all arrangements there are.

    Whole clusters move, and only to places of clusters of equal size, so an arrangement is as likely as the observed
    one when outcome and statistic are unrelated between clusters, whatever goes on within them. All arrangements are
    listed when there are at most `limit`; otherwise `limit` random ones are drawn. Where every cluster is of a kind,
    only clusters of one kind exchange places, row for row in the order of the sample.

    Shapes: (N,), kinds one per cluster → (A, N).
    """
    strata = _equal_sizes(clusters, kinds)
    exact = count_arrangements(clusters, kinds) <= limit
    if exact:
        combined = list(product(*(list(permutations(range(len(rows)))) for rows in strata)))
        orders = [np.array([choice[place] for choice in combined]) for place in range(len(strata))]
    else:
        orders = [rng.permuted(np.tile(np.arange(len(rows)), (limit, 1)), axis=1) for rows in strata]
    moved = np.tile(np.arange(len(clusters)), (len(orders[0]), 1))
    for rows, order in zip(strata, orders):
        moved[:, rows.ravel()] = rows[order].reshape(len(order), -1)
    return moved, exact


def permuted_correlations(statistics: Array, outcome: Array, controls: Array, moved: Indices) -> Array:
    """Rank correlations after the outcome's clusters exchanged places. Shapes: (N, S), (N,), (N, K), (A, N) → (A, S).

    With controls, what is exchanged are the residuals of the outcome's ranks on the controls' ranks (Freedman and Lane
    1983; Anderson and Robinson 2001), an approximate test; without them it is the exact permutation test.
    """
    basis = control_basis(controls)
    exchanged = residuals(midranks(outcome)[:, None], basis)[:, 0][moved]
    # The fitted part returns after the exchange, but it lies in the controls' span, which both residuals leave out.
    lost = np.square(exchanged @ basis).sum(axis=1)
    size = np.sqrt(np.clip(np.square(exchanged).sum(axis=1) - lost, 0.0, None))[:, None]
    raw = exchanged @ residuals(midranks(statistics), basis)
    return np.divide(raw, size, out=np.zeros_like(raw), where=size > 1e-12)


def permuted_cluster_values(
    statistic: Array, outcome: Array, clusters: Indices, limit: int, rng: np.random.Generator
) -> tuple[Array, bool]:
    """Rank correlations after the clusters exchanged the values of a statistic that each holds constant.

    Such a statistic belongs to the cluster, so its values may move between clusters of any size. Ranks are taken anew,
    since a value that moves to a larger cluster is shared by more graphs.

    Shapes: (N,), (N,), (N,) → (A,), and whether these are all arrangements there are.
    """
    _, first, sizes = np.unique(clusters, return_index=True, return_counts=True)
    values = statistic[first]
    orders, exact = arrangements(np.arange(len(values)), limit, rng)
    deviations = midranks(outcome) - (len(outcome) + 1) / 2
    sums = np.bincount(clusters, weights=deviations)
    # orders[a, k] is the cluster that holds value k: its size is how many graphs share the value.
    held = sizes[orders].astype(float)
    smaller = (values[:, None] < values[None, :]) + 0.5 * (values[:, None] == values[None, :])
    ranks = held @ smaller + 0.5 - (len(outcome) + 1) / 2
    size = np.sqrt(np.square(deviations).sum() * (held * np.square(ranks)).sum(axis=1))
    return (ranks * sums[orders]).sum(axis=1) / size, exact


def permutation_p_value(observed: float, permuted: Array, exact: bool) -> float:
    """Two-sided: the share of arrangements with a correlation at least as far from zero as the observed one.

    The list of all arrangements holds the observed one; among random ones it is counted as one more (Phipson and Smyth
    2010), so that p is never 0.
    """
    as_far = int((np.abs(permuted) >= abs(observed) - 1e-12).sum())
    return as_far / len(permuted) if exact else (as_far + 1) / (len(permuted) + 1)


def percentiles(values: Array, confidence: float) -> tuple[float, float]:
    """Both ends of the percentile interval of resampled values; NaN where half of them or more are not defined."""
    known = values[np.isfinite(values)]
    if len(known) <= len(values) / 2:
        return float("nan"), float("nan")
    tail = (1 - confidence) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return float(low), float(high)


def check_resampling(permutations: int, bootstrap: int, confidence: float) -> None:
    """Refuse numbers of resamples below 1 and a level that is none."""
    for name, value in (("permutations", permutations), ("bootstrap", bootstrap)):
        whole_number(name, value, least=1)
    if not 0 < real_number("confidence", confidence, zero=True) < 1:
        raise InputError(f"confidence={confidence} is out of range: a number between 0 and 1 is needed, e.g. 0.95")


def _equal_sizes(clusters: Indices, kinds: Indices | None = None) -> list[Indices]:
    """Rows of the graphs of clusters of one size (and kind). Shapes: (N,) → one (clusters of it, size) per size."""
    sizes = np.bincount(clusters)
    order = np.argsort(clusters, kind="stable")
    starts = np.cumsum(sizes) - sizes
    labels = np.stack([np.zeros_like(sizes) if kinds is None else kinds, sizes], axis=1)
    return [
        order[starts[np.flatnonzero((labels == label).all(axis=1))][:, None] + np.arange(label[1])[None, :]]
        for label in np.unique(labels, axis=0)
    ]
