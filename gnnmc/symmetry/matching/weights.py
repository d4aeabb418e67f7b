"""Matching by weights: the element under which the moved weights are nearest, by ascent over the groups in turn."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from gnnmc.seeding import torch_generator
from gnnmc.symmetry.classes import SymmetryClass
from gnnmc.symmetry.element import Element
from gnnmc.symmetry.group import Group
from gnnmc.symmetry.matching.assignment import Nested, assign, assign_nested
from gnnmc.symmetry.matching.circuits import circuit_of
from gnnmc.symmetry.matching.coupled import Coupled, raised
from gnnmc.symmetry.matching.folded import folded, without_gauges
from gnnmc.symmetry.matching.gauge import match_gauges
from gnnmc.symmetry.matching.invertible import head_costs, solve_invertible
from gnnmc.symmetry.matching.match import METHODS, Match
from gnnmc.symmetry.matching.procrustes import raised_rotation
from gnnmc.symmetry.matching.scaling import match_scales
from gnnmc.symmetry.matching.terms import Term, products, terms
from gnnmc.symmetry.random import random_element
from gnnmc.weights import Weights, distance

# Rounds over all groups; a handful is usual.
ROUNDS = 100
_TINY = 1e-12
# Of the squared distance, what a round must gain where matrices take part: these go on gaining ever less.
_LITTLE = 1e-4
# Of the solver of an invertible map, each time that it is its turn.
_STEPS = 12


@METHODS.register("weights")
def by_weights(match: Match) -> list[Element]:
    """Coordinate ascent on ⟨a, moved b⟩: each group in turn gets its best element with all others held.

    Orders by linear assignment (groups inside others for every pair of these), exactly; a group that is on two axes of
    one tensor by steps that are only taken if the exact objective rises; rotations by Procrustes. It never falls, and
    ends when no group gains more than 1e-12 of it.

    Source: Ainsworth et al. 2022, algorithm 1; rotations, Theus et al. 2025; science 3.
    """
    return [_best_of(match, a, b, number) for number, (a, b) in enumerate(match.pairs)]


def _best_of(match: Match, a: Weights, b: Weights, number: int) -> Element:
    best: tuple[float, Element] | None = None
    for restart in range(match.restarts):
        ascent = Ascent(match, a, b, torch_generator("matching", match.seed, restart))
        value = ascent.run(from_random=restart > 0)
        if best is None or value > best[0]:
            best = value, ascent.element
    assert best is not None
    return _with_factors(match, a, b, best[1])


def _with_factors(match: Match, a: Weights, b: Weights, element: Element) -> Element:
    """γ of the norms set to that of a, which orders and rotations left free, and factors of units where asked for."""
    symmetry = match.symmetry
    element = element.then(match_gauges(symmetry, a, element.apply(symmetry, b)).element, symmetry)
    if any(SymmetryClass.SCALING in group.classes for group in symmetry.groups.values()):
        element = element.then(match_scales(symmetry, a, element.apply(symmetry, b), match.counted), symmetry)
    return element


class Ascent:
    """One ascent from one start."""

    def __init__(self, match: Match, a: Weights, b: Weights, generator: torch.Generator) -> None:
        self._symmetry = without_gauges(match.symmetry)
        self._a, self._counted = folded(match.symmetry, match.counted, a)
        self._moved, _ = folded(match.symmetry, match.counted, b)
        self._generator = generator
        self.element = Element()

    def value(self) -> float:
        """Minus half of the squared distance; but for a constant ⟨a, moved b⟩, where nothing changes sizes."""
        return -(distance(self._a, self._moved, self._counted) ** 2) / 2

    def run(self, *, from_random: bool) -> float:
        """Rounds until nothing is gained. from_random: from orders drawn at random, not from those given."""
        if from_random:
            self._apply(random_element(self._symmetry, self._generator, [SymmetryClass.PERMUTATION]))
        tops = [group for group in self._symmetry.groups.values() if not group.outer and self._family(group)]
        for _ in range(ROUNDS):
            places = torch.randperm(len(tops), generator=self._generator).tolist()
            before = self.value()
            gained = [self._raise(tops[place]) for place in places]
            if not any(gained):
                break
            if self.element.matrices and self.value() - before <= -_LITTLE * before:
                break
        return self.value()

    def _family(self, top: Group) -> list[str]:
        """The group and all that lie inside it, as far as they move."""
        inside = [group for group in self._symmetry.groups.values() if top.name in group.outer]
        return [group.name for group in (top, *inside) if group.classes]

    def _mixed(self) -> list[Group]:
        """The groups that any invertible map may act on."""
        return [group for group in self._symmetry.groups.values() if SymmetryClass.INVERTIBLE in group.classes]

    def _raise(self, top: Group) -> bool:
        """Better orders for a group and what lies inside it, if there are any."""
        names = self._family(top)
        if SymmetryClass.ORTHOGONAL in top.classes:
            return self._turn(top)
        inner = [group for group in self._mixed() if group.name == top.name or top.name in group.outer]
        if inner:
            return self._mix(top, names, inner)
        found = list(terms(self._symmetry, self._counted, self._a, self._moved, names))
        if all(self._is_chain(term) for term in found):
            return self._take(self._assigned(top, names, found))
        gained = [self._raise_alone(self._symmetry.groups[name]) for name in names]
        return any(gained)

    def _is_chain(self, term: Term) -> bool:
        """Whether every group is on one axis, and each lies inside another of them."""
        groups = sorted((self._symmetry.groups[name] for name in term.axes), key=lambda group: len(group.outer))
        chain = all(inner.outer == (*outer.outer, outer.name) for outer, inner in pairwise(groups))
        return chain and all(len(axes) == 1 for axes in term.axes.values())

    def _assigned(self, top: Group, names: Sequence[str], found: Sequence[Term]) -> Element:
        """The exact best of a group and all inside it."""
        gains: dict[str, Tensor] = {}
        signed: dict[str, Tensor] = {}
        for term in found:
            axes = self._chain_axes(term)
            name = max(term.axes, key=lambda one: len(self._symmetry.groups[one].outer))
            signings = [one for leaf in term.leaves[name] for one in leaf.signings if one in self._symmetry.signings]
            into = signed if signings else gains
            value = products(term.a, term.b, axes).double()
            into[name] = into[name] + value if name in into else value
        orders = assign_nested(self._nested(top, names, gains, signed), held=not top.classes)
        signs: dict[str, Tensor] = {}
        for label, signing in self._symmetry.signings.items():
            if signing.group in signed and signing.group in orders:
                order = orders[signing.group]
                signs[label] = torch.where(signed[signing.group].gather(-1, order[:, None])[:, 0] < 0, -1.0, 1.0)
        return Element(orders, signs=signs)

    def _chain_axes(self, term: Term) -> list[int]:
        """The axes of a block that number a unit: those of the groups around, outermost first, then its own."""
        name = max(term.axes, key=lambda one: len(self._symmetry.groups[one].outer))
        around = self._symmetry.groups[name].outer
        return [term.places[one] for one in (*around, name)]

    def _nested(
        self, top: Group, names: Sequence[str], gains: Mapping[str, Tensor], signed: Mapping[str, Tensor]
    ) -> Nested:
        shape = self._symmetry.shape(top.name)
        units = torch.Size(shape).numel()
        total = gains.get(top.name, torch.zeros(units, units, dtype=torch.float64))
        if top.name in signed:
            total = total + signed[top.name].abs()
        inside = [
            group
            for group in self._symmetry.groups.values()
            if group.name in names and group.outer == (*top.outer, top.name)
        ]
        return Nested(top.name, shape, total, tuple(self._nested(group, names, gains, signed) for group in inside))

    def _raise_alone(self, group: Group) -> bool:
        """One group, all others held: copy by copy, with every axis that it is on."""
        shape = self._symmetry.shape(group.name)
        order = torch.arange(shape[-1]).expand(shape).clone()
        flat = order.reshape(-1, shape[-1])
        for copy, problem in enumerate(self._coupled(group)):
            if problem is not None:
                flat[copy] = raised(problem, flat[copy])
        return self._take(Element({group.name: flat.reshape(shape)}))

    def _turn(self, group: Group) -> bool:
        (problem,) = self._coupled(group)
        if problem is None:
            return False
        return self._take(Element(matrices={group.name: raised_rotation(problem, centered=group.centered)}))

    def _mix(self, top: Group, names: Sequence[str], inner: Sequence[Group]) -> bool:
        """Invertible maps inside the units of a group, and the order of these by what does not depend on them."""
        gained = False
        if top not in inner and top.classes:
            # Heads are compared by their circuits, which the maps inside leave as they are; then each gets its map.
            ordered = self._ordered_by_circuits(top, names, inner)
            gained = ordered is not None and self._take(self._mapped(ordered, inner))
        return self._take(self._mapped(Element(), inner)) or gained

    def _ordered_by_circuits(self, top: Group, names: Sequence[str], inner: Sequence[Group]) -> Element | None:
        circuits = [circuit_of(self._symmetry, self._counted, self._a, self._moved, group) for group in inner]
        others = set(names) - {top.name, *(group.name for group in inner)}
        if any(circuit is None for circuit in circuits) or others or len(self._symmetry.shape(top.name)) > 1:
            return None
        order = assign(-head_costs([circuit for circuit in circuits if circuit is not None]))
        return None if torch.equal(order, torch.arange(len(order))) else Element({top.name: order})

    def _mapped(self, first: Element, inner: Sequence[Group]) -> Element:
        """A step, and after it the best map of every group."""
        moved = first.apply(self._symmetry, self._moved)
        step = first
        for group in inner:
            circuit = circuit_of(self._symmetry, self._counted, self._a, moved, group)
            if circuit is not None:
                matrix = solve_invertible(*circuit, steps=_STEPS).reshape(*self._symmetry.shape(group.name), group.size)
                step = step.then(Element(matrices={group.name: matrix}), self._symmetry)
        return step

    def _coupled(self, group: Group) -> Iterator[Coupled | None]:
        """The objective in the order of one copy after another; None where the group is on more than two axes."""
        shape = self._symmetry.shape(group.name)
        found = list(terms(self._symmetry, self._counted, self._a, self._moved, [group.name]))
        for copy in range(torch.Size(shape[:-1]).numel()):
            linear = torch.zeros(shape[-1], shape[-1], dtype=torch.float64)
            pairs = []
            for term in found:
                a, b, axes = term.of_copy(group, copy, shape)
                if len(axes) == 1:
                    linear += products(a, b, axes).double().cpu()
                elif len(axes) == 2:
                    pairs.append((_in_front(a, axes), _in_front(b, axes)))
                else:
                    break
            else:
                yield Coupled(linear, pairs)
                continue
            yield None

    def _take(self, step: Element) -> bool:
        """Go a step if the exact objective rises by it."""
        touched = {
            name
            for group in (*step.orders, *step.matrices)
            for name, _ in self._symmetry.axes(group)
            if name in self._moved
        }
        tried = step.apply(self._symmetry, {name: self._moved[name] for name in touched})
        counted = [name for name in self._counted if name in touched]
        gain, size = 0.0, 0.0
        for name in counted:
            a, before, after = (one[name].double() for one in (self._a, self._moved, tried))
            # Half of what the squared distance falls by: for orders and rotations, what ⟨a, moved b⟩ gains.
            gain += float((a * (after - before)).sum() - (after.square().sum() - before.square().sum()) / 2)
            size += float(a.norm() * before.norm())
        if gain <= _TINY * max(size, 1.0):
            return False
        self._moved |= tried
        self.element = self.element.then(step, self._symmetry)
        return True

    def _apply(self, step: Element) -> None:
        self._moved |= step.apply(self._symmetry, self._moved)
        self.element = self.element.then(step, self._symmetry)


def _in_front(block: Tensor, axes: Sequence[int]) -> Tensor:
    """Two axes first, the others as one. Shape (n, n, r), float64."""
    rest = [axis for axis in range(block.dim()) if axis not in axes]
    size = block.shape[axes[0]]
    return block.permute(*axes, *rest).reshape(size, size, -1).double().cpu()
