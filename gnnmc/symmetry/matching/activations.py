"""Matching by activations: units that answer to the data alike."""

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gnnmc.engine import MEMORY
from gnnmc.numbers import whole_number
from gnnmc.symmetry.classes import SymmetryClass
from gnnmc.symmetry.element import Element
from gnnmc.symmetry.group import Group
from gnnmc.symmetry.layout import Units
from gnnmc.symmetry.matching.assignment import Nested, assign, assign_nested
from gnnmc.symmetry.matching.correlations import Seen, of_distinct, seen_of_pairs
from gnnmc.symmetry.matching.match import Found, Match, register
from gnnmc.symmetry.recorded import ITEMS, Recorded
from gnnmc.symmetry.symmetry import Symmetry

# Rounds over groups that are seen on one value beside others, which must be in order first.
SWEEPS = 20
# Correlations of all units of several groups on one value, beyond which others are taken in the order that they have.
_MOST_NUMBERS = 2**22
_INSTEAD = "use method='weights', which compares the weights alone"


@dataclass(frozen=True, kw_only=True)
class ActivationSettings:
    """items: how many training items to compare on, where items can be had apart."""

    items: int = ITEMS

    def __post_init__(self) -> None:
        whole_number("items", self.items, 1)


@register("activations", classes=[SymmetryClass.PERMUTATION, SymmetryClass.SIGNED], settings=ActivationSettings)
def by_activations(match: Match, chosen: ActivationSettings) -> list[Found]:
    """One order for each group, by which the correlations of the units of a and b that vary sum to the most.

    Units are compared over all nodes, pixels or tokens, without labels, where they are read or just after a function of
    each unit. Where a group is seen on several values (a residual stream) their correlations are summed: one order must
    serve all of them, each value has one voice whatever its scale, and only then does the result not depend on which of
    them is taken. Groups within groups: the best order of the inner units for every pair of outer ones, then the outer
    ones. Units that may change sign are compared by the absolute correlation, and get the sign. Units that do not vary
    (dead ones) have no correlation: they are matched last. Groups that are seen nowhere stay as they are.

    Options: `ActivationSettings`. Objective: 1 − the mean correlation of units of a and b in one place, over those that
    vary, each value with one voice. Figures: correlation, of each group the mean over the matched units that vary;
    dead, of each group with units that do not vary, how many do not in a and in b.

    Raises InputError for a forward that cannot be recorded.
    Source: Ainsworth et al. 2022, section 3.1 (Li et al. 2015); nested, science 3.
    """
    symmetry = match.symmetry
    if not any(group.classes & {SymmetryClass.PERMUTATION, SymmetryClass.SIGNED} for group in symmetry.groups.values()):
        return [Found.of(Element(), 1.0, 1.0) for _ in match.pairs]
    recorded = Recorded(match.model.function, chosen.items, _INSTEAD)
    weights, pairs = of_distinct(match.pairs)
    if weights:
        recorded.require_agreement(weights[-1])
    found: list[Found] = []
    for some in _fitting(pairs, MEMORY // _bytes_each(recorded)):
        used = sorted({place for pair in some for place in pair})
        numbered = [(used.index(a), used.index(b)) for a, b in some]
        for seen in seen_of_pairs(recorded, symmetry, [weights[place] for place in used], numbered):
            found.append(_Matching(symmetry, seen).found())
    return found


def _bytes_each(recorded: Recorded) -> int:
    """What a mode takes, about: its widest value, in double precision and a few times, and its weights."""
    sizes = {number: shape.numel() for number, shape in recorded.trace.shapes.items()}
    return 8 * 4 * max(sizes.values()) + 4 * sum(sizes[number] for number in recorded.trace.inputs.values())


def _fitting(pairs: Sequence[tuple[int, int]], modes: int) -> Iterator[list[tuple[int, int]]]:
    """Pairs one after another, with so many modes at once, or one pair."""
    some: list[tuple[int, int]] = []
    for pair in pairs:
        if some and len({place for one in (*some, pair) for place in one}) > modes:
            yield some
            some = []
        some.append(pair)
    if some:
        yield some


@dataclass(frozen=True, eq=False)
class _Gains:
    """Of putting unit j of b where unit i of a is, for all copies of a group.

    Shapes: total (U, U), shifted so that units that vary are worth matching; correlation (U, U), the mean over the
    values; combination (U, U), which of the group's `signs` is best; dead_a, dead_b (U,).
    """

    total: Tensor
    correlation: Tensor
    combination: Tensor
    signs: Sequence[Mapping[str, float]]
    dead_a: Tensor
    dead_b: Tensor


class _Matching:
    """Of one pair."""

    def __init__(self, symmetry: Symmetry, seen: Sequence[Seen]) -> None:
        self._symmetry = symmetry
        self._seen = seen
        self._orders: dict[str, Tensor] = {}
        self._gains: dict[str, _Gains] = {}

    def found(self) -> Found:
        """Orders, signs and figures. Groups that share a value are assigned in turn until nothing changes."""
        families = [family for top in self._symmetry.groups.values() if not top.outer and (family := self._family(top))]
        beside = [family for family in families if self._is_beside_others(family)]
        for family in (*(one for one in families if one not in beside), *beside):
            self._assign(family, known_only=True)
        for _ in range(SWEEPS if beside else 0):
            changed = [self._assign(family, known_only=False) for family in beside]
            if not any(changed):
                break
        signs: dict[str, Tensor] = {}
        figures: dict[str, dict[str, object]] = {"correlation": {}, "dead": {}}
        for name, gains in self._gains.items():
            self._conclude(name, gains, signs, figures)
        found = Element(dict(self._orders), signs=signs)
        return Found.of(found, 1 - self._agreement(Element()), 1 - self._agreement(found), **figures)

    def _moves(self, name: str) -> bool:
        return bool(self._symmetry.groups[name].classes & {SymmetryClass.PERMUTATION, SymmetryClass.SIGNED})

    def _family(self, top: Group) -> list[str]:
        """A group and those inside it, as far as they move; outer ones first."""
        groups = [top, *(group for group in self._symmetry.groups.values() if top.name in group.outer)]
        return [group.name for group in sorted(groups, key=lambda one: len(one.outer)) if self._moves(group.name)]

    def _is_beside_others(self, family: Sequence[str]) -> bool:
        return any(
            not one.matched.isdisjoint(family) and any(self._moves(name) for name in one.groups if name not in family)
            for one in self._seen
        )

    def _assign(self, family: Sequence[str], *, known_only: bool) -> bool:
        """Orders for a family, whether they are others than before. known_only: by values on which all others have
        their order; else those that have none yet are taken in the best order for every pair of units.
        """
        gains = {name: made for name in family if (made := self._gains_of(name, family, known_only)) is not None}
        if not gains:
            return False
        chain = (*self._symmetry.groups[family[0]].outer, family[0])
        top = self._symmetry.groups[chain[0]]
        orders = assign_nested(self._nested(top, gains)).orders
        changed = any(name not in self._orders or not torch.equal(self._orders[name], orders[name]) for name in orders)
        self._orders |= orders
        self._gains |= gains
        return changed

    def _nested(self, group: Group, gains: Mapping[str, _Gains]) -> Nested:
        shape = self._symmetry.shape(group.name)
        units = torch.Size(shape).numel()
        total = gains[group.name].total if group.name in gains else torch.zeros(units, units, dtype=torch.float64)
        if SymmetryClass.PERMUTATION not in group.classes:
            # Signs alone: every unit keeps its place.
            apart = ~torch.eye(shape[-1], dtype=torch.bool).repeat(units // shape[-1], units // shape[-1])
            total = total.masked_fill(apart, -1e6 * max(1.0, float(total.abs().max())))
        around = (*group.outer, group.name)
        inside = [one for one in self._symmetry.groups.values() if one.outer[: len(around)] == around]
        direct = [one for one in inside if len(one.outer) == len(around)]
        # What is seen nowhere, with all inside it, goes with the units that it is in.
        kept = [
            one
            for one in direct
            if one.name in gains or any(one.name in other.outer and other.name in gains for other in inside)
        ]
        return Nested(
            group.name,
            shape,
            total,
            tuple(self._nested(one, gains) for one in kept),
            held=not group.outer and SymmetryClass.PERMUTATION not in group.classes,
        )

    def _gains_of(self, name: str, family: Sequence[str], known_only: bool) -> _Gains | None:
        """Correlations summed over the values that the group is compared on, for each choice of its signs."""
        group = self._symmetry.groups[name]
        signings = [label for label, one in self._symmetry.signings.items() if one.group == name]
        units = torch.Size(self._symmetry.shape(name)).numel()
        choices = [dict(zip(signings, signs)) for signs in itertools.product((1.0, -1.0), repeat=len(signings))]
        sums = torch.zeros(len(choices), units, units, dtype=torch.float64)
        dead_a = torch.ones(units, dtype=torch.bool)
        dead_b = dead_a.clone()
        together = torch.zeros(units, units, dtype=torch.float64)
        weight = 0
        for one in self._seen:
            if name not in one.matched or not self._is_usable(one, group, family, known_only):
                continue
            correlation, counted, of_a, of_b = self._without_others(one, group)
            for place, choice in enumerate(choices):
                sign = 1.0
                for label in one.flipped.intersection(choice):
                    sign *= choice[label]
                sums[place] += sign * correlation
            dead_a &= of_a
            dead_b &= of_b
            together += counted
            weight += one.dead_a.numel() // units
        if weight == 0:
            return None
        best, combination = sums.max(0)
        # A unit that varies is worth more with any other that does than with one that does not.
        vary = ~dead_a[:, None] & ~dead_b[None, :]
        total = torch.where(vary, best + weight, 0.0)
        same = torch.eye(units, dtype=torch.float64) * (dead_a & dead_b)
        return _Gains(total + 1e-9 * same, best / together, combination, choices, dead_a, dead_b)

    def _is_usable(self, one: Seen, group: Group, family: Sequence[str], known_only: bool) -> bool:
        chain = (*group.outer, group.name)
        others = [name for name in one.groups if name not in chain]
        if not set(chain) <= set(one.groups) or any(name in family for name in others):
            return False  # what lies inside the group counts for that
        if any(self._symmetry.signings[label].group in others for label in one.flipped):
            return False  # signs of others that are not known
        return not known_only or all(name in self._orders for name in others if self._moves(name))

    def _without_others(self, one: Seen, group: Group) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Correlations of the group's units, summed over the other groups on the value, these in order; of how many
        places; and the dead.

        Shapes: → (U, U), (U, U), (U,), (U,).
        """
        chain = [one.groups.index(name) for name in (*group.outer, group.name)]
        rest = [axis for axis in range(len(one.groups)) if axis not in chain]
        dims = len(one.groups)
        units = torch.Size([one.sizes[axis] for axis in chain]).numel()
        order = [*chain, *rest]
        others = one.dead_a.numel() // units
        moved = one.correlation.permute(*order, *(dims + axis for axis in order))
        moved = moved.reshape(units, others, units, others)
        partner = self._partners([one.groups[axis] for axis in rest])
        unknown = any(self._moves(one.groups[axis]) and one.groups[axis] not in self._orders for axis in rest)
        if unknown and moved.numel() <= _MOST_NUMBERS:
            # As if they were inside: whatever their order is, the units that belong together are not worse for it.
            summed = torch.empty(units, units, dtype=torch.float64)
            for i, j in itertools.product(range(units), repeat=2):
                pairs = moved[i, :, j]
                summed[i, j] = pairs.gather(1, assign(pairs)[:, None]).sum()
        else:
            summed = moved[:, torch.arange(others), :, partner].sum(0)
        dead_a, dead_b = (dead.permute(order).reshape(units, others) for dead in (one.dead_a, one.dead_b))
        counted = (~dead_a).double() @ (~dead_b[:, partner]).double().T
        return summed, counted, dead_a.all(1), dead_b.all(1)

    def _partners(self, names: Sequence[str]) -> Tensor:
        """For every entry of an array with these groups as axes, which entry of b stands there. Shape: (U,)."""
        return self._placed(names, Element(self._orders), ())[0]

    def _placed(self, names: Sequence[str], element: Element, flipped: Collection[str]) -> tuple[Tensor, Tensor]:
        """Of an element: which entry of b stands in every place of an array with these groups as axes, and its sign,
        of the signings that the array has. Shapes: (U,), (U,).
        """
        shape = [self._symmetry.groups[name].size for name in names]
        numbers = torch.arange(1, torch.Size(shape).numel() + 1, dtype=torch.float64).reshape(shape)
        signings = self._symmetry.signings
        axes = tuple(
            Units(name, size, signings=tuple(label for label in flipped if signings[label].group == name))
            for name, size in zip(names, shape, strict=True)
        )
        held = {name: order for name, order in element.orders.items() if name in names}
        alone = replace(self._symmetry, layouts={"numbers": axes})
        moved = Element(held, signs=element.signs).apply(alone, {"numbers": numbers})["numbers"].reshape(-1)
        return moved.abs().long() - 1, moved.sign()

    def _agreement(self, element: Element) -> float:
        """The mean correlation of units of a and of b moved in one place; nothing where none is compared."""
        means = []
        for one in self._seen:
            if any(not set(self._symmetry.groups[name].outer) <= set(one.groups) for name in one.groups):
                continue  # orders inside units that the value does not tell apart
            partner, sign = self._placed(one.groups, element, one.flipped)
            vary = ~one.dead_a.reshape(-1) & ~one.dead_b.reshape(-1)[partner]
            every = len(partner)
            found = one.correlation.reshape(every, every)[torch.arange(every), partner] * sign
            if bool(vary.any()):
                means.append(found[vary].mean())
        return float(torch.stack(means).mean()) if means else 0.0

    def _conclude(
        self, name: str, gains: _Gains, signs: dict[str, Tensor], figures: Mapping[str, dict[str, object]]
    ) -> None:
        group = self._symmetry.groups[name]
        partner = self._partners((*group.outer, name))
        units = torch.arange(len(partner))
        shape = self._symmetry.shape(name)
        chosen = gains.combination[units, partner]
        for label in gains.signs[0]:
            signs[label] = torch.tensor([one[label] for one in gains.signs], dtype=torch.float64)[chosen].reshape(shape)
        vary = ~gains.dead_a & ~gains.dead_b[partner]
        figures["correlation"][name] = (
            float(gains.correlation[units, partner][vary].mean()) if bool(vary.any()) else float("nan")
        )
        if bool(gains.dead_a.any() or gains.dead_b.any()):
            figures["dead"][name] = (int(gains.dead_a.sum()), int(gains.dead_b.sum()))
