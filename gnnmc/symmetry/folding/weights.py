"""The weights of a model with LayerNorms as weights of its folded twin."""

from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from gnnmc.errors import InputError
from gnnmc.symmetry.folding.norms import Norm, streams
from gnnmc.symmetry.layout import Fixed, Joined, Layout, Leaf, Units, by_blocks, leaves
from gnnmc.symmetry.symmetry import Symmetry
from gnnmc.weights import Weights

# Of the largest entry of γ: what stands behind a smaller one is hardly read, and a β kept in the norm could not be
# divided by it.
SMALL = 1e-6


def folded_weights(
    symmetry: Symmetry, norms: Sequence[Norm], moved: Collection[str], weights: Weights
) -> dict[str, Tensor]:
    """In double precision. γ of every norm is 1 then.

    moved: paths of the norms whose β goes to their readers; the others keep β/γ.

    Shapes: weights name → tensor.
    Raises InputError where β would have to be divided by a γ of zero.
    Source: science 3 (Theus et al. 2025).
    """
    work = centered_weights(symmetry, _doubled(weights))
    # Centered before: what β adds to a stream by way of a reader that writes to it has mean zero as well.
    for norm in norms:
        if norm.path in moved:
            _move_shift(symmetry, norm, work)
    for norm in norms:
        _move_gauge(symmetry, norm, work)
    return work


def centered_weights(symmetry: Symmetry, weights: Weights) -> dict[str, Tensor]:
    """W·M for all that writes to a stream: its mean is zero then. Shapes: weights name → tensor."""
    work = dict(weights)
    for group in streams(symmetry):
        gauges = {scaling for scaling, _ in symmetry.groups[group].gauges}
        held = {tensor for _, tensor in symmetry.groups[group].gauges}
        for tensor in dict.fromkeys(tensor for tensor, _ in symmetry.axes(group)):
            if tensor in work and tensor not in held:
                work[tensor] = _without_mean(symmetry, group, gauges, tensor, work[tensor])
    return work


def _doubled(weights: Weights) -> dict[str, Tensor]:
    return {name: value.double() if value.is_floating_point() else value for name, value in weights.items()}


def _move_shift(symmetry: Symmetry, norm: Norm, work: dict[str, Tensor]) -> None:
    """β·Wᵀ to the bias of every reader W."""
    if norm.shift is None:
        return
    shift = work[norm.shift]
    for reader in norm.readers:
        weight = work[reader.tensor]
        behind = _along(symmetry.layouts[reader.tensor][reader.axis], norm, shift)
        added = torch.tensordot(weight, behind, ([reader.axis], [0]))
        if reader.bias is not None:
            work[reader.bias] = work[reader.bias] + added if reader.bias in work else added
    work[norm.shift] = torch.zeros_like(shift)


def _along(layout: Layout, norm: Norm, values: Tensor) -> Tensor:
    """The values where the norm's units are on an axis: zero beside them, the same in every copy of them."""
    if isinstance(layout, Units | Fixed):
        if _exponent(layout, norm.scaling) == -1:
            return values
        return values.new_zeros(layout.size)
    if isinstance(layout, Joined):
        return torch.cat([_along(part, norm, values) for part in layout.parts])
    total = values.new_ones(1)
    for factor in layout.factors:
        inside = any(_exponent(leaf, norm.scaling) == -1 for leaf in leaves(factor))
        total = torch.kron(total, _along(factor, norm, values) if inside else values.new_ones(factor.size))
    return total if any(_exponent(leaf, norm.scaling) == -1 for leaf in leaves(layout)) else torch.zeros_like(total)


def _move_gauge(symmetry: Symmetry, norm: Norm, work: dict[str, Tensor]) -> None:
    """γ to what reads it; what is added to the norm's output (β, if it stays) is divided by it."""
    gauge = work[norm.gauge]
    zero = gauge.abs() <= SMALL * gauge.abs().max()

    def scaled(block: Tensor, on: Sequence[Leaf]) -> Tensor:
        for axis, leaf in enumerate(on):
            exponent = _exponent(leaf, norm.scaling)
            if not exponent:
                continue
            shape = [-1 if place == axis else 1 for place in range(block.dim())]
            if exponent < 0:
                block = block * gauge.reshape(shape) ** -exponent
                continue
            at_zero = zero.reshape(shape).expand_as(block)
            if bool((block[at_zero] != 0).any()):
                raise InputError(
                    f"{norm.gauge} has an entry of zero where {norm.shift or 'what is added behind it'} has none: "
                    "the norm cannot be folded at these weights"
                )
            block = block / torch.where(zero, 1, gauge).reshape(shape) ** exponent
        return block

    for tensor in dict.fromkeys(tensor for tensor, _ in symmetry.axes(norm.group)):
        if tensor in work and tensor != norm.gauge:
            work[tensor] = by_blocks(work[tensor], symmetry.layouts[tensor], scaled)
    work[norm.gauge] = torch.ones_like(gauge)


def _without_mean(symmetry: Symmetry, group: str, gauges: Collection[str], tensor: str, value: Tensor) -> Tensor:
    """W·M for what writes to the stream: what has no factor of a norm on its axis.

    So has what reads behind a norm without γ; but that reads values of mean zero, and may lose what reads their mean.
    """

    def centered(block: Tensor, on: Sequence[Leaf]) -> Tensor:
        for axis, leaf in enumerate(on):
            if isinstance(leaf, Units) and leaf.group == group and not gauges & dict(leaf.scalings).keys():
                block = block - block.mean(axis, keepdim=True)
        return block

    return by_blocks(value, symmetry.layouts[tensor], centered)


def _exponent(leaf: Leaf, scaling: str) -> int:
    return dict(leaf.scalings).get(scaling, 0) if isinstance(leaf, Units) else 0
