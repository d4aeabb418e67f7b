"""Coordinates in which every matrix acts plainly: γ of a norm multiplied into those that read behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from torch import Tensor

from gnnmc.symmetry.layout import Leaf, Units, by_blocks, leaves
from gnnmc.symmetry.symmetry import Symmetry


def folded(
    symmetry: Symmetry, counted: Sequence[str], weights: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], list[str]]:
    """The weights with every γ in its readers, and the tensors that are still to be compared.

    γ itself and what is shifted behind it (β) are not: a matrix moves them as it must. Without gauges all is as given.
    """
    gauges = {scaling: tensor for group in symmetry.groups.values() for scaling, tensor in group.gauges}
    if not gauges:
        return dict(weights), list(counted)
    changed = dict(weights)
    kept = []
    for name in counted:
        powers = [power for axis in symmetry.layouts.get(name, ()) for leaf in leaves(axis) for power in _powers(leaf)]
        own = [exponent for scaling, exponent in powers if scaling in gauges]
        if any(exponent > 0 for exponent in own):
            continue
        kept.append(name)
        if own:
            changed[name] = by_blocks(
                weights[name], symmetry.layouts[name], lambda block, on: _multiplied(block, on, gauges, weights)
            )
    return changed, kept


def without_gauges(symmetry: Symmetry) -> Symmetry:
    """The symmetry of folded weights."""
    return replace(symmetry, groups={name: replace(group, gauges=()) for name, group in symmetry.groups.items()})


def _powers(leaf: Leaf) -> tuple[tuple[str, int], ...]:
    return leaf.scalings if isinstance(leaf, Units) else ()


def _multiplied(block: Tensor, on: Sequence[Leaf], gauges: Mapping[str, str], weights: Mapping[str, Tensor]) -> Tensor:
    for axis, leaf in enumerate(on):
        for scaling, exponent in _powers(leaf):
            if scaling in gauges and exponent:
                shape = [-1 if n == axis else 1 for n in range(block.dim())]
                block = block * weights[gauges[scaling]].reshape(shape) ** -exponent
    return block
