"""d_MC: how far the connectivity curves of two graphs are apart (science 1.3)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import wasserstein_distance

from gnnmc.analysis.curves import GRID, Array, Curves, check_profiles, read_curves
from gnnmc.analysis.resampling import cluster_counts
from gnnmc.diagnostics import Diagnostic
from gnnmc.errors import InputError
from gnnmc.numbers import share, whole_number
from gnnmc.seeding import numpy_generator

LEAST_PEAK = 0.01
"""Below this, in the unit of the metric, a curve is flat: it has no shape to compare (science 1.3)."""
STANDARD_ERRORS = 3.0
"""A peak of fewer standard errors than that is no peak."""
LEAST_MODES = 5
"""Fewer modes than this, or pairs that share none: no bootstrap interval."""
TOO_LOW = "the floor is of pairs that share modes, too low"
"""In the note of a distance whose floor is less than chance makes of it."""
FLOOR_SPLITS = 20
"""So many random splits of a graph's modes into halves the floor is the mean over."""

COLUMNS = (
    *("metric", "form", "value", "ci_low", "ci_high", "confidence", "floor", "floor_first", "floor_second", "unit"),
    *("peak_first", "peak_se_first", "peak_second", "peak_se_second"),
    *("num_pairs_first", "num_pairs_second", "num_modes_first", "num_modes_second", "note"),
)


@dataclass(frozen=True, eq=False)
class CurveDistance:
    """What `curve_distance` found: the distances, the mean curves that they are between, what may be wrong with them.

    Shapes:
        table: one row per (group, form); curves: one row per (group, graph, t): `graph` ("first" or "second"), `t`,
        `excess` (mean over pairs, averaged with its mirror), `mean` (of the metric itself, not mirrored)
    """

    table: pd.DataFrame
    curves: pd.DataFrame
    diagnostics: list[Diagnostic]

    def frame(self) -> pd.DataFrame:
        """A copy of the table; `curve_distance` names the columns."""
        return self.table.copy()


def curve_distance(
    first: pd.DataFrame,
    second: pd.DataFrame,
    *,
    metric: str = "loss",
    higher_is_better: bool = False,
    by: Sequence[str] = ("split",),
    same_modes: bool = False,
    bootstrap: int = 1_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> CurveDistance:
    """Distances between the connectivity curves of two graphs, in three forms, from the profiles of their modes.

    The curve of a graph is the mean over its pairs of the excess over the chord, averaged with its mirror, so that the
    order of the ends does not matter. Grids may differ: curves are read at 121 points, linearly between their own.

    - `shape`: W₁ between max(excess, 0) of the two, each made to sum to 1; in units of t. NaN, with GMC023, where a
      peak is below .01 or 3 standard errors (with one pair: the first only).
    - `size`: ∫|e₁ − e₂|dt, in the unit of the metric.
    - `literal`: W₁ between the mean curves less their minimum, each made to sum to 1, as printed by Li et al. 2025; in
      units of t. It sees no size, and noise where curves are flat, and the order of the ends; NaN of constant curves.

    Floor: the same distance between the curves of two halves of one graph's modes, the mean over random halves, and
    the larger of the two graphs'. Halves have fewer pairs than the graphs, so it is more than chance makes of those.
    Where the modes cannot be halved (fewer than two pairs of modes that share none), pairs are, and the note says
    that the floor is too low, because they share modes; with a single pair it is NaN.

    Intervals are percentiles over resamples of modes (of pairs, where no two share a mode), of both graphs apart;
    with `same_modes` of both together: the tables are then of the same modes, evaluated on two graphs. Distances are
    never negative: below the floor an interval says nothing on whether there is any.

    Shapes:
        first, second: one row per (by, a, b, t), a and b naming modes, with the column `metric`
        .frame(): one row per (by, form): the columns of `by`, `metric, form, value, ci_low, ci_high, confidence, floor,
        floor_first, floor_second, unit, peak_first, peak_se_first, peak_second, peak_se_second, num_pairs_first,
        num_pairs_second, num_modes_first, num_modes_second, note`

    Raises InputError: a missing column, a point that is there twice, a profile not from t = 0 to 1, no group that both
    have, no finite pair, and with `same_modes` pairs that differ.

    Source: Li et al. 2025, section 5; science 1.3 [ours].
    """
    groups = [by] if isinstance(by, str) else list(by)
    resamples, level = whole_number("bootstrap", bootstrap, 1), share("confidence", confidence)
    tables = [check_profiles(table, metric, groups, name) for table, name in ((first, "first"), (second, "second"))]
    parts = [_parts(table, groups) for table in tables]
    common = [key for key in parts[0] if key in parts[1]]
    if not common:
        raise InputError(f"the two tables share no ({', '.join(groups)}): give profiles of one split, model and path")
    rows, curves, fired = [], [], []
    for key in common:
        one = read_curves(parts[0][key], metric, higher_is_better, "first")
        other = read_curves(parts[1][key], metric, higher_is_better, "second")
        if same_modes and not (one.values.shape == other.values.shape and (one.units == other.units).all()):
            raise InputError("same_modes=True, but the two tables have other pairs: give the same pairs in both")
        labels = dict(zip(groups, key))
        rng = numpy_generator("curve distance", whole_number("seed", seed), metric, *map(str, key))
        found, flat = _compare(one, other, same_modes, resamples, level, rng)
        rows += [labels | {"metric": metric} | row for row in found]
        where = ", ".join(map(str, key))
        fired += [Diagnostic("GMC023", f"{where + ': ' if where else ''}{message}") for message in flat]
        sign = -1 if higher_is_better else 1
        for name, side in (("first", one), ("second", other)):
            drawn = {"t": GRID, "excess": side.excess.mean(axis=0), "mean": sign * side.values.mean(axis=0)}
            curves.append(pd.DataFrame(labels | {"graph": name} | drawn))
    return CurveDistance(pd.DataFrame(rows, columns=[*groups, *COLUMNS]), pd.concat(curves, ignore_index=True), fired)


def _parts(table: pd.DataFrame, groups: list[str]) -> dict[tuple[object, ...], pd.DataFrame]:
    if not groups:
        return {(): table}
    return {tuple(key): rows for key, rows in table.groupby(groups, sort=False, observed=True)}


# The mean excess and the mean curve of either graph → their distance.
_Form = Callable[[Array, Array, Array, Array], float]


def _shape(one: Array, other: Array, raw: Array, other_raw: Array) -> float:
    return _between(np.maximum(one, 0.0), np.maximum(other, 0.0))


def _size(one: Array, other: Array, raw: Array, other_raw: Array) -> float:
    """∫|d|dt of a difference that is straight between the points, exactly where it changes sign too."""
    left, right = (one - other)[:-1], (one - other)[1:]
    total = np.abs(left) + np.abs(right)
    crossing = left * right < 0
    halved = np.where(crossing, (left**2 + right**2) / np.where(total > 0, total, 1.0), total)
    return float((halved / 2 * np.diff(GRID)).sum())


def _literal(one: Array, other: Array, raw: Array, other_raw: Array) -> float:
    return _between(raw - raw.min(), other_raw - other_raw.min())


def _between(one: Array, other: Array) -> float:
    if one.sum() <= 0 or other.sum() <= 0:
        return float("nan")
    return float(wasserstein_distance(GRID, GRID, one, other))


FORMS: Mapping[str, tuple[_Form, str]] = {
    "shape": (_shape, "t"),
    "size": (_size, "unit of the metric"),
    "literal": (_literal, "t"),
}


def _compare(
    one: Curves, other: Curves, same_modes: bool, resamples: int, level: float, rng: np.random.Generator
) -> tuple[list[dict[str, object]], list[str]]:
    """The rows of one group, and in words which curves are flat."""
    sides = {"first": one, "second": other}
    peaks = {name: side.peak() for name, side in sides.items()}
    flat = [words for name, peak in peaks.items() if (words := _why_flat(name, *peak))]
    floors = {name: _floor(side, rng) for name, side in sides.items()}
    drawn = _resampled(one, other, same_modes, resamples, rng)
    known: dict[str, object] = {"confidence": level}
    for name, side in sides.items():
        known |= {f"peak_{name}": peaks[name][0], f"peak_se_{name}": peaks[name][1]}
        known |= {f"num_pairs_{name}": len(side.values), f"num_modes_{name}": side.num_modes}
    rows = []
    for form, (distance, unit) in FORMS.items():
        value = distance(one.excess.mean(0), other.excess.mean(0), one.values.mean(0), other.values.mean(0))
        notes = [words for _, words in floors.values() if words]
        low = high = float("nan")
        if form == "shape" and flat:
            value, notes = float("nan"), [*flat, *notes]
        elif drawn is None:
            notes.append(f"fewer than {LEAST_MODES} modes or pairs that share none: no bootstrap interval")
        else:
            values = np.array([distance(*curves) for curves in drawn])
            if (defined := values[~np.isnan(values)]).size:
                low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
        each = {name: floors[name][0][form] for name in sides}
        largest = max((floor for floor in each.values() if not np.isnan(floor)), default=float("nan"))
        interval = {"value": value, "ci_low": float(low), "ci_high": float(high), "floor": largest}
        floor_of = {f"floor_{name}": floor for name, floor in each.items()}
        known["note"] = "; ".join(dict.fromkeys(notes))
        rows.append({"form": form, "unit": unit, **interval, **floor_of, **known})
    return rows, flat


def _why_flat(name: str, peak: float, error: float) -> str:
    if peak < LEAST_PEAK:
        return f"the {name} curve is flat: its peak is {peak:.3g}, below {LEAST_PEAK}"
    if peak < STANDARD_ERRORS * error:
        return f"the {name} curve has no sure peak: {peak:.3g} with a standard error of {error:.3g}"
    return ""


def _floor(side: Curves, rng: np.random.Generator) -> tuple[dict[str, float], str]:
    """Mean distance of every form between halves, and what is wrong with it."""
    count = side.num_units
    if len(side.values) < 2:
        return dict.fromkeys(FORMS, float("nan")), "one pair: no floor"
    note = ""
    halves = []
    for _ in range(FLOOR_SPLITS):
        chosen = rng.permutation(count)[: count // 2]
        inside = np.isin(side.units, chosen)
        halves.append((inside.all(axis=1), (~inside).all(axis=1)))
    halves = [(one, other) for one, other in halves if one.any() and other.any()]
    if not halves:
        note = f"modes could not be halved: {TOO_LOW}"
        for _ in range(FLOOR_SPLITS):
            half = np.isin(np.arange(len(side.values)), rng.permutation(len(side.values))[: len(side.values) // 2])
            halves.append((half, ~half))
    excess = side.excess
    found: dict[str, list[float]] = {form: [] for form in FORMS}
    for one, other in halves:
        curves = [rows[chosen].mean(axis=0) for rows in (excess, side.values) for chosen in (one, other)]
        for form, (distance, _) in FORMS.items():
            found[form].append(distance(*curves))
    return {form: _mean(values) for form, values in found.items()}, note


def _mean(values: list[float]) -> float:
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else float("nan")


def _resampled(
    one: Curves, other: Curves, same_modes: bool, resamples: int, rng: np.random.Generator
) -> list[tuple[Array, Array, Array, Array]] | None:
    """The mean curves of resamples of modes; None where there are too few of them."""
    if min(one.num_units, other.num_units) < LEAST_MODES:
        return None
    counts = [cluster_counts(np.arange(side.num_units), resamples, rng) for side in (one, other)]
    weights = [one.weights(counts[0]), other.weights(counts[0] if same_modes else counts[1])]
    kept = (weights[0].sum(axis=1) > 0) & (weights[1].sum(axis=1) > 0)
    shares = [each[kept] / each[kept].sum(axis=1, keepdims=True) for each in weights]
    return list(zip(shares[0] @ one.excess, shares[1] @ other.excess, shares[0] @ one.values, shares[1] @ other.values))
