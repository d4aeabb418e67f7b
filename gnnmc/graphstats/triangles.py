"""Triangles through each node, counted exactly.

Edges are turned from the end of lower degree to the other (Chiba & Nishizeki 1985; Latapy 2008): no node then has more
than √(2|E|) edges going out, hubs included, and the work is at most |E|·√(2|E|).
"""

from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp

_CHUNK_PATHS = 2**22  # paths of two edges held at a time


def count_triangles(adjacency: sp.csr_array) -> np.ndarray:
    """Triangles through each node, (N,).

    Shapes:
        adjacency: (N, N), symmetric, entries 1, without self-loops.
    """
    degrees = np.diff(adjacency.indptr)
    rank = np.empty(len(degrees), dtype=np.int64)
    rank[np.argsort(degrees, kind="stable")] = np.arange(len(degrees))
    edges = adjacency.tocoo()
    row, column = rank[edges.coords[0]], rank[edges.coords[1]]
    up = row < column
    outward = sp.csr_array((np.ones(int(up.sum())), (row[up], column[up])), shape=adjacency.shape)
    # u < v < w: paths u→v→w that the edge u→w closes give u and w, pairs v, w out of u that v→w closes give v
    counts = np.zeros(len(degrees))
    for rows, part in _chunks(outward, outward):
        closed = (part @ outward) * part
        counts[rows] += closed.sum(axis=1)
        counts += closed.sum(axis=0)
    inward = outward.T.tocsr()
    for rows, part in _chunks(inward, outward):
        counts[rows] += ((part @ outward) * outward[rows]).sum(axis=1)
    return counts[rank]


def _chunks(first: sp.csr_array, second: sp.csr_array) -> Iterator[tuple[slice, sp.csr_array]]:
    """Rows of `first` at a time, so many that its product with `second` takes about `_CHUNK_PATHS` multiplications."""
    work = np.cumsum(first @ np.diff(second.indptr).astype(np.float64))
    start = 0
    while start < first.shape[0]:
        done = work[start - 1] if start else 0.0
        stop = max(start + 1, int(np.searchsorted(work, done + _CHUNK_PATHS, side="right")))
        yield slice(start, stop), first[start:stop]
        start = stop
