"""Point transforms: what stands between a path and the evaluation of its points (design idea 2)."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from torch import Tensor

from gnnmc.engine import ModelFunction
from gnnmc.weights import Weights, clone

# (t, the weights at t, the path's ends as the path has them) → the weights to evaluate there, of the same names and
# shapes. All are on the device of the evaluation and read-only: a transform gives a new dict.
Transform: TypeAlias = Callable[[float, Weights, tuple[Weights, Weights]], Weights]


def transformed(
    function: ModelFunction,
    t: float,
    weights: dict[str, Tensor],
    ends: tuple[Weights, Weights],
    transforms: Sequence[Transform],
) -> dict[str, Tensor]:
    """The weights after all transforms, in order. Raises InputError where what one gives does not fit the model."""
    for number, transform in enumerate(transforms, start=1):
        given = transform(t, weights, ends)
        weights = clone(function.load(given, f"what transform {number} gave at t = {t:g}"))
    return weights
