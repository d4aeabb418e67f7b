"""The two ends of the spectrum of Â = D̃^-½(A+I)D̃^-½ on a connected graph, its known top eigenvector taken out.

Lanczos 1950 in its plain form: without orthogonalizing against all earlier vectors, rounding only repeats eigenvalues
that have been found (Paige 1980), and the ends are all that is asked for. So a step costs one product and the memory
is three vectors.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp
from scipy.linalg import cho_solve_banded, cholesky_banded, eigh_tridiagonal
from scipy.sparse.csgraph import reverse_cuthill_mckee

from gnnmc.seeding import numpy_generator

Array: TypeAlias = np.ndarray

DENSE_NODES = 256
"""Up to here all eigenvalues are computed."""

ACCURACY = 1e-6
"""A gap above `DENSE_NODES` is off by at most this share of itself, or it is NaN."""

_WORK = 4e9  # entries read by Lanczos steps before they are given up: about ten seconds
_FIRST_STEPS = 400  # enough for most graphs; the others may be narrow
_BAND_WORK = 2e9  # multiplications of a banded Cholesky factorization: about a second
_BAND_VALUES = 2**25  # and its size: 256 MiB


def spectral_gaps(adjacency: sp.csr_array, components: Array) -> tuple[float, float]:
    """1-λ₂ and 1-max(|λ₂|, |λ_n|) = min(1-λ₂, 1+λ_n) of Â on the largest component; the least when several are largest.

    All eigenvalues up to `DENSE_NODES` nodes; beyond, a gap is off by at most the share `ACCURACY` of itself, and it is
    NaN where the steps allowed do not reach that. NaN too for a component of one node: it has no second eigenvalue.

    Shapes:
        adjacency: (N, N), symmetric, without self-loops. components: (N,) number of the component of each node.
    """
    sizes = np.bincount(components)
    size = int(sizes.max(initial=0))
    if size < 2:
        return np.nan, np.nan
    largest = np.flatnonzero(sizes == size)
    inside = np.flatnonzero(np.isin(components, largest))
    nodes = inside[np.argsort(components[inside], kind="stable")].reshape(len(largest), size)
    found = (
        [_dense_gaps(adjacency, part) for part in node_batches(nodes)]
        if size <= DENSE_NODES
        else [_sparse_gaps(adjacency[part][:, part]) for part in nodes]
    )
    algebraic, modulus = np.array(found).min(axis=0)  # a NaN among them makes the least unknown
    return float(algebraic), float(modulus)


def node_batches(nodes: Array) -> list[Array]:
    """Rows of `nodes` at a time, so many that their dense matrices have 2²² entries."""
    height = max(1, 2**22 // nodes.shape[1] ** 2)
    return [nodes[start : start + height] for start in range(0, len(nodes), height)]


def _dense_gaps(adjacency: sp.csr_array, nodes: Array) -> tuple[float, float]:
    """The least gaps of the components whose nodes are the rows of `nodes`, (K, n)."""
    count, size = nodes.shape
    entries = adjacency[nodes.ravel()][:, nodes.ravel()].tocoo()
    row, column = entries.coords
    normalized = np.zeros((count, size, size))
    normalized[row // size, row % size, column % size] = entries.data
    normalized[:, range(size), range(size)] = 1.0
    scale = 1.0 / np.sqrt(normalized.sum(axis=2))
    eigenvalues = np.linalg.eigvalsh(scale[:, :, None] * normalized * scale[:, None, :])
    gap = 1.0 - float(eigenvalues[:, -2].max())
    return gap, min(gap, 1.0 + float(eigenvalues[:, 0].min()))


def _sparse_gaps(adjacency: sp.csr_array) -> tuple[float, float]:
    """The gaps of a connected graph with the adjacency (n, n)."""
    degrees = adjacency.sum(axis=1) + 1.0
    top = np.sqrt(degrees / degrees.sum())  # the eigenvector of the eigenvalue 1
    scale = 1.0 / np.sqrt(degrees)

    def apply(x: Array) -> Array:
        scaled = scale * x
        y = scale * (adjacency @ scaled + scaled)
        return y - top * (top @ y)

    inverted: float | None = None

    def gap(ends: "_Ends") -> float:
        if inverted is not None:
            return inverted
        return 1.0 - ends.high if ends.high_error <= ACCURACY * (1.0 - ends.high) else np.nan

    def gap_below(ends: "_Ends") -> float:
        # 1+λ_n has to be known only where it is the lesser
        if 1.0 + ends.low - ends.low_error > gap(ends):
            return np.inf
        return 1.0 + ends.low if ends.low_error <= ACCURACY * (1.0 + ends.low) else np.nan

    def both(ends: "_Ends") -> bool:
        return not np.isnan(gap(ends) + gap_below(ends))

    most = int(_WORK / (adjacency.nnz + 8 * len(degrees)))
    ends = _lanczos(apply, top, both, min(most, _FIRST_STEPS))
    if not both(ends):
        inverted = _gap_by_inverse(adjacency, degrees, top)
    if not both(ends) and most > _FIRST_STEPS:
        ends = _lanczos(apply, top, both, most)
    # λ_n alone decides nothing: a NaN of either is one of the modulus
    return gap(ends), float(np.minimum(gap(ends), gap_below(ends)))


@dataclass(frozen=True)
class _Ends:
    """The least and the largest Ritz value; an eigenvalue lies within `error` of each."""

    low: float
    low_error: float
    high: float
    high_error: float


def _lanczos(apply: Callable[[Array], Array], top: Array, enough: Callable[[_Ends], bool], most: int) -> _Ends:
    """The ends of the spectrum of a symmetric operator on the complement of `top`, after at most `most` steps."""
    vector = numpy_generator("Lanczos", len(top)).normal(size=len(top))
    vector -= top * (top @ vector)
    vector /= np.linalg.norm(vector)
    before = np.zeros_like(vector)
    diagonal: list[float] = []
    coupling: list[float] = []
    look = 16
    while True:
        following = apply(vector)
        diagonal.append(float(vector @ following))
        following -= diagonal[-1] * vector
        if coupling:
            following -= coupling[-1] * before
        size = float(np.linalg.norm(following))
        # nothing left to see: the start vector has no part in any other eigenvector (both operators' norms are near 1
        # or above)
        ended = size <= 1e-14 or len(diagonal) >= most
        if ended or len(diagonal) == look:
            ends = _ends(np.array(diagonal), np.array(coupling), size)
            if ended or enough(ends):
                return ends
            look = look * 5 // 4
        coupling.append(size)
        before, vector = vector, following / size


def _ends(diagonal: Array, coupling: Array, rest: float) -> _Ends:
    """Of the tridiagonal matrix so far; `rest` couples it to what has not been seen."""
    last = len(diagonal) - 1
    found = []
    for which in (0, last):
        value, vector = eigh_tridiagonal(diagonal, coupling, select="i", select_range=(which, which))
        found += [float(value[0]), rest * abs(float(vector[-1, 0]))]
    return _Ends(*found)


def _gap_by_inverse(adjacency: sp.csr_array, degrees: Array, top: Array) -> float | None:
    """1-λ₂ by inverting I-Â, for graphs narrow enough: chains and grids, where the gap is tiny and Lanczos slow.

    I-Â = D̃^-½ L D̃^-½ with L = D-A, the loops cancel. One node is grounded, so that what is left of L can be factored:
    it has whole numbers as entries, and no digit of a tiny gap is lost. None when the graph is not narrow.
    """
    order = reverse_cuthill_mckee(adjacency, symmetric_mode=True)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    entries = adjacency.tocoo()
    row, column = place[entries.coords[0]], place[entries.coords[1]]
    width, free = int((row - column).max()), len(order) - 1
    if free * width**2 > _BAND_WORK or free * (width + 1) > _BAND_VALUES:
        return None
    band = np.zeros((width + 1, free))
    band[0] = degrees[order][:-1] - 1.0
    below = (row > column) & (row < free)
    band[(row - column)[below], column[below]] = -entries.data[below]
    factor = cholesky_banded(band, overwrite_ab=True, lower=True)
    root = np.sqrt(degrees)

    def apply(x: Array) -> Array:
        y = np.zeros_like(x)
        y[order[:-1]] = cho_solve_banded((factor, True), (root * x)[order[:-1]], overwrite_b=True)
        y *= root
        return y - top * (top @ y)

    ends = _lanczos(apply, top, lambda ends: ends.high_error <= ACCURACY * ends.high, 500)
    return 1.0 / ends.high if ends.high_error <= ACCURACY * ends.high else None
