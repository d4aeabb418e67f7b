"""One element after another, where the first gives signs to γ of norms that a rotation follows upon."""

from dataclasses import replace

from gnnmc.symmetry.element import Element, picked
from gnnmc.symmetry.layout import Units, leaves
from gnnmc.symmetry.symmetry import Symmetry


def composed(symmetry: Symmetry, first: Element, later: Element) -> Element:
    """What `first.then(later, symmetry)` is, also where several norms have signs of their own.

    Signs of γ and of what reads behind it pass a matrix: it is told in units of γ. So they are given last.
    """
    gauges = {scaling for group in symmetry.groups.values() for scaling, _ in group.gauges}
    of_gauges = {signing for scaling in gauges if (signing := signing_of(symmetry, scaling)) is not None}
    passing = {name: sign for name, sign in first.signs.items() if name in of_gauges}
    if not passing or not later.matrices:
        return first.then(later, symmetry)
    rest = {name: sign for name, sign in first.signs.items() if name not in passing}
    passed = {
        name: picked(symmetry, symmetry.signings[name].group, sign, later.orders) for name, sign in passing.items()
    }
    return replace(first, signs=rest).then(later, symmetry).then(Element(signs=passed), symmetry)


def signing_of(symmetry: Symmetry, scaling: str) -> str | None:
    """The signing that enters where a scaling does to an odd power, and nowhere else."""
    group = symmetry.scalings[scaling].group if scaling in symmetry.scalings else None
    on = [
        leaf
        for axes in symmetry.layouts.values()
        for layout in axes
        for leaf in leaves(layout)
        if isinstance(leaf, Units) and leaf.group == group
    ]
    odd = [dict(leaf.scalings).get(scaling, 0) % 2 == 1 for leaf in on]
    names = [name for name, one in symmetry.signings.items() if one.group == group]
    return next((name for name in names if [name in leaf.signings for leaf in on] == odd), None)
