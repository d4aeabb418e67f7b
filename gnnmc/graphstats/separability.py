"""How far apart the classes lie in feature space, before any edge is looked at (science 1.7)."""

from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp

from gnnmc.graphstats.simple_graph import SimpleGraph
from gnnmc.graphstats.statistic import NAN, statistic

_CHUNK_VALUES = 2**22  # features turned to float64 at a time: 32 MiB


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
    labels = graph.labels[labeled]
    features = graph.features if labeled.all() else graph.features[labeled]
    scatter = _sparse_scatter if sp.issparse(features) else _dense_scatter
    # features that are not finite, or whose squares are not, make the scatters so
    with np.errstate(over="ignore", invalid="ignore"):
        between, within, squares = scatter(features, labels, graph.class_sizes)
    # a sum of n terms is off by up to n roundings: a scatter this small is that of the computed means, not of the data
    rounding = (len(labels) * np.finfo(np.float64).eps) ** 2 * squares
    if not np.isfinite(between + within) or within <= rounding:
        return NAN
    return between / within


def _dense_scatter(x: np.ndarray, labels: np.ndarray, sizes: np.ndarray) -> tuple[float, float, float]:
    """tr S_B, tr S_W and the sum of squares; in two passes over chunks, since the one-pass form cancels."""
    totals = np.zeros((len(sizes), x.shape[1]))
    for rows, chunk in _chunks(x):
        totals += _membership(labels[rows], len(sizes)) @ chunk
    means = totals / sizes[:, None]
    within = squares = 0.0
    for rows, chunk in _chunks(x):
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


def _chunks(x: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    height = max(1, _CHUNK_VALUES // max(1, x.shape[1]))
    for start in range(0, len(x), height):
        rows = slice(start, start + height)
        yield rows, x[rows].astype(np.float64)


def _membership(labels: np.ndarray, num_classes: int) -> sp.csr_array:
    """Ones at (class of row i, i), (C, rows)."""
    ones = np.ones(len(labels))
    return sp.csr_array((ones, (labels, np.arange(len(labels)))), shape=(num_classes, len(labels)))
