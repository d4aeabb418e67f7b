"""Kendall's tau_b as counts of pairs between clusters, so that resamples of clusters need no new look at the rows.

With S[c, d] the sum of sign(x_i − x_j)·sign(y_i − y_j) over i in cluster c and j in d, and U the numbers of pairs that
are not tied, tau_b is ΣS/√(ΣU_x·ΣU_y). A resample that holds cluster c w_c times has w_c·w_d times the pairs between
two clusters and w_c times those within one. Copies of a cluster are not compared with each other: pairs within
clusters, which may be quite unlike others, would count twice as much as in the sample (in 300 trials of 15 graphs the
95 % intervals held the population's tau 80 % of the time so, and 92 % as it is done here).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gnnmc.analysis.ranks import Array
from gnnmc.analysis.resampling import Indices

# Rows compared at once: signs of this many rows with all others are held in memory.
_CHUNK = 512


@dataclass(frozen=True)
class Concordance:
    """Pairs of rows between clusters: concordant less discordant, and not tied in x, in y.

    Shapes: (K, K) each, symmetric; every pair counts twice, once in either order.
    """

    signs: Array
    untied_x: Array
    untied_y: Array

    def __add__(self, other: "Concordance") -> "Concordance":
        return Concordance(self.signs + other.signs, self.untied_x + other.untied_x, self.untied_y + other.untied_y)

    def tau(self) -> float:
        """Tau_b of the rows; NaN where all are tied."""
        return float(self.resampled(np.ones((1, len(self.signs))))[0])

    def resampled(self, counts: Array) -> Array:
        """Tau_b of resamples that hold every cluster so many times. Shapes: (B, K) → (B,)."""
        top, x, y = (pairs_held(each, counts) for each in (self.signs, self.untied_x, self.untied_y))
        size = np.sqrt(x * y)
        return np.clip(np.divide(top, size, out=np.full(len(counts), np.nan), where=size > 0), -1.0, 1.0)


def pairs_held(sums: Array, counts: Array) -> Array:
    """Sums over pairs of rows, given between clusters, in resamples. Shapes: (K, K), (B, K) → (B,)."""
    within = np.diag(sums)
    return np.einsum("bk,bk->b", counts @ (sums - np.diag(within)), counts) + counts @ within


def concordance(x: Array, y: Array, clusters: Indices, num_clusters: int, strata: Indices | None = None) -> Concordance:
    """The counts of all pairs of rows, or of those within strata only (Taylor 1987).

    Shapes: x, y, clusters, strata (N,), clusters numbered from 0 to num_clusters − 1.
    """
    empty = np.zeros((num_clusters, num_clusters))
    found = Concordance(empty, empty, empty)
    groups = [np.arange(len(x))] if strata is None else [np.flatnonzero(strata == each) for each in np.unique(strata)]
    for rows in groups:
        ranks = [np.unique(values[rows], return_inverse=True)[1] for values in (x, y)]
        own = clusters[rows]
        found += Concordance(
            _sign_sums(ranks[0], ranks[1], own, num_clusters),
            *(_untied(each, own, num_clusters) for each in ranks),
        )
    return found


def _sign_sums(x: Indices, y: Indices, clusters: Indices, num_clusters: int) -> Array:
    order = np.argsort(clusters, kind="stable")
    # The narrowest integers that hold the ranks: comparing is most of the work.
    kind = np.int16 if len(x) < 2**15 else np.int32
    x, y, clusters = x[order].astype(kind), y[order].astype(kind), clusters[order]
    present, starts = np.unique(clusters, return_index=True)
    sums = np.zeros((num_clusters, len(present)))
    for first in range(0, len(x), _CHUNK):
        rows = slice(first, first + _CHUNK)
        signs = _signs(x[rows], x)
        signs *= _signs(y[rows], y)
        np.add.at(sums, clusters[rows], np.add.reduceat(signs, starts, axis=1, dtype=np.int32))
    found = np.zeros((num_clusters, num_clusters))
    found[:, present] = sums
    return found


def _signs(rows: Indices, others: Indices) -> NDArray[np.int8]:
    above = (rows[:, None] > others[None, :]).view(np.int8)
    above -= (rows[:, None] < others[None, :]).view(np.int8)
    return above


def _untied(ranks: Indices, clusters: Indices, num_clusters: int) -> Array:
    from scipy.sparse import csr_array

    ones = np.ones(len(ranks))
    held = csr_array((ones, (clusters, ranks)), shape=(num_clusters, int(ranks.max(initial=-1)) + 1))
    sizes = np.bincount(clusters, minlength=num_clusters).astype(float)
    return np.asarray(np.outer(sizes, sizes) - (held @ held.T).toarray())
