"""Whether two ways of doing one piece of work gave the same numbers: a time of wrong numbers is worth nothing."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Largest difference of a loss relative to max(1, loss), and how many items of a split may fall on the other side of a
# tie, as a share of it.
LOSS_TOLERANCE, ACCURACY_TOLERANCE = 1e-5, 2e-3


class Disagreement(Exception):
    """Ours and the baseline do not give the same numbers."""


def same_values(ours: Sequence[Floats], baseline: Sequence[Floats]) -> dict[str, float]:
    """The largest differences of losses and accuracies. Shapes: each (…, 2), loss and accuracy.

    Raises Disagreement beyond the tolerances.
    """
    mine, theirs = np.stack(ours), np.stack(baseline)
    if mine.shape != theirs.shape or not np.isfinite(mine).all() or not np.isfinite(theirs).all():
        raise Disagreement(f"shapes {mine.shape} and {theirs.shape}, or values that are not finite")
    difference = np.abs(mine - theirs)
    loss, accuracy = float(difference[..., 0].max()), float(difference[..., 1].max())
    relative = float((difference[..., 0] / np.maximum(1, np.abs(theirs[..., 0]))).max())
    if relative > LOSS_TOLERANCE or accuracy > ACCURACY_TOLERANCE:
        raise Disagreement(f"losses differ by {loss:.2g} (relative {relative:.2g}), accuracies by {accuracy:.2g}")
    return {"max |Δ loss|": loss, "max |Δ accuracy|": accuracy}


def same_law(
    ours: Sequence[Floats], baseline: Sequence[Floats], names: Sequence[str], slack: Sequence[float]
) -> dict[str, float]:
    """The differences of means of what is random by itself, each within 4 standard errors plus its slack.

    Shapes: each (runs, len(names)).
    Raises Disagreement beyond that.
    """
    mine, theirs = np.concatenate(list(ours)), np.concatenate(list(baseline))
    said: dict[str, float] = {}
    for column, (name, allowed) in enumerate(zip(names, slack, strict=True)):
        a, b = mine[:, column], theirs[:, column]
        error = math.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
        difference = float(a.mean() - b.mean())
        if not abs(difference) <= 4 * error + allowed:
            raise Disagreement(f"{name}: {a.mean():.4g} and {b.mean():.4g}, standard error {error:.2g}")
        said |= {f"{name}, ours": float(a.mean()), f"{name}, baseline": float(b.mean()), f"{name}, error": error}
    return said
