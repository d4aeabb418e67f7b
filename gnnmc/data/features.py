"""What is done to the features of a real graph before anything else; the choice stands in every key and table."""

from collections.abc import Callable

from torch import Tensor

from gnnmc.errors import InputError
from gnnmc.registry import Registry

FEATURES: Registry[Callable[[Tensor], Tensor]] = Registry("features")


@FEATURES.register("raw")
def raw(x: Tensor) -> Tensor:
    """As stored.

    Shapes: (N, F) → (N, F)
    """
    return x


@FEATURES.register("row")
def row(x: Tensor) -> Tensor:
    """Every row divided by its sum: shares of words in a bag of words (science 0). Rows of zeros stay zero.

    Shapes: (N, F) → (N, F)

    Raises InputError when a feature is negative: the sum of a row is then no scale.
    """
    if bool((x < 0).any()):
        raise InputError("features 'row' needs features without negative values: choose 'standard' or 'raw'")
    total = x.sum(dim=1, keepdim=True)
    return x / total.where(total > 0, total.new_ones(()))


@FEATURES.register("standard")
def standard(x: Tensor) -> Tensor:
    """Every column with mean 0 and standard deviation 1 over all nodes; constant columns become 0.

    Shapes: (N, F) → (N, F)
    """
    centered = x - x.mean(dim=0)
    deviation = x.std(dim=0, correction=0)
    # A constant column keeps a rounding error after centering, which must not be blown up.
    constant = x.max(dim=0).values == x.min(dim=0).values
    return (centered / deviation.where(~constant, deviation.new_ones(()))).where(~constant, x.new_zeros(()))
