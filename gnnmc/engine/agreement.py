"""Whether what was recorded gives what torch gives: it is believed only then."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from gnnmc.engine.tracing import NotTraceable
from gnnmc.weights import Weights

# How far outputs of a recorded forward may be from those of the real one, relative to the largest.
OUTPUTS = {torch.float64: 1e-12, torch.float32: 1e-5}
# Losses, gradients and buffers: sums of many outputs, in another order.
GRADIENTS = {torch.float64: 1e-9, torch.float32: 1e-3}


def two_of(weights: Sequence[Weights]) -> list[Weights]:
    """The first two; after a single one, others near it: what escaped a recording gives itself away where it was not
    made."""
    if len(weights) > 1:
        return list(weights[:2])
    (one,) = weights
    return [one, {name: value * 1.25 if value.is_floating_point() else value for name, value in one.items()}]


def require_agreement(
    what: str, ours: Tensor, real: Tensor, tolerances: Mapping[torch.dtype, float], scale: float | None = None
) -> None:
    """Raise NotTraceable unless two tensors are equal up to rounding, and not finite at the same places.

    scale: the size of number that a difference is small against; that of the real values, or 1, by default.
    """
    if real.is_floating_point() and real.dtype not in tolerances:
        raise NotTraceable(f"{what} of {real.dtype}")
    ours, real = ours.detach(), real.detach()
    finite = real.isfinite()
    if not torch.equal(finite, ours.isfinite()):
        raise NotTraceable(f"{what} is finite in one of two ways only")
    if not bool(finite.all()):
        ours, real = ours[finite], real[finite]
    if real.numel():
        error = float((ours - real).abs().max())
        against = max(1.0, float(real.abs().max())) if scale is None else scale
        if not error <= tolerances.get(real.dtype, 0.0) * against:
            raise NotTraceable(f"{what}: what was recorded is off by {error:.2g}")
