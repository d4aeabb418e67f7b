"""The curve of a graph: the mean over its pairs of modes of what a metric does along the line between them."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gnnmc.analysis.resampling import Indices
from gnnmc.errors import InputError
from gnnmc.registry import unknown_name

Array: TypeAlias = NDArray[np.float64]

GRID = np.linspace(0.0, 1.0, 121)
"""Where curves are compared; it holds the grids of 11, 21, 25 and 61 points."""


@dataclass(frozen=True, eq=False)
class Curves:
    """The curves of all pairs of modes of one graph, less is better.

    Shapes:
        values: (P, T) on `GRID`; excess: (P, T), less the chord, averaged with its mirror; units: (P, 2) numbers of
        what is drawn and left out as a whole: the two modes of a pair, or twice the pair where no two share a mode
    """

    values: Array
    units: Indices
    num_modes: int

    @property
    def num_units(self) -> int:
        """How many modes, or pairs that share none, there are to draw from."""
        return int(self.units.max()) + 1

    @property
    def excess(self) -> Array:
        """See the class."""
        chord = np.outer(self.values[:, 0], 1 - GRID) + np.outer(self.values[:, -1], GRID)
        above = self.values - chord
        return (above + above[:, ::-1]) / 2

    def weights(self, counts: Array) -> Array:
        """Weights of the pairs where every unit is there so many times; of a mode with itself there is no pair.

        Shapes: (…, U) → (…, P)
        """
        first, second = self.units.T
        return counts[..., first] * np.where(first == second, 1.0, counts[..., second])

    def peak(self) -> tuple[float, float]:
        """The highest mean excess and its standard error: jackknife over units; NaN where leaving one out leaves none.

        Source: Efron and Stein 1981; Arvesen 1969 for means over pairs.
        """
        mean = self.excess.mean(axis=0)
        top = int(mean.argmax())
        weights = self.weights(1.0 - np.eye(self.num_units))
        if self.num_units < 2 or (weights.sum(axis=1) == 0).any():
            return float(mean[top]), float("nan")
        without = weights @ self.excess[:, top] / weights.sum(axis=1)
        scale = (self.num_units - 1) / self.num_units
        return float(mean[top]), float(np.sqrt(scale * np.square(without - without.mean()).sum()))


def read_curves(rows: pd.DataFrame, metric: str, higher_is_better: bool, name: str) -> Curves:
    """The curves in rows of one split; grids may differ by pair, between their points curves are straight.

    Shapes: rows: one row per (a, b, t)

    Raises InputError: a point that is there twice, a pair without t = 0 or t = 1, or with coordinates beyond. A pair
    with a value that is not finite is left out; when no pair is left, that is an error too.
    """
    if rows.duplicated(["a", "b", "t"]).any():
        first = rows[rows.duplicated(["a", "b", "t"])].iloc[0]
        raise InputError(
            f"the {name} profiles have t = {first['t']:g} of the pair ({first['a']}, {first['b']}) more than once: "
            "keep the rows of one model and path, or name what tells them apart in by"
        )
    values, ends = [], []
    for (a, b), pair in rows.groupby(["a", "b"], sort=True):
        ordered = pair.sort_values("t")
        t, height = ordered["t"].to_numpy(dtype=float), ordered[metric].to_numpy(dtype=float)
        if t[0] != 0 or t[-1] != 1:
            raise InputError(
                f"the {name} profile of the pair ({a}, {b}) runs from t = {t[0]:g} to {t[-1]:g}: give 0 to 1"
            )
        if a == b:
            raise InputError(f"the {name} profiles have a pair of {a} with itself: give pairs of different modes")
        if np.isfinite(height).all():
            values.append(np.interp(GRID, t, -height if higher_is_better else height))
            ends.append((str(a), str(b)))
    if not values:
        raise InputError(f"the {name} profiles have no pair whose {metric} is finite all along: train modes anew")
    modes = {mode: number for number, mode in enumerate(sorted({mode for pair in ends for mode in pair}))}
    units = np.array([(modes[a], modes[b]) for a, b in ends], dtype=np.intp)
    if len(modes) == 2 * len(ends):
        units = np.repeat(np.arange(len(ends))[:, None], 2, axis=1)
    return Curves(np.array(values), units, len(modes))


def check_profiles(table: object, metric: str, by: list[str], name: str) -> pd.DataFrame:
    """The table, with the columns that curves are read from. Raises InputError for what is no such table."""
    if not isinstance(table, pd.DataFrame):
        raise InputError(
            f"the {name} profiles are a {type(table).__name__}: give a DataFrame, a row for each (a, b, t)"
        )
    for column in dict.fromkeys([*by, "a", "b", "t", metric]):
        if column not in table.columns:
            raise unknown_name(f"column of the {name} profiles", column, map(str, table.columns))
    for column in ("t", metric):
        if not pd.api.types.is_numeric_dtype(table[column]):
            raise InputError(f"column {column!r} of the {name} profiles is {table[column].dtype}: give numbers")
    if table.empty:
        raise InputError(f"the {name} profiles have no rows: give those of at least one pair of modes")
    return table
