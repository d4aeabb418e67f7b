"""How far apart the classes lie in feature space, before any edge is looked at and after two rounds of it.

Science 1.7.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import scipy.sparse as sp

from gnnmc.graphstats.rows import CHUNK_VALUES, Rows, row_chunks
from gnnmc.graphstats.simple_graph import SimpleGraph
from gnnmc.graphstats.statistic import NAN, statistic

HOPS = 2
"""Rounds of propagation before `separability_propagated_fisher`: what two layers see."""


@statistic("separability_fisher", unit="ratio of variances", source="Fisher 1936; science 1.7")
def separability_fisher(graph: SimpleGraph) -> float:
    """Fisher ratio tr S_B / tr S_W: scatter of the features between classes over scatter within.

    Over the labeled nodes. NaN where it is undefined: without features, without two classes, when no class varies
    within (tr S_W = 0), or when a labeled node has a feature that is not finite: leaving that node or that feature out
    would give the ratio of other data without saying so.
    """
    if graph.features is None or graph.num_classes < 2:
        return NAN
    labeled = graph.labels >= 0
    return _fisher_ratio(graph, [graph.features if labeled.all() else graph.features[labeled]])


@statistic(
    "separability_propagated_fisher",
    unit="ratio of variances",
    source="Baranwal et al. 2021 (arXiv 2102.06966), Wu et al. 2019 (arXiv 1902.07153); science 1.7",
    cost="heavy",
)
def separability_propagated_fisher(graph: SimpleGraph) -> float:
    """Fisher ratio of the propagated features Â²X, Â = D̃^-½(A+I)D̃^-½: what a two-layer GCN sees of the classes.

    Propagated over the whole graph, compared over the labeled nodes; as stored, along the arcs. NaN as
    `separability_fisher`, and when a node from which something reaches a labeled one has a feature that is not finite.
    """
    if graph.features is None or graph.num_classes < 2:
        return NAN
    return _fisher_ratio(graph, _propagated(graph, graph.features))


def _propagated(graph: SimpleGraph, features: Rows) -> Iterator[np.ndarray]:
    """Columns of Â²X at the labeled nodes, a few at a time: propagated features are dense."""
    columns = features if isinstance(features, np.ndarray) else features.tocsc()
    last = graph.propagation[graph.labels >= 0]
    width = max(1, CHUNK_VALUES // max(1, graph.num_nodes))
    for start in range(0, features.shape[1], width):
        block = columns[:, start : start + width].astype(np.float64)
        block = block if isinstance(block, np.ndarray) else block.toarray()
        for _ in range(HOPS - 1):
            block = graph.propagation @ block
        yield last @ block


def _fisher_ratio(graph: SimpleGraph, parts: Iterable[Rows]) -> float:
    """tr S_B / tr S_W of the labeled nodes' features, given in blocks of columns: both traces are sums over them."""
    labels = graph.labels[graph.labels >= 0]
    between = within = squares = 0.0
    # features that are not finite, or whose squares are not, make the scatters so
    with np.errstate(over="ignore", invalid="ignore"):
        for part in parts:
            scatter = _sparse_scatter if sp.issparse(part) else _dense_scatter
            sums = scatter(part, labels, graph.class_sizes)
            between, within, squares = between + sums[0], within + sums[1], squares + sums[2]
    # a sum of n terms is off by up to n roundings: a scatter this small is that of the computed means, not of the data
    rounding = (len(labels) * np.finfo(np.float64).eps) ** 2 * squares
    if not np.isfinite(between + within) or within <= rounding:
        return NAN
    return between / within


def _dense_scatter(x: np.ndarray, labels: np.ndarray, sizes: np.ndarray) -> tuple[float, float, float]:
    """tr S_B, tr S_W and the sum of squares; in two passes over chunks, since the one-pass form cancels."""
    totals = np.zeros((len(sizes), x.shape[1]))
    for rows, chunk in row_chunks(x):
        totals += _membership(labels[rows], len(sizes)) @ chunk
    means = totals / sizes[:, None]
    within = squares = 0.0
    for rows, chunk in row_chunks(x):
        squares += float((chunk**2).sum())
        within += float(((chunk - means[labels[rows]]) ** 2).sum())
    return _between(means, sizes), within, squares


def _sparse_scatter(x: sp.csr_array, labels: np.ndarray, sizes: np.ndarray) -> tuple[float, float, float]:
    """The same from the stored entries: each adds (x - mu)^2, each entry left out adds mu^2. Nothing cancels."""
    x = sp.coo_array(x.astype(np.float64))
    row, column = x.coords
    shape = (len(sizes), x.shape[1])
    totals = sp.coo_array((x.data, (labels[row], column)), shape=shape).toarray()
    stored = sp.coo_array((np.ones(len(row)), (labels[row], column)), shape=shape).toarray()
    means = totals / sizes[:, None]
    within = float(((x.data - means[labels[row], column]) ** 2).sum())
    within += float(((sizes[:, None] - stored) * means**2).sum())
    return _between(means, sizes), within, float((x.data**2).sum())


def _between(means: np.ndarray, sizes: np.ndarray) -> float:
    grand = (sizes[:, None] * means).sum(0) / sizes.sum()
    return float((sizes[:, None] * (means - grand) ** 2).sum())


def _membership(labels: np.ndarray, num_classes: int) -> sp.csr_array:
    """Ones at (class of row i, i), (C, rows)."""
    ones = np.ones(len(labels))
    return sp.csr_array((ones, (labels, np.arange(len(labels)))), shape=(num_classes, len(labels)))
