"""The transfer gap: what a model loses on a target by having been trained on a source (science 1.3)."""

from collections.abc import Sequence

import numpy as np

from gnnmc.numbers import share


def transfer_gap(
    own: Sequence[float], moved: Sequence[float], *, confidence: float = 0.95
) -> tuple[float, float, float]:
    """Mean of what target-trained modes reach on the target less that of source-trained ones, with an interval.

    Welch's interval over seeds, so it says how sure the gap is for these two graphs, and nothing of other graphs. NaN
    for an interval of fewer than two modes on a side; modes without a finite value are left out.

    Shapes: own (S,) and moved (T,), one value per mode; returns (gap, low, high).

    Raises InputError for a confidence that is no share. Source: Welch 1947; the gap: Li et al. 2025, section 5.
    """
    level = share("confidence", confidence)
    sides = [np.asarray(values, dtype=float) for values in (own, moved)]
    first, second = (values[np.isfinite(values)] for values in sides)
    nan = float("nan")
    if not len(first) or not len(second):
        return nan, nan, nan
    gap = float(first.mean() - second.mean())
    if min(len(first), len(second)) < 2:
        return gap, nan, nan
    errors = [float(values.var(ddof=1)) / len(values) for values in (first, second)]
    total = sum(errors)
    if total == 0:
        return gap, gap, gap
    freedom = total**2 / sum(error**2 / (len(values) - 1) for error, values in zip(errors, (first, second)))
    from scipy.stats import t as student  # here: as in `midranks`

    half = float(student.ppf((1 + level) / 2, freedom)) * total**0.5
    return gap, gap - half, gap + half
