"""The gauge of the norms: γ of one mode set to that of another, the readers behind it divided by the same factors.

A norm's γ and what reads behind it only count as a product. Where two modes split this product differently, the
straight line between them bends it, whatever rotation stands before; with equal γ the line is straight in the product
too.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from gnnmc.symmetry.classes import SymmetryClass
from gnnmc.symmetry.element import Element
from gnnmc.symmetry.layout import Units, leaves
from gnnmc.symmetry.symmetry import Symmetry
from gnnmc.weights import Weights

# Of the root mean square of γ: below, a unit is hardly read, and its readers would be multiplied by a large factor.
SMALL = 1e-2


@dataclass(frozen=True, eq=False)
class GaugeMatch:
    """element: factors, and signs where γ has the other sign. left: units whose γ was left as it is, since it is near
    zero in either mode or has a sign that may not be changed. units: all that were looked at.
    """

    element: Element
    left: int
    units: int


def match_gauges(symmetry: Symmetry, a: Weights, b: Weights) -> GaugeMatch:
    """The element that sets γ of b to γ of a, for every norm whose γ stands between units and their readers.

    To be done before units are put in order or rotated; where they are afterwards, γ of a no longer stands beside that
    of b: match again (`Element.then` composes both). Only scalings (and signings) that the symmetry holds are used.

    Shapes: a, b name → tensor.
    """
    scales: dict[str, Tensor] = {}
    signs: dict[str, Tensor] = {}
    left = units = 0
    for group in symmetry.groups.values():
        for scaling, tensor in group.gauges:
            if scaling not in symmetry.scalings:
                continue
            shape = symmetry.shape(group.name)
            ratio, near_zero = _ratio(a[tensor].double().reshape(shape), b[tensor].double().reshape(shape))
            signing = _signing(symmetry, tensor) if SymmetryClass.SIGNED in group.classes else None
            kept = near_zero if signing is not None else near_zero | (ratio < 0)
            ratio = torch.where(kept, 1, ratio)
            scales[scaling] = ratio.abs()
            if signing is not None and bool((ratio < 0).any()):
                signs[signing] = ratio.sign()
            left += int(kept.sum())
            units += kept.numel()
    return GaugeMatch(Element(scales=scales, signs=signs), left, units)


def _ratio(of_a: Tensor, of_b: Tensor) -> tuple[Tensor, Tensor]:
    """γ of a over γ of b, and where either is too near zero."""
    near_zero = torch.zeros_like(of_a, dtype=torch.bool)
    for gauge in (of_a, of_b):
        near_zero |= gauge.abs() <= SMALL * gauge.square().mean(-1, keepdim=True).sqrt()
    return of_a / torch.where(near_zero, 1, of_b), near_zero


def _signing(symmetry: Symmetry, tensor: str) -> str | None:
    """The sign that enters on γ, if there is one and no other."""
    names = {
        name
        for layout in symmetry.layouts[tensor]
        for leaf in leaves(layout)
        if isinstance(leaf, Units)
        for name in leaf.signings
        if name in symmetry.signings
    }
    return names.pop() if len(names) == 1 else None
