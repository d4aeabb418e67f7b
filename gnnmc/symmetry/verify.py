"""Numerical proof: what was read must leave the outputs where they are."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gnnmc.engine import ModelFunction
from gnnmc.errors import InputError
from gnnmc.seeding import torch_generator
from gnnmc.symmetry.classes import SymmetryClass
from gnnmc.symmetry.element import Element
from gnnmc.symmetry.evaluating import changed, outputs_on, some_items
from gnnmc.symmetry.group import Scaling, Signing
from gnnmc.symmetry.random import SPREAD, Draws, random_element
from gnnmc.symmetry.symmetry import Symmetry
from gnnmc.weights import Weights

DENSE = frozenset({SymmetryClass.ORTHOGONAL, SymmetryClass.INVERTIBLE})
# Largest difference of outputs in single precision, beside the larger of 1 and the largest output (science 3).
SAME_OUTPUTS = 1e-4
REASON = "a random element changes the outputs by {:.1g} of their size"
# Items that the model is asked on, where they can be had apart.
CHECKED = 64
# A larger share of the outputs is no matter of rounding, even after matrices that are hard to invert.
_BROKEN = 1e-3
# What is taken of a unit that stands twice, the one and the other time.
_SHARES = 0.3, 0.7


@dataclass(frozen=True)
class _Part:
    """Something that a symmetry allows: a class of a group."""

    group: str
    kind: SymmetryClass


class Far(Draws):
    """Elements that leave nothing where it is: all units of every set go round, in a random order."""

    def orders(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """One cycle through all n."""
        among = super().orders(shape, generator)
        return torch.empty_like(among).scatter_(-1, among, among.roll(1, -1))

    def logarithms(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """None near 0."""
        sizes = SPREAD * (0.5 + torch.rand(shape, generator=generator, dtype=torch.float64))
        return sizes * super().signs(shape, generator)

    def signs(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Both, where there are two units, and −1 for one."""
        signs = super().signs(shape, generator)
        signs[..., 1:2] = 1
        signs[..., :1] = -1
        return signs

    def turned(self, matrices: Tensor) -> Tensor:
        """With a trace of at most 0: √n away from the identity."""
        traces = matrices.diagonal(dim1=-2, dim2=-1).sum(-1)
        return torch.where((traces > 0)[..., None, None], -matrices, matrices)


class Exchanges(Far):
    """The same, but that two units of every set change places: with one cycle through all, these give every order."""

    def orders(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """A random pair exchanged."""
        among = Draws.orders(self, shape, generator)
        exchanged = torch.cat([among[..., :2].flip(-1), among[..., 2:]], -1)
        return torch.empty_like(among).scatter_(-1, among, exchanged)


def verified(
    symmetry: Symmetry, outputs: Callable[[Weights], Tensor], weights: Weights, *, tolerance: float, seed: int = 0
) -> Symmetry:
    """The same without what does not leave the outputs unchanged to `tolerance` of their size.

    weights: a point in general position: nothing zero that need not be, or too much would seem to be allowed.
    """
    check = _Check(symmetry, outputs, weights, seed)
    # Orders, factors and signs are one element; matrices another, since a group has an order or a matrix.
    orders = _parts(symmetry, (SymmetryClass.PERMUTATION, SymmetryClass.SCALING, SymmetryClass.SIGNED))
    for parts in (orders, _parts(symmetry, DENSE)):
        symmetry = _without(symmetry, _failing(parts, check.moved, tolerance))
    return _without(symmetry, _failing(_parts(symmetry, [SymmetryClass.SEMI]), check.shared, tolerance))


class _Check:
    """By how much of their size outputs change."""

    def __init__(self, symmetry: Symmetry, outputs: Callable[[Weights], Tensor], weights: Weights, seed: int) -> None:
        self._symmetry, self._outputs, self._weights, self._seed = symmetry, outputs, weights, seed
        self._reference = outputs(weights)

    def moved(self, parts: Collection[_Part]) -> float:
        """Under elements of these classes."""
        allowed: dict[str, set[SymmetryClass]] = {}
        for part in parts:
            allowed.setdefault(part.group, set()).add(part.kind)
        found = 0.0
        for number, draws in enumerate((Far(), Exchanges())):
            if number and not any(part.kind is SymmetryClass.PERMUTATION for part in parts):
                break
            generator = torch_generator("verify", self._seed, number)
            element = random_element(self._symmetry, generator, allowed, draws=draws)
            found = max(found, changed(self._reference, self._outputs(element.apply(self._symmetry, self._weights))))
        return found

    def shared(self, parts: Collection[_Part]) -> float:
        """When in the place of a unit that nothing is taken of there stands a copy of another, each taken in part."""
        generator = torch_generator("verify", self._seed, "shares")
        unread: dict[str, Tensor] = {}
        orders: dict[str, Tensor] = {}
        shares: dict[str, Tensor] = {}
        for part in parts:
            # In every copy of the group another pair.
            shape = self._symmetry.shape(part.group)
            among = torch.rand(shape, generator=generator).argsort(-1)
            live, spare = among[..., :1], among[..., 1:2]
            ones = torch.ones(shape, dtype=torch.float64)
            unread[part.group] = ones.scatter(-1, spare, 0.0)
            orders[part.group] = torch.arange(shape[-1]).expand(shape).scatter(-1, spare, live)
            shares[part.group] = ones.scatter(-1, live, _SHARES[0]).scatter(-1, spare, _SHARES[1])
        without = Element(shares=unread).apply(self._symmetry, self._weights)
        shared = Element(orders, shares=shares).apply(self._symmetry, without)
        return changed(self._outputs(without), self._outputs(shared))


def require_same_outputs(
    function: ModelFunction, symmetry: Symmetry, element: Element, weights: Weights, name: str = "b"
) -> float:
    """By what share of their size an element changes the outputs at the weights that it is meant to move.

    `find_symmetry` asks near the model's own weights. A forward that takes a number of units, or a branch, from the
    values of its weights may do another thing at these. Asked on 64 random items, those that are trained on first; on a
    graph, on all nodes. name: what the weights are called in an error.

    Raises InputError, naming the groups at fault, where the share is more than 1e-3.
    """
    outputs = outputs_on(function, some_items(function.problem, CHECKED, "moved"))
    before = outputs(weights)

    def by(moving: Element) -> float:
        return changed(before, outputs(moving.apply(symmetry, weights)))

    share = by(element)
    if share <= _BROKEN:
        return share
    each = {group: _of_group(element, symmetry, group) for group in symmetry.groups}
    broken = [group for group, own in each.items() if by(own) > _BROKEN]
    raise InputError(
        f"moving the units of {', '.join(broken) or 'several groups together'} changes the outputs at {name} by "
        f"{share:.2g} of their size, though not near the model's own weights: what the forward does depends on the "
        f"values of weights or data in a way that cannot be seen in advance, so that {name} cannot be aligned"
    )


def _of_group(element: Element, symmetry: Symmetry, group: str) -> Element:
    def own(parts: Mapping[str, Tensor], homes: Mapping[str, Scaling] | Mapping[str, Signing]) -> dict[str, Tensor]:
        return {name: part for name, part in parts.items() if homes[name].group == group}

    orders, matrices, shares = (
        {name: part for name, part in parts.items() if name == group}
        for parts in (element.orders, element.matrices, element.shares)
    )
    scales, signs = own(element.scales, symmetry.scalings), own(element.signs, symmetry.signings)
    return Element(orders, matrices, scales, signs, shares)


def _parts(symmetry: Symmetry, kinds: Collection[SymmetryClass]) -> list[_Part]:
    return [_Part(group.name, kind) for group in symmetry.groups.values() for kind in kinds if kind in group.classes]


def _failing(parts: Sequence[_Part], off: Callable[[Collection[_Part]], float], tolerance: float) -> dict[_Part, float]:
    if not parts or off(parts) <= tolerance:
        return {}
    failed = {part: by for part in parts if (by := off([part])) > tolerance}
    kept = [part for part in parts if part not in failed]
    # Each may be right alone and all together not: then none is believed.
    return failed if not kept or (by := off(kept)) <= tolerance else failed | dict.fromkeys(kept, by)


def _without(symmetry: Symmetry, failed: dict[_Part, float]) -> Symmetry:
    for part, by in failed.items():
        if part.kind is SymmetryClass.PERMUTATION:
            symmetry = symmetry.without([part.group], "check", REASON.format(by))
        else:
            symmetry = _without_class(symmetry, part)
    return symmetry


def _without_class(symmetry: Symmetry, part: _Part) -> Symmetry:
    group = symmetry.groups[part.group]
    gone = {part.kind, SymmetryClass.SEMI} if part.kind is SymmetryClass.SCALING else {part.kind}
    left = replace(group, classes=group.classes - gone, gauges=() if part.kind in DENSE else group.gauges)
    scaling, signed = part.kind is SymmetryClass.SCALING, part.kind is SymmetryClass.SIGNED
    return replace(
        symmetry,
        groups={**symmetry.groups, part.group: left},
        scalings={n: one for n, one in symmetry.scalings.items() if not scaling or one.group != part.group},
        signings={n: one for n, one in symmetry.signings.items() if not signed or one.group != part.group},
    )


def apart(before: Tensor, after: Tensor) -> tuple[float, float]:
    """Largest difference of outputs that should be the same, and the largest that rounding may make.

    Shapes: before, after (N, …).
    """
    return float((after - before).abs().max()), SAME_OUTPUTS * max(1.0, float(before.abs().max()))
