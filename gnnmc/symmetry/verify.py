"""Numerical proof: a random element of what was read must leave the outputs where they are."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gnnmc.seeding import torch_generator
from gnnmc.symmetry.classes import SymmetryClass
from gnnmc.symmetry.element import Element
from gnnmc.symmetry.random import random_element
from gnnmc.symmetry.symmetry import Symmetry
from gnnmc.weights import Weights

DENSE = frozenset({SymmetryClass.ORTHOGONAL, SymmetryClass.INVERTIBLE})
# Largest difference of outputs in single precision, beside the larger of 1 and the largest output (science 3).
SAME_OUTPUTS = 1e-4
REASON = "a random element changes the outputs by {:.1g} of their size"


@dataclass(frozen=True)
class _Part:
    """Something that a symmetry allows: a class of a group."""

    group: str
    kind: SymmetryClass


def verified(
    symmetry: Symmetry, outputs: Callable[[Weights], Tensor], weights: Weights, *, tolerance: float, seed: int = 0
) -> Symmetry:
    """The same without what does not leave the outputs unchanged to `tolerance` of their size.

    weights: a point in general position: nothing zero that need not be, or too much would seem to be allowed.
    """
    reference = outputs(weights)
    size = float(reference.abs().max())

    def off(parts: Collection[_Part]) -> float:
        element = _element(symmetry, parts, seed)
        moved = outputs(element.apply(symmetry, weights))
        difference = float((moved - reference).abs().max()) / max(size, torch.finfo(reference.dtype).tiny)
        return difference if difference == difference else float("inf")

    # Orders, factors and signs are one element; matrices another, since a group has an order or a matrix.
    orders = [
        _Part(group.name, kind)
        for group in symmetry.groups.values()
        for kind in (SymmetryClass.PERMUTATION, SymmetryClass.SCALING, SymmetryClass.SIGNED)
        if kind in group.classes
    ]
    matrices = [_Part(group.name, kind) for group in symmetry.groups.values() for kind in DENSE & group.classes]
    failed: dict[_Part, float] = {}
    for parts in (orders, matrices):
        if parts and off(parts) > tolerance:
            failed |= _failing(parts, off, tolerance)
    return _without(symmetry, failed)


def _failing(
    parts: Collection[_Part], off: Callable[[Collection[_Part]], float], tolerance: float
) -> dict[_Part, float]:
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


def _element(symmetry: Symmetry, parts: Collection[_Part], seed: int) -> Element:
    allowed: dict[str, set[SymmetryClass]] = {}
    for part in parts:
        allowed.setdefault(part.group, set()).add(part.kind)
    return random_element(symmetry, torch_generator("verify", seed), allowed)


def apart(before: Tensor, after: Tensor) -> tuple[float, float]:
    """Largest difference of outputs that should be the same, and the largest that rounding may make.

    Shapes: before, after (N, …).
    """
    return float((after - before).abs().max()), SAME_OUTPUTS * max(1.0, float(before.abs().max()))
