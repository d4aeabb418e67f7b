"""The scale that models of barriers use: log(B + 1e-3), since they are skewed and pile up at 0 (science 1.8)."""

import numpy as np
import pandas as pd

from gnnmc.analysis.ranks import Array
from gnnmc.errors import InputError

# Nats for a loss, a fraction for an accuracy.
OFFSET = 1e-3


def check_not_negative(barriers: "pd.Series[float]", name: str) -> None:
    """Refuse outcomes below 0, such as midpoint barriers, which have no such logarithm."""
    if (lowest := barriers.min()) < 0:
        raise InputError(f"{name} goes down to {lowest:.3g}: log(B + {OFFSET:g}) needs barriers of 0 or more")


def log_barrier(barriers: object) -> Array:
    """log(B + 1e-3). Shapes: (N,) → (N,)."""
    return np.asarray(np.log(np.asarray(barriers, dtype=float) + OFFSET))


def from_log(values: Array) -> Array:
    """B of log(B + 1e-3), never below 0. Shapes: (N,) → (N,)."""
    return np.maximum(np.exp(values) - OFFSET, 0.0)
