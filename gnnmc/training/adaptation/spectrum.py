"""The high frequencies of a graph."""

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import eigsh

from gnnmc.seeding import numpy_generator

# Above this share of all eigenvectors, or below this many nodes, all of them are computed and the first taken.
_SHARE, _FEW = 0.3, 400


def high_frequencies(edges: np.ndarray, num_nodes: int, count: int) -> np.ndarray:
    """Eigenvectors of the Laplacian D − A for its largest eigenvalues, largest first; at most all of them.

    Shapes: edges (2, E), taken in both directions, loops left out; returns (min(count, N), N), rows of length 1.
    """
    edges = edges[:, edges[0] != edges[1]]
    rows, columns = np.concatenate([edges, edges[::-1]], axis=1)
    adjacency = sp.csr_array((np.ones(len(rows)), (rows, columns)), shape=(num_nodes, num_nodes))
    adjacency.sum_duplicates()
    adjacency.data[:] = 1.0
    laplacian = sp.csr_array(sp.diags_array(adjacency.sum(axis=1)) - adjacency)
    if num_nodes <= _FEW or count > _SHARE * num_nodes:
        vectors = np.linalg.eigh(laplacian.toarray())[1]
    else:
        start = numpy_generator("spectrum", "start").standard_normal(num_nodes)
        values, vectors = eigsh(laplacian, k=count, which="LA", v0=start)
        vectors = vectors[:, np.argsort(values)]
    return np.ascontiguousarray(vectors[:, ::-1][:, :count].T)
