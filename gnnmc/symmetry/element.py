"""An element of a symmetry: what is done to the units of each group."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor

from gnnmc.symmetry.layout import Units, by_blocks, leaves
from gnnmc.symmetry.move import Mover, taken
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
        matrices: dict[str, Tensor] = {}
        first_signs = dict(self.signs)
        for name in {**self.matrices, **later.matrices}:
            parts = [later.matrices[name]] if name in later.matrices else []
            if parts:
                # Signs that this element gives come before the later matrix: they become part of it.
                parts += _as_matrices(symmetry, name, first_signs, later.orders)
            if name in self.matrices:
                parts.append(_conjugated(symmetry, name, self.matrices[name], later.orders))
            matrices[name] = functools.reduce(torch.matmul, parts)
        scales = _products(symmetry, self.scales, later.scales, later.orders, symmetry.scalings)
        signs = _products(symmetry, first_signs, later.signs, later.orders, symmetry.signings)
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


def _as_matrices(
    symmetry: Symmetry, group: str, signs: dict[str, Tensor], orders: Mapping[str, Tensor]
) -> list[Tensor]:
    """Signs of a group that a matrix after them must take in; `signs` keeps those that pass it.

    Those of γ pass: where γ stands between, the matrix is told in units of it. What else is left of signs that a matrix
    took in must be such signs, too.
    """
    gauges = dict(symmetry.groups[group].gauges)
    on: list[tuple[str, Units]] = [
        (tensor, leaf)
        for tensor, axes in symmetry.layouts.items()
        for layout in axes
        for leaf in leaves(layout)
        if isinstance(leaf, Units) and leaf.group == group
    ]
    passing = [sum(power for name, power in leaf.scalings if name in gauges) % 2 == 1 for _, leaf in on]
    mixed = [tensor not in gauges.values() for tensor, _ in on]
    own = [name for name, signing in symmetry.signings.items() if signing.group == group]
    where = {name: [name in leaf.signings for _, leaf in on] for name in own}
    found = []
    for name in own:
        if name not in signs or where[name] == passing:
            continue
        sign = signs.pop(name)
        found.append(torch.diag_embed(picked(symmetry, group, sign, orders)))
        left = [signed != taken for signed, taken in zip(where[name], mixed, strict=True)]
        if any(left):
            other = next((one for one in own if where[one] == left == passing), None)
            if other is None:
                raise ValueError(f"no one element gives signs to units of {group} and then mixes them")
            signs[other] = signs[other] * sign if other in signs else sign
    return found


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
            values = taken(values, orders[name], axis)
    if outer_only or group not in orders:
        return values
    order = orders[group]
    return torch.gather(values.expand(*order.shape[:-1], values.shape[-1]), -1, order)


def _conjugated(symmetry: Symmetry, group: str, matrix: Tensor, orders: Mapping[str, Tensor]) -> Tensor:
    """P·M·Pᵀ of the order P of a group, and M of the copies that the orders around put there."""
    for axis, name in enumerate(symmetry.groups[group].outer):
        if name in orders:
            matrix = taken(matrix, orders[name], axis)
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
