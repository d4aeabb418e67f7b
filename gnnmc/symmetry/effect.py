"""What an element does to each group of units: which classes it uses, and on which units."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gnnmc.symmetry.classes import SymmetryClass
from gnnmc.symmetry.element import Element
from gnnmc.symmetry.symmetry import Symmetry


@dataclass(frozen=True, eq=False)
class Effect:
    """On one group. classes: those that are used. units: on which of them something is done.

    Shapes: units (…, n) bool, … = sizes of the groups around.
    """

    classes: tuple[SymmetryClass, ...]
    units: Tensor


def effects_of(symmetry: Symmetry, element: Element) -> dict[str, Effect]:
    """Of every group that moves. An order that is the given one, a factor of 1 and the like are nothing done."""
    # Without its matrices an element is one step.
    plain = Element()
    for step in element.steps:
        plain = plain.then(replace(step, matrices={}), symmetry)
    found = {}
    for name, group in symmetry.groups.items():
        if not group.classes:
            continue
        units = torch.zeros(symmetry.shape(name), dtype=torch.bool)
        if name in plain.orders:
            units = torch.zeros(plain.orders[name].shape, dtype=torch.bool)
        classes = set()
        for kind, changed in (*_rearranged(plain, name), *_multiplied(symmetry, plain, name), *_mixed(element, name)):
            if bool(changed.any()):
                units = units | changed
                classes.add(_asked(group.classes, kind))
        found[name] = Effect(tuple(kind for kind in SymmetryClass if kind in classes), units)
    return found


def _rearranged(plain: Element, group: str) -> Iterator[tuple[SymmetryClass, Tensor]]:
    """Units of another place, and those of which only a share is read."""
    shared = torch.zeros(1, dtype=torch.bool)
    if group in plain.shares:
        shared = plain.shares[group].cpu() != 1
        yield SymmetryClass.SEMI, shared
    if group in plain.orders:
        order = plain.orders[group].cpu()
        yield SymmetryClass.PERMUTATION, (order != torch.arange(order.shape[-1])) & ~shared


def _multiplied(symmetry: Symmetry, plain: Element, group: str) -> Iterator[tuple[SymmetryClass, Tensor]]:
    for name, scale in plain.scales.items():
        if symmetry.scalings[name].group == group:
            yield SymmetryClass.SCALING, scale.cpu() != 1
    for name, sign in plain.signs.items():
        if symmetry.signings[name].group == group:
            yield SymmetryClass.SIGNED, sign.cpu() != 1


def _mixed(element: Element, group: str) -> Iterator[tuple[SymmetryClass, Tensor]]:
    for step in element.steps:
        if group in step.matrices:
            matrix = step.matrices[group].cpu()
            yield SymmetryClass.INVERTIBLE, (matrix != torch.eye(matrix.shape[-1])).any(-1)


def _asked(allowed: frozenset[SymmetryClass], kind: SymmetryClass) -> SymmetryClass:
    """A matrix is of the dense class that the group has; factors of γ are given along with a rotation."""
    if kind in (SymmetryClass.INVERTIBLE, SymmetryClass.SCALING) and kind not in allowed:
        return SymmetryClass.ORTHOGONAL if SymmetryClass.ORTHOGONAL in allowed else kind
    return kind
