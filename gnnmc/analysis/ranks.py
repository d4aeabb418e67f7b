"""Spearman's correlation with mid-ranks, plain and partial, for one sample and for many resamples at once.

The partial one is the correlation of what is left of both rank vectors after least squares on the ranks of the
controls (Conover 1999, section 5.4; science 1.8).
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]

# Relative size below which a residual is rounding: the ranks are an exact linear function of the controls' ranks.
NOTHING_LEFT = 1e-9


def midranks(values: Array) -> Array:
    """Ranks from 1, ties sharing their mean rank. Shapes: (N,) or (N, S) → the same, ranked down the first axis."""
    from scipy.stats import rankdata  # here: it takes half a second, and every process of a run imports this package

    return np.asarray(rankdata(values, axis=0), dtype=float)


def control_basis(controls: Array) -> Array:
    """An orthonormal basis of the constant and the controls' mid-ranks. Shapes: (N, K) → (N, Q), Q ≤ K + 1."""
    num = len(controls)
    deviations = midranks(controls) - (num + 1) / 2
    left, sizes, _ = np.linalg.svd(deviations, full_matrices=False)
    independent = left[:, sizes > NOTHING_LEFT * max(sizes.max(initial=0.0), 1.0)]
    return np.hstack([np.full((num, 1), num**-0.5), independent])


def residuals(values: Array, basis: Array) -> Array:
    """Unit-length residuals of vectors on a basis; all-NaN where nothing is left. Shapes: (N, S), (N, Q) → (N, S)."""
    left = values - basis @ (basis.T @ values)
    # Twice, because one projection leaves rounding of the order of what was taken away.
    left = left - basis @ (basis.T @ left)
    size = np.linalg.norm(left, axis=0)
    gone = size <= NOTHING_LEFT * np.linalg.norm(values, axis=0)
    return np.where(gone, np.nan, left / np.where(gone, 1.0, size))


def rank_correlations(statistics: Array, outcome: Array, controls: Array) -> Array:
    """Spearman's rho of each statistic with the outcome, given the controls (none: K = 0); NaN where undefined.

    Undefined: a variable that is constant or a function of the controls, or fewer than two degrees of freedom, where
    every correlation is ±1.

    Shapes: (N, S), (N,), (N, K) → (S,).
    """
    basis = control_basis(controls)
    if len(outcome) - basis.shape[1] < 2:
        return np.full(statistics.shape[1], np.nan)
    target = residuals(midranks(outcome)[:, None], basis)
    return np.clip(residuals(midranks(statistics), basis).T @ target, -1.0, 1.0)[:, 0]


class ResampledRanks:
    """Rank correlations in B resamples at once, each given as how often every graph was drawn.

    With C[j, i] = [v_j < v_i] + ½[v_j = v_i], the mid-rank of graph i in a resample with counts w is (w C)_i + ½: one
    matrix product ranks all resamples.

    Shapes: counts (B, N), outcome (N,), controls (N, K).
    """

    def __init__(self, counts: Array, outcome: Array, controls: Array) -> None:
        self._counts = counts
        self._root = np.sqrt(counts)
        self._middle = (counts.sum(axis=1, keepdims=True) + 1) / 2
        self._controls: list[Array] = []
        for control in controls.T:
            self._controls.append(self._left(control))
        self._outcome = self._left(outcome)

    def correlations(self, statistic: Array) -> Array:
        """Rho of one statistic in every resample; NaN where one of the two is constant. Shapes: (N,) → (B,)."""
        return np.clip(_inner(self._left(statistic), self._outcome), -1.0, 1.0)

    def _left(self, values: Array) -> Array:
        """Rank deviations scaled by √count, without the controls, of unit length; NaN where nothing is left."""
        smaller = (values[:, None] < values[None, :]) + 0.5 * (values[:, None] == values[None, :])
        deviations = self._root * (self._counts @ smaller + 0.5 - self._middle)
        left = _without(deviations, self._controls)
        size, whole = np.sqrt(_inner(left, left)), np.sqrt(_inner(deviations, deviations))
        gone = size <= NOTHING_LEFT * np.maximum(whole, 1.0)
        return np.where(gone, np.nan, 1.0)[:, None] * left / np.where(gone, 1.0, size)[:, None]


def _without(deviations: Array, directions: Sequence[Array]) -> Array:
    # A control that is constant in a resample, or a function of the other controls there, has no direction (NaN).
    for direction in directions:
        known = np.nan_to_num(direction)
        deviations = deviations - _inner(deviations, known)[:, None] * known
    return deviations


def _inner(first: Array, second: Array) -> Array:
    return np.asarray(np.einsum("bn,bn->b", first, second))
