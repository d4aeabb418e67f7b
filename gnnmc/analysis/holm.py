"""Holm's correction for testing several statistics at once (Holm 1979)."""

import numpy as np

from gnnmc.analysis.ranks import Array


def holm(p_values: Array) -> Array:
    """Step-down adjusted p-values; a NaN was no test, stays NaN and does not count. Shapes: (S,) → (S,)."""
    p_values = np.asarray(p_values, dtype=float)
    adjusted = np.full(p_values.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    order = tested[np.argsort(p_values[tested], kind="stable")]
    steps = p_values[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
