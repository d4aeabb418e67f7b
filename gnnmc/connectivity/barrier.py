"""The named barriers of a curve (science 0). Six definitions on one curve gave -0.62 … 0.60: the name travels along."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from gnnmc.errors import InputError
from gnnmc.registry import Registry

Floats: TypeAlias = np.ndarray

# A barrier of a loss-like curve: (t (T,), finite values (T,) of which less is better, arc length (T,)) -> its height.
BarrierFunction: TypeAlias = Callable[[Floats, Floats, Floats], float]

# An excess below this share of the largest value is rounding: losses are summed in float32, whose step is 1.2e-7.
ROUNDING = 1e-6
# The same for values that are all but zero, in their unit.
NOTHING = 1e-12

BARRIERS: Registry[BarrierFunction] = Registry("barrier")


def barrier(
    t: ArrayLike,
    values: ArrayLike,
    kind: str = "chord",
    higher_is_better: bool = False,
    arc_length: ArrayLike | None = None,
) -> float:
    """The barrier `kind` of the curve `values` over the grid `t`, in the unit of `values` (science 0).

    With `higher_is_better` the values are negated first, so that the chord barrier of an accuracy is
    max_t [(1-t) A(0) + t A(1) - A(t)]. NaN where a value is not finite: a diverged point has no height.

    Shapes:
        t: (T,), from 0 to 1, strictly increasing. values: (T,). arc_length: (T,), distance from the first end along
        the path, in any unit; by default proportional to t, as on a straight line. Only `integral` looks at it.

    Kinds (L less-is-better, e(t) = L(t) - ((1-t) L(0) + t L(1)) the excess over the chord):
        chord: max e, never negative · midpoint: e(1/2) · max_minus_mean_ends: max L - (L(0) + L(1))/2 ·
        max_minus_max_ends: max L - max(L(0), L(1)), never negative · chord_at_argmax: e where L is largest ·
        integral: mean of e over arc length (trapezoids); NaN when the path has no length, or none that is a number.

    Raises InputError: an unknown kind; a grid that is not as above; lengths that differ; an arc length that decreases;
    `midpoint` on a grid without t = 1/2.
    """
    function = BARRIERS[kind]
    grid = _grid(t)
    heights = _like_grid(values, "values", grid)
    arc = grid if arc_length is None else _like_grid(arc_length, "arc_length", grid)
    if (np.diff(arc) < 0).any():
        raise InputError("arc_length decreases: give the distance from the first end along the path")
    if kind == "midpoint":
        _middle(grid)  # wrong use is told whatever the values are
    if not np.isfinite(heights).all():
        return float("nan")
    return float(function(grid, -heights if higher_is_better else heights, arc))


def chord_excess(t: Floats, values: Floats) -> Floats:
    """Values (T,) less the chord between the ends, (T,); exactly 0 at both ends, and where only rounding is left.

    A flat curve would otherwise have barriers of 1e-8, and ranks would be made of them.
    """
    excess = values - ((1 - t) * values[0] + t * values[-1])
    return np.where(np.abs(excess) < max(ROUNDING * np.abs(values).max(), NOTHING), 0.0, excess)


@BARRIERS.register("chord")
def _chord(t: Floats, values: Floats, arc: Floats) -> float:
    return chord_excess(t, values).max()


@BARRIERS.register("midpoint")
def _midpoint(t: Floats, values: Floats, arc: Floats) -> float:
    return values[_middle(t)] - (values[0] + values[-1]) / 2


@BARRIERS.register("max_minus_mean_ends")
def _max_minus_mean_ends(t: Floats, values: Floats, arc: Floats) -> float:
    return values.max() - (values[0] + values[-1]) / 2


@BARRIERS.register("max_minus_max_ends")
def _max_minus_max_ends(t: Floats, values: Floats, arc: Floats) -> float:
    return values.max() - max(values[0], values[-1])


@BARRIERS.register("chord_at_argmax")
def _chord_at_argmax(t: Floats, values: Floats, arc: Floats) -> float:
    # of several largest values the one furthest above the chord, so that swapping the ends changes nothing
    return chord_excess(t, values)[values == values.max()].max()


@BARRIERS.register("integral")
def _integral(t: Floats, values: Floats, arc: Floats) -> float:
    length = arc[-1] - arc[0]
    return np.trapezoid(chord_excess(t, values), arc) / length if length > 0 else float("nan")


def has_middle(t: Floats) -> bool:
    """Whether t = 1/2 is on the grid (T,), as far as rounding lets it: else there is no barrier `midpoint`."""
    return bool(np.abs(t - 0.5).min() <= 1e-6)


def _middle(t: Floats) -> int:
    """Where t = 1/2 is on the grid."""
    nearest = int(np.abs(t - 0.5).argmin())
    if not has_middle(t):
        raise InputError(
            f"barrier 'midpoint' needs t = 1/2 on the grid, nearest of {len(t)} points is {t[nearest]:.4g}: "
            "use an odd number of points"
        )
    return nearest


def _grid(t: ArrayLike) -> Floats:
    grid = np.asarray(t, dtype=np.float64)
    if grid.ndim != 1 or len(grid) < 2:
        raise InputError(f"t has shape {grid.shape}: give at least two points, shape (T,)")
    if grid[0] != 0 or grid[-1] != 1:
        raise InputError(f"t runs from {grid[0]:.4g} to {grid[-1]:.4g}: a barrier needs a grid from 0 to 1")
    if not (np.diff(grid) > 0).all():
        raise InputError("t does not increase strictly: sort the grid and drop repeated points")
    return grid


def _like_grid(given: ArrayLike, name: str, grid: Floats) -> Floats:
    array = np.asarray(given, dtype=np.float64)
    if array.shape != grid.shape:
        raise InputError(f"{name} has shape {array.shape} but t has {len(grid)} points: give shape ({len(grid)},)")
    return array
