"""An element of a symmetry: what is done to the units of each group."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import torch
from torch import Tensor

from gnnmc.errors import InputError
from gnnmc.symmetry.layout import Units, by_blocks, leaves
from gnnmc.symmetry.move import Mover, taken
from gnnmc.symmetry.symmetry import Symmetry
from gnnmc.weights import Weights


@dataclass(frozen=True, eq=False)
class Element:
    """Orders, matrices, factors and signs by name; what is not named is left alone.

    Units are first put in order, then mixed by a matrix, then given factors and signs:
    new[i] = sign_i · scale_iᵉ · Σ_j M[i, j] · old[order[j]], with exponent e of the scaling on that axis. An order may
    name an old unit several times or not at all, and may have another length than there are old units; then `shares`
    says how much of the old unit those that read it take from each copy. before: an element that is applied first;
    `then` sets it where two elements are not one of this form (factors of units that a rotation mixes afterwards).

    Shapes (… = sizes of the groups around, outermost first):
        orders: group → (…, n) int64, numbers of old units; matrices: group → (…, n, n); scales: scaling → (…, n) > 0;
        signs: signing → (…, n) of 1 and −1; shares: group → (…, n)
    """

    orders: Mapping[str, Tensor] = field(default_factory=dict)
    matrices: Mapping[str, Tensor] = field(default_factory=dict)
    scales: Mapping[str, Tensor] = field(default_factory=dict)
    signs: Mapping[str, Tensor] = field(default_factory=dict)
    shares: Mapping[str, Tensor] = field(default_factory=dict)
    before: "Element | None" = field(default=None, kw_only=True)

    @property
    def steps(self) -> "tuple[Element, ...]":
        """The elements that are applied one after another, each of them without `before`."""
        return (self,) if self.before is None else (*self.before.steps, replace(self, before=None))

    def apply(self, symmetry: Symmetry, weights: Weights) -> dict[str, Tensor]:
        """The weights moved, as a new dict; tensors that nothing moves are shared with what was given."""
        if self.before is not None:
            weights = self.before.apply(symmetry, weights)
        mover = Mover(self.orders, self.matrices, self.scales, self.signs, self.shares, symmetry, weights)
        moved = {}
        for name, value in weights.items():
            layouts = symmetry.layouts.get(name, ())
            still = not any(mover.moves(leaf) for layout in layouts for leaf in leaves(layout))
            moved[name] = value if still else by_blocks(value, layouts, partial(mover, tensor=name))
        return moved

    def then(self, later: "Element", symmetry: Symmetry) -> "Element":
        """One element that does what this one does, and then the later one."""
        whole = self
        for step in later.steps:
            merged = _merged(whole, step, symmetry)
            whole = replace(step, before=whole) if merged is None else merged
        return whole

    def inverse(self, symmetry: Symmetry) -> "Element":
        """The element that undoes this one. Raises InputError where units were split, merged or left out."""
        undone = Element()
        for step in reversed(self.steps):
            undone = undone.then(_undone(step, symmetry), symmetry)
        return undone


def _merged(first: Element, later: Element, symmetry: Symmetry) -> Element | None:
    """Both as one step after what is before the first; None where that is not possible.

    Orders pass what the first does to units; a later matrix has to pass its factors and signs.
    """
    # P·M = (P·M·Pᵀ)·P holds where P is a permutation.
    if any(name in later.orders and not _is_permutation(symmetry, name, later.orders[name]) for name in first.matrices):
        return None
    if not first.shares.keys().isdisjoint(later.matrices):
        return None
    for name in first.scales:
        group = symmetry.scalings[name].group
        if group in later.matrices and _left_over(symmetry, group, partial(_exponent, name)) - {0}:
            return None
    signs = dict(first.signs)
    matrices = {name: _conjugated(symmetry, name, matrix, later.orders) for name, matrix in first.matrices.items()}
    for group, matrix in later.matrices.items():
        taken_in = _taken_in(symmetry, group, signs)
        if taken_in is None:
            return None
        for sign in taken_in:
            matrix = matrix * picked(symmetry, group, sign, later.orders)[..., None, :].to(matrix)
        matrices[group] = matrix @ matrices[group] if group in matrices else matrix
    orders = {
        name: picked(symmetry, name, first.orders.get(name, numbers_of(symmetry, name)), later.orders)
        for name in {**first.orders, **later.orders}
    }
    scales = _products(symmetry, first.scales, later.scales, later.orders, symmetry.scalings)
    signs = _products(symmetry, signs, later.signs, later.orders, symmetry.signings)
    shares = _products(symmetry, first.shares, later.shares, later.orders, dict.fromkeys(symmetry.groups))
    return Element(orders, matrices, scales, signs, shares, before=first.before)


def _undone(step: Element, symmetry: Symmetry) -> Element:
    orders: dict[str, Tensor] = {}
    for name in {**step.orders, **step.shares}:
        order = step.orders.get(name)
        if name in step.shares or order is None or not _is_permutation(symmetry, name, order):
            raise InputError(f"units of {name} were split or left out: there is no way back")
        orders[name] = torch.argsort(order, -1)
    # Units of an inner group are numbered inside the units around them, which are moved back as well.
    back = {name: picked(symmetry, name, order, orders, outer_only=True) for name, order in orders.items()}
    scales = {
        name: picked(symmetry, symmetry.scalings[name].group, 1 / scale, back) for name, scale in step.scales.items()
    }
    signs = {name: picked(symmetry, symmetry.signings[name].group, sign, back) for name, sign in step.signs.items()}
    matrices = {
        name: _conjugated(symmetry, name, torch.linalg.inv(matrix), back) for name, matrix in step.matrices.items()
    }
    # Factors and signs are undone before the matrix is: they were given after it.
    return Element(back, scales=scales, signs=signs).then(Element(matrices=matrices), symmetry)


def _taken_in(symmetry: Symmetry, group: str, signs: dict[str, Tensor]) -> list[Tensor] | None:
    """Signs of a group that a later matrix must take in; `signs` keeps those that pass it. None where neither is so.

    What is left of a sign that a matrix took in are the signs of γ, and of what stands behind γ; these pass.
    """
    gauges = dict(symmetry.groups[group].gauges)
    found = []
    for name in [name for name in signs if symmetry.signings[name].group == group]:
        left = {power % 2 for power in _left_over(symmetry, group, partial(_entering, name))}
        if left <= {0}:
            continue
        if left != {1}:
            return None
        sign = signs.pop(name)
        found.append(sign)
        for scaling, gauge in gauges.items():
            if any(_entering(name, leaf) for _, leaf in _leaves_of(symmetry, group, gauge)):
                other = _signing_of(symmetry, group, scaling, gauge)
                if other is None:
                    return None
                signs[other] = signs[other] * sign if other in signs else sign
    return found


def _signing_of(symmetry: Symmetry, group: str, scaling: str, gauge: str) -> str | None:
    """The signing of a γ: it enters on γ and on what stands behind it, and nowhere else."""
    gauges = dict(symmetry.groups[group].gauges).values()
    enters = [
        (leaf, tensor == gauge if tensor in gauges else _exponent(scaling, leaf) % 2 == 1)
        for tensor, leaf in _leaves_of(symmetry, group)
    ]
    for name, signing in symmetry.signings.items():
        if signing.group == group and all(_entering(name, leaf) == should for leaf, should in enters):
            return name
    return None


def _left_over(symmetry: Symmetry, group: str, power: Callable[[Units], int]) -> set[int]:
    """The powers to which a factor enters on the axes that a matrix of the group mixes, less what it changes there by
    changing γ: the matrix acts as γᵉ·M·γ⁻ᵉ. All zero: it passes the matrix.
    """
    gauges = dict(symmetry.groups[group].gauges)
    of_gauges = {
        scaling: power(leaf) for scaling, gauge in gauges.items() for _, leaf in _leaves_of(symmetry, group, gauge)
    }
    return {
        power(leaf) - sum(_exponent(scaling, leaf) * of_gauge for scaling, of_gauge in of_gauges.items())
        for tensor, leaf in _leaves_of(symmetry, group)
        if tensor not in gauges.values()
    }


def _leaves_of(symmetry: Symmetry, group: str, tensor: str | None = None) -> Iterator[tuple[str, Units]]:
    """Every place where the units of a group are, or those on one tensor."""
    for name, layouts in symmetry.layouts.items() if tensor is None else [(tensor, symmetry.layouts[tensor])]:
        for layout in layouts:
            for leaf in leaves(layout):
                if isinstance(leaf, Units) and leaf.group == group:
                    yield name, leaf


def _exponent(scaling: str, leaf: Units) -> int:
    return dict(leaf.scalings).get(scaling, 0)


def _entering(signing: str, leaf: Units) -> int:
    return int(signing in leaf.signings)


def _is_permutation(symmetry: Symmetry, group: str, order: Tensor) -> bool:
    numbers = torch.arange(symmetry.groups[group].size, device=order.device)
    return order.shape[-1] == len(numbers) and torch.equal(order.sort(-1).values, numbers.expand_as(order))


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
