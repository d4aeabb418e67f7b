"""An element of a symmetry: what is done to the units of each group."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor

from gnnmc.symmetry.layout import by_blocks, leaves
from gnnmc.symmetry.move import Mover
from gnnmc.symmetry.symmetry import Symmetry
from gnnmc.weights import Weights


@dataclass(frozen=True, eq=False)
class Element:
    """Orders, matrices, factors and signs by name; what is not named is left alone.

    Units are first put in order, then mixed by a matrix, then given factors and signs:
    new[i] = sign_i · scale_iᵉ · Σ_j M[i, j] · old[order[j]], with exponent e of the scaling on that axis. An order may
    name an old unit several times, or none (−1, a unit of zeros), and may have another length than there are old units;
    then `shares` says how much of the old unit those that read it take from each copy.

    Shapes (… = sizes of the groups around, outermost first):
        orders: group → (…, n) int64, numbers of old units; matrices: group → (…, n, n); scales: scaling → (…, n) > 0;
        signs: signing → (…, n) of 1 and −1; shares: group → (…, n)
    """

    orders: Mapping[str, Tensor] = field(default_factory=dict)
    matrices: Mapping[str, Tensor] = field(default_factory=dict)
    scales: Mapping[str, Tensor] = field(default_factory=dict)
    signs: Mapping[str, Tensor] = field(default_factory=dict)
    shares: Mapping[str, Tensor] = field(default_factory=dict)

    def apply(self, symmetry: Symmetry, weights: Weights) -> dict[str, Tensor]:
        """The weights moved, as a new dict; tensors that nothing moves are shared with what was given."""
        mover = Mover(self.orders, self.matrices, self.scales, self.signs, self.shares, symmetry, weights)
        moved = {}
        for name, value in weights.items():
            layouts = symmetry.layouts.get(name, ())
            still = not any(mover.moves(leaf) for layout in layouts for leaf in leaves(layout))
            moved[name] = value if still else by_blocks(value, layouts, partial(mover, tensor=name))
        return moved

    def then(self, later: "Element", symmetry: Symmetry) -> "Element":
        """One element that does what this one does, and then the later one."""
        orders = {
            name: picked(symmetry, name, self.orders.get(name, numbers_of(symmetry, name)), later.orders)
            for name in {**self.orders, **later.orders}
        }
        matrices = {}
        for name in {**self.matrices, **later.matrices}:
            before = self.matrices.get(name)
            if before is None:
                matrices[name] = later.matrices[name]
                continue
            before = _conjugated(symmetry, name, before, later.orders)
            matrices[name] = later.matrices[name] @ before if name in later.matrices else before
        scales = _products(symmetry, self.scales, later.scales, later.orders, symmetry.scalings)
        signs = _products(symmetry, self.signs, later.signs, later.orders, symmetry.signings)
        shares = _products(symmetry, self.shares, later.shares, later.orders, dict.fromkeys(symmetry.groups))
        return Element(orders, matrices, scales, signs, shares)

    def inverse(self, symmetry: Symmetry) -> "Element":
        """The element that undoes this one. Raises ValueError where units were split, merged or left out."""
        orders = {name: torch.argsort(order, -1) for name, order in self.orders.items()}
        # Units of an inner group are numbered inside the units around them, which are moved back as well.
        undone: dict[str, Tensor] = {}
        for name, order in self.orders.items():
            if not torch.equal(order.sort(-1).values, numbers_of(symmetry, name).expand_as(order)):
                raise ValueError(f"units of {name} were split or left out: there is no way back")
            undone[name] = picked(symmetry, name, orders[name], orders, outer_only=True)
        matrices = {
            name: _conjugated(symmetry, name, torch.linalg.inv(matrix), undone)
            for name, matrix in self.matrices.items()
        }
        scales = {
            name: picked(symmetry, symmetry.scalings[name].group, 1 / scale, undone)
            for name, scale in self.scales.items()
        }
        signs = {
            name: picked(symmetry, symmetry.signings[name].group, sign, undone) for name, sign in self.signs.items()
        }
        return Element(undone, matrices, scales, signs)


def numbers_of(symmetry: Symmetry, group: str) -> Tensor:
    """0 … n − 1 for every copy of a group. Shape (…, n)."""
    shape = symmetry.shape(group)
    return torch.arange(shape[-1]).expand(shape).clone()


def picked(
    symmetry: Symmetry, group: str, values: Tensor, orders: Mapping[str, Tensor], *, outer_only: bool = False
) -> Tensor:
    """Values of the units of a group, for the units that the orders put there.

    Shapes: values (…, n) → (…, n).
    """
    for axis, name in enumerate(symmetry.groups[group].outer):
        if name in orders:
            values = _taken(values, orders[name], axis)
    if outer_only or group not in orders:
        return values
    order = orders[group]
    return torch.gather(values.expand(*order.shape[:-1], values.shape[-1]), -1, order)


def _taken(values: Tensor, order: Tensor, axis: int) -> Tensor:
    """Entries along `axis` in an order that may differ for each index of the axes before it."""
    shape = (*order.shape, *[1] * (values.dim() - order.dim()))
    return torch.gather(values, axis, order.reshape(shape).expand(*order.shape, *values.shape[order.dim() :]))


def _conjugated(symmetry: Symmetry, group: str, matrix: Tensor, orders: Mapping[str, Tensor]) -> Tensor:
    """P·M·Pᵀ of the order P of a group, and M of the copies that the orders around put there."""
    for axis, name in enumerate(symmetry.groups[group].outer):
        if name in orders:
            matrix = _taken(matrix, orders[name], axis)
    if group in orders:
        order = orders[group]
        rows = torch.gather(matrix, -2, order[..., :, None].expand_as(matrix))
        matrix = torch.gather(rows, -1, order[..., None, :].expand_as(matrix))
    return matrix


def _products(
    symmetry: Symmetry,
    first: Mapping[str, Tensor],
    later: Mapping[str, Tensor],
    orders: Mapping[str, Tensor],
    homes: Mapping[str, object],
) -> dict[str, Tensor]:
    """Factors of one element and, on the units where they are then, of a later one."""
    products = dict(later)
    for name, factor in first.items():
        group = getattr(homes[name], "group", name)
        moved = picked(symmetry, group, factor, orders)
        products[name] = moved * later[name] if name in later else moved
    return products
