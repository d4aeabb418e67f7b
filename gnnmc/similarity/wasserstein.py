"""The Wasserstein distance of two one-dimensional samples."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import wasserstein_distance
from torch import Tensor

from gnnmc.errors import InputError


def wasserstein(
    first: ArrayLike | Tensor,
    second: ArrayLike | Tensor,
    *,
    first_weights: ArrayLike | Tensor | None = None,
    second_weights: ArrayLike | Tensor | None = None,
) -> float:
    """W₁ of two samples on the line: the least mean distance by which one's mass is moved onto the other's.

    In the unit of the samples, which may differ in size. Weights are made to sum to 1; by default all are equal.

    Shapes:
        first: (n,); second: (m,); first_weights: (n,); second_weights: (m,)

    Raises InputError: a sample that is empty, not one-dimensional or not finite; weights that are negative, not
    finite, all 0 or not one for each item.

    Source: Vallender 1973; W₁ = ∫|F₁ − F₂|, by scipy.
    """
    one, other = _finite("first", first), _finite("second", second)
    return float(
        wasserstein_distance(
            one, other, _weights("first", first_weights, one), _weights("second", second_weights, other)
        )
    )


def _finite(name: str, given: ArrayLike | Tensor) -> np.ndarray:
    plain = given.detach().cpu().double().numpy() if isinstance(given, Tensor) else given
    try:
        values = np.asarray(plain, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"the {name} sample is a {type(given).__name__}: give numbers, shape (n,)") from None
    if values.ndim != 1 or not len(values):
        raise InputError(f"the {name} sample has shape {values.shape}: give at least one number, shape (n,)")
    if not np.isfinite(values).all():
        raise InputError(f"the {name} sample holds {np.count_nonzero(~np.isfinite(values))} values that are not finite")
    return values


def _weights(name: str, given: ArrayLike | Tensor | None, values: np.ndarray) -> np.ndarray | None:
    if given is None:
        return None
    weights = _finite(f"weights of the {name}", given)
    if weights.shape != values.shape:
        raise InputError(f"the {name} sample has {len(values)} items and {len(weights)} weights: give one for each")
    if weights.min() < 0 or weights.sum() == 0:
        raise InputError(f"the weights of the {name} sample are negative or all 0: give shares ≥ 0")
    return weights
