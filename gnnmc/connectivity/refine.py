"""Refinement of a profile's grid where the loss is highest above the chord (science 0, row grid)."""

import operator
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from gnnmc.connectivity.barrier import chord_excess
from gnnmc.connectivity.path import Floats
from gnnmc.errors import InputError

# Coordinates -> values there. Shapes: K coordinates -> (K, ...).
Measure: TypeAlias = Callable[[Sequence[float]], Floats]

# Points that `refine=True` may add for each split: from a grid of 25 they bring the maximum to within TOLERANCE.
REFINEMENTS = 16
TOLERANCE = 1e-4

# The smaller part of a golden section.
_GOLDEN = (3 - 5**0.5) / 2


def refinements(refine: object) -> int:
    """How many points a split may add: none for False, REFINEMENTS for True, or the whole number given.

    Raises InputError for anything else.
    """
    if isinstance(refine, bool | np.bool_):
        return REFINEMENTS if refine else 0
    try:
        number = operator.index(refine)  # type: ignore[arg-type]  # what has no index raises
    except TypeError:
        number = -1
    if number < 0:
        raise InputError(
            f"refine={refine!r}: allowed: True, False, or how many points each split may add around its maximum"
        )
    return number


def refine_grid(t: Floats, losses: Floats, most: int, measure: Measure) -> tuple[Floats, list[Floats]]:
    """Coordinates to add to the grid, in the order in which they were measured, and what was measured there.

    Every split's loss is refined by itself: a golden-section search for the largest excess over the chord, between the
    two grid points beside the one where it is largest. It ends after `most` points, or when the maximum lies within
    TOLERANCE of the best point. A point measured for one split is used by all. A split whose excess is nowhere positive
    has its maximum, 0, at the ends and adds no points; nor does one with a value that is not finite.

    Shapes: t (T,) from 0 to 1; losses (T, S); measure: K coordinates -> (K, S, ...) with the loss first in the last
    axis.
    """
    curves = ((split, losses[:, split]) for split in range(losses.shape[1]))
    searches = [_Search(t, loss, split) for split, loss in curves if _has_peak(t, loss)]
    added: list[float] = []
    found: list[Floats] = []
    for _ in range(most):
        going = [search for search in searches if not search.done]
        new = sorted({search.next for search in going} - set(added))
        if not going:
            break
        if new:
            added += new
            found += list(measure(new))
        for search in going:
            search.take(found[added.index(search.next)][search.split, 0])
    return np.array(added), found


class _Search:
    """Golden section on one curve: a bracket whose middle is the best point so far, ever narrower."""

    def __init__(self, t: Floats, loss: Floats, split: int) -> None:
        self.split = split
        self._ends = float(loss[0]), float(loss[-1])
        best = int(chord_excess(t, loss).argmax())
        self._low, self._middle, self._high = (float(t[best + step]) for step in (-1, 0, 1))
        self._best = self._excess(self._middle, float(loss[best]))

    @property
    def done(self) -> bool:
        return max(self._middle - self._low, self._high - self._middle) <= TOLERANCE

    @property
    def next(self) -> float:
        """Where to look: in the wider part of the bracket."""
        left, right = self._middle - self._low, self._high - self._middle
        return self._middle + _GOLDEN * right if right >= left else self._middle - _GOLDEN * left

    def take(self, loss: float) -> None:
        """Narrow the bracket by the loss at `next`; one that is not finite is as one below the best."""
        t = self.next
        excess = self._excess(t, loss)
        if excess > self._best:
            self._low, self._high = (self._middle, self._high) if t > self._middle else (self._low, self._middle)
            self._middle, self._best = t, excess
        elif t > self._middle:
            self._high = t
        else:
            self._low = t

    def _excess(self, t: float, loss: float) -> float:
        return loss - ((1 - t) * self._ends[0] + t * self._ends[1])


def _has_peak(t: Floats, loss: Floats) -> bool:
    return bool(np.isfinite(loss).all()) and bool(chord_excess(t, loss).max() > 0)
