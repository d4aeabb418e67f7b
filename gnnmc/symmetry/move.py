"""One block of a tensor under an element of a symmetry."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from gnnmc.symmetry.layout import Leaf, Units
from gnnmc.symmetry.symmetry import Symmetry
from gnnmc.weights import Weights


class Mover:
    """Moves a block all of whose axes are single leaves; the arguments are those of `Element`."""

    def __init__(
        self,
        orders: Mapping[str, Tensor],
        matrices: Mapping[str, Tensor],
        scales: Mapping[str, Tensor],
        signs: Mapping[str, Tensor],
        shares: Mapping[str, Tensor],
        symmetry: Symmetry,
        weights: Weights,
    ) -> None:
        self.orders, self.matrices, self.scales, self.signs, self.shares = orders, matrices, scales, signs, shares
        self.symmetry = symmetry
        self._gauging = {(group.name, tensor) for group in symmetry.groups.values() for _, tensor in group.gauges}
        self._gauges: dict[str, dict[str, Tensor]] = {}
        for group in symmetry.groups.values():
            if group.name in matrices and group.gauges:
                shape = symmetry.shape(group.name)
                # In the order that the units have when the matrix acts.
                self._gauges[group.name] = {
                    scaling: self._ordered(weights[tensor].reshape(shape), group.name)
                    for scaling, tensor in group.gauges
                }

    def moves(self, leaf: Leaf) -> bool:
        """Whether anything is done along such an axis."""
        if not isinstance(leaf, Units):
            return False
        named = {leaf.group, *self.symmetry.groups[leaf.group].outer}
        if named & self.orders.keys() or leaf.group in self.matrices or leaf.group in self.shares:
            return True
        factors = {name for name, exponent in leaf.scalings if exponent} & self.scales.keys()
        return bool(factors or self.signs.keys() & set(leaf.signings))

    def __call__(self, block: Tensor, on: Sequence[Leaf], *, tensor: str) -> Tensor:
        places = [(axis, leaf) for axis, leaf in enumerate(on) if isinstance(leaf, Units)]
        # Outer units first: what is done to inner ones is told for the outer units that stand there then.
        places.sort(key=lambda place: len(self.symmetry.groups[place[1].group].outer))
        for axis, leaf in places:
            if leaf.group in self.orders:
                block = self._order(block, axis, leaf, on)
        for axis, leaf in places:
            # γ itself stays: a matrix acts on what it multiplies.
            if leaf.group in self.matrices and (leaf.group, tensor) not in self._gauging:
                block = self._mix(block, axis, leaf, on)
            for name, exponent in leaf.scalings:
                if exponent and name in self.scales:
                    block = block * self._spread(self.scales[name], axis, leaf, on, block) ** exponent
            for name in leaf.signings:
                if name in self.signs:
                    block = block * self._spread(self.signs[name], axis, leaf, on, block)
            if leaf.reads and leaf.group in self.shares:
                block = block * self._spread(self.shares[leaf.group], axis, leaf, on, block)
        return block

    def _order(self, block: Tensor, axis: int, leaf: Units, on: Sequence[Leaf]) -> Tensor:
        order = self.orders[leaf.group].to(block.device)
        if order.dim() == 1:
            return block.index_select(axis, order)
        index = _placed(order, [*self._around(leaf, on), axis], block.dim())
        shape = [order.shape[-1] if n == axis else size for n, size in enumerate(block.shape)]
        return torch.gather(block, axis, index.expand(shape))

    def _mix(self, block: Tensor, axis: int, leaf: Units, on: Sequence[Leaf]) -> Tensor:
        matrix = self.matrices[leaf.group].to(block)
        if leaf.variance < 0:
            matrix = torch.linalg.inv(matrix).mT
        for name, gauge in self._gauges.get(leaf.group, {}).items():
            exponent = dict(leaf.scalings).get(name, 0)
            if exponent:
                factor = gauge.to(block) ** exponent
                matrix = factor[..., :, None] * matrix / factor[..., None, :]
        around = self._around(leaf, on)
        # Copies in front, then whatever else there is, the units last.
        front = block.movedim([*around, axis], [*range(len(around)), block.dim() - 1])
        flat = front.flatten(len(around), -2) if front.dim() > len(around) + 1 else front.unsqueeze(-2)
        mixed = (flat @ matrix.mT).reshape(*front.shape[:-1], matrix.shape[-2])
        return mixed.movedim([*range(len(around)), block.dim() - 1], [*around, axis])

    def _spread(self, values: Tensor, axis: int, leaf: Units, on: Sequence[Leaf], block: Tensor) -> Tensor:
        return _placed(values, [*self._around(leaf, on), axis], block.dim()).to(block)

    def _around(self, leaf: Units, on: Sequence[Leaf]) -> list[int]:
        """The axes of the block that hold the groups around."""
        names = [other.group if isinstance(other, Units) else None for other in on]
        return [names.index(name) for name in self.symmetry.groups[leaf.group].outer]

    def _ordered(self, values: Tensor, group: str) -> Tensor:
        for axis, name in enumerate(self.symmetry.groups[group].outer):
            if name in self.orders:
                values = taken(values, self.orders[name].to(values.device), axis)
        if group in self.orders:
            values = torch.gather(values, -1, self.orders[group].to(values.device).expand_as(values))
        return values


def _placed(values: Tensor, axes: Sequence[int], dims: int) -> Tensor:
    """Values with their axes at these places of `dims` axes, the others of size 1."""
    order = sorted(range(len(axes)), key=lambda n: axes[n])
    shape = [1] * dims
    for n in order:
        shape[axes[n]] = values.shape[n]
    return values.permute(order).reshape(shape)


def taken(values: Tensor, order: Tensor, axis: int) -> Tensor:
    """Entries along `axis` in an order that may differ for each index of the axes before it."""
    shape = (*order.shape, *[1] * (values.dim() - order.dim()))
    return torch.gather(values, axis, order.reshape(shape).expand(*order.shape, *values.shape[order.dim() :]))
