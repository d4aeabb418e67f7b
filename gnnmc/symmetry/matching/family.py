"""A group and all that lie inside it, moved together: where they are on a block, and their best element."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise, product
from typing import TypeAlias

import torch
from torch import Tensor

from gnnmc.symmetry.classes import SymmetryClass
from gnnmc.symmetry.element import Element, picked
from gnnmc.symmetry.group import Group
from gnnmc.symmetry.matching.assignment import Nested, assign_nested
from gnnmc.symmetry.matching.terms import Term
from gnnmc.symmetry.symmetry import Symmetry

# A group, and the signings that its units have where it stands: what one matrix of gains is of.
Key: TypeAlias = tuple[str, tuple[str, ...]]


@dataclass(frozen=True)
class Family:
    """top: a group that lies in no other. groups: it and all inside it, outer ones first; those without an order to be
    found (no class of permutations) are held where they are.
    """

    top: Group
    groups: tuple[Group, ...]

    @property
    def names(self) -> list[str]:
        """Of all its groups."""
        return [group.name for group in self.groups]


@dataclass(frozen=True)
class Face:
    """Axes of a block that together number the units of a group: those of the groups around it, then its own."""

    key: Key
    axes: tuple[int, ...]


def moves(group: Group) -> bool:
    """Whether its units may be put in another order."""
    return SymmetryClass.PERMUTATION in group.classes


def families(symmetry: Symmetry) -> list[Family]:
    """Of every group that lies in no other, where anything in it moves."""
    found = []
    for top in symmetry.groups.values():
        if top.outer:
            continue
        inside = [group for group in symmetry.groups.values() if top.name in group.outer]
        family = Family(top, (top, *sorted(inside, key=lambda group: len(group.outer))))
        if any(group.classes for group in family.groups):
            found.append(family)
    return found


def faces(symmetry: Symmetry, family: Family, term: Term) -> list[Face] | None:
    """Where the family is on a block: one face for a chain of groups within groups, several for a group that is on
    several axes. None where it is in no such way, so that its groups cannot be assigned together.
    """
    on = [group for group in family.groups if group.name in term.axes]
    if not any(group.classes for group in on):
        return []
    deepest = on[-1]
    if len(on) == 1 and not deepest.outer:
        places: list[tuple[int, ...]] = [(axis,) for axis in term.axes[deepest.name]]
    else:
        chain = all(below.outer == (*above.outer, above.name) for above, below in pairwise(on))
        if not chain or any(len(term.axes[group.name]) > 1 for group in on):
            return None
        places = [tuple(term.places[name] for name in (*deepest.outer, deepest.name))]
    return [
        Face((deepest.name, tuple(one for one in leaf.signings if one in symmetry.signings)), axes)
        for axes, leaf in zip(places, term.leaves[deepest.name], strict=True)
    ]


def best_element(symmetry: Symmetry, family: Family, gains: Mapping[Key, Tensor]) -> Element:
    """The orders, signs and rotations with the largest Σ gains·matrix; exactly.

    Shapes: gains: key → (U, U), U the product of `symmetry.shape` of its group.
    """
    totals: dict[str, Tensor] = {}
    # Rotations have reflections among them: signs of their own say nothing more.
    turned = [group.name for group in family.groups if SymmetryClass.ORTHOGONAL in group.classes]
    choices: dict[str, tuple[list[dict[str, int]], Tensor]] = {}
    for name in dict.fromkeys(name for name, _ in gains):
        of_group = {labels: value for (one, labels), value in gains.items() if one == name}
        labels = list(dict.fromkeys(label for one in of_group for label in one))
        if not labels or name in turned:
            totals[name] = torch.stack(list(of_group.values())).sum(0) if labels else of_group[()]
            continue
        # Which signs are best is a matter of the two units alone, so all are tried for every pair of these.
        signs = [dict(zip(labels, one, strict=True)) for one in product((1, -1), repeat=len(labels))]
        sums = torch.stack([_signed_sum(of_group, chosen) for chosen in signs])
        totals[name], chosen_signs = sums.max(0)
        choices[name] = signs, chosen_signs
    best = assign_nested(_nested(symmetry, family, family.top, totals))
    found: dict[str, Tensor] = {}
    for name, (signs, chosen_signs) in choices.items():
        order = flat_order(symmetry, name, best.orders)
        at = chosen_signs.cpu()[torch.arange(len(order)), order]
        for label in signs[0]:
            values = torch.tensor([float(one[label]) for one in signs])
            found[label] = values[at].reshape(symmetry.shape(name))
    return Element(best.orders, best.matrices, signs=found)


def flat_order(symmetry: Symmetry, name: str, orders: Mapping[str, Tensor]) -> Tensor:
    """Which old unit, of all copies in one, comes to each place. Shape (U,)."""
    shape = symmetry.shape(name)
    return picked(symmetry, name, torch.arange(torch.Size(shape).numel()).reshape(shape), orders).reshape(-1)


def _signed_sum(gains: Mapping[tuple[str, ...], Tensor], chosen: Mapping[str, int]) -> Tensor:
    values = [math.prod(chosen[label] for label in labels) * value for labels, value in gains.items()]
    return torch.stack(values).sum(0)


def _nested(symmetry: Symmetry, family: Family, group: Group, totals: Mapping[str, Tensor]) -> Nested:
    shape = symmetry.shape(group.name)
    units = torch.Size(shape).numel()
    inside = [below for below in family.groups if below.outer == (*group.outer, group.name)]
    return Nested(
        group.name,
        shape,
        totals[group.name] if group.name in totals else torch.zeros(units, units, dtype=torch.float64),
        tuple(_nested(symmetry, family, below, totals) for below in inside),
        held=not moves(group),
        turned=SymmetryClass.ORTHOGONAL in group.classes,
        centered=group.centered,
    )
