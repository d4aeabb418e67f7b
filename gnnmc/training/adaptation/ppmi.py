"""Which nodes meet on random walks more often than by chance: the global view of a graph."""

import numpy as np
import scipy.sparse as sp

from gnnmc.seeding import numpy_generator


def ppmi(edges: np.ndarray, num_nodes: int, *, walks: int, length: int, neighbors: int) -> sp.csr_array:
    """Positive pointwise mutual information of a node and those that its walks visit, symmetric and sparse.

    log p(b|a)/p(b) where above 0, p(b|a) the share of b among the visits of a's walks and p(b) its mean over all a.
    walks: from every node, each of a length drawn from 1 … length. neighbors: the strongest pairs of every node are
    kept; of both directions of a pair the larger value. A node without neighbors has none, and none with itself.

    Shapes: edges (2, E), taken in both directions; returns (N, N).
    """
    rows, columns = np.concatenate([edges, edges[::-1]], axis=1)
    graph = sp.csr_array((np.ones(len(rows)), (rows, columns)), shape=(num_nodes, num_nodes))
    graph.sum_duplicates()
    degree = np.diff(graph.indptr)
    starts = np.flatnonzero(degree)
    generator = numpy_generator("ppmi", "walks")
    visits = sp.csr_array((num_nodes, num_nodes))
    for _ in range(walks):
        here, left = starts, generator.integers(1, length + 1, len(starts))
        begun = starts
        for step in range(length):
            on = left > step
            begun, here, left = begun[on], here[on], left[on]
            here = graph.indices[graph.indptr[here] + generator.integers(0, degree[here])]
            visits = visits + sp.csr_array((np.ones(len(here)), (begun, here)), shape=visits.shape)
    share = visits.multiply(1.0 / np.maximum(visits.sum(axis=1), 1.0)[:, None]).tocsr()
    mean = share.sum(axis=0) / max(len(starts), 1)
    information = share.tocoo()
    kept = information.row != information.col
    row, column = information.row[kept], information.col[kept]
    value = np.log(information.data[kept] / mean[column])
    positive = value > 0
    pairs = sp.csr_array((value[positive], (row[positive], column[positive])), shape=visits.shape)
    strongest = _strongest(pairs.maximum(pairs.T).tocoo(), neighbors)
    return strongest.maximum(strongest.T).tocsr()


def _strongest(pairs: sp.coo_array, most: int) -> sp.csr_array:
    """The largest values of every row, so many at most."""
    order = np.lexsort((pairs.col, -pairs.data, pairs.row))
    row, column, value = pairs.row[order], pairs.col[order], pairs.data[order]
    kept = np.arange(len(row)) - np.searchsorted(row, row) < most
    return sp.csr_array((value[kept], (row[kept], column[kept])), shape=pairs.shape)
