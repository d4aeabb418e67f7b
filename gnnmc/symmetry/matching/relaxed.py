"""The symmetry as descent sees it: orders are matrices, by which a loss can be differentiated."""

from collections.abc import Collection
from dataclasses import replace

from gnnmc.symmetry.layout import Joined, Layout, Product, Units, leaves
from gnnmc.symmetry.symmetry import Symmetry


def relaxed(symmetry: Symmetry, orders: Collection[str], rotations: Collection[str] = ()) -> Symmetry:
    """The same, for elements that have a matrix for every group, also for those that are to be put in an order.

    The matrix of an order moves what reads the units as it moves what writes them, since it is its own inverse
    transpose; continued off the permutations as P⁻ᵀ, readers would pull its gradient the other way. orders, rotations:
    names of the groups of each kind.
    """
    same = {*orders, *rotations}
    layouts = {
        name: tuple(_without_inverses(layout, same) for layout in axes) for name, axes in symmetry.layouts.items()
    }
    return replace(symmetry, layouts=layouts)


def moving_names(symmetry: Symmetry) -> list[str]:
    """The tensors that anything may be done to: that have units on an axis which move, or lie in some that do."""
    moving = {name for name, group in symmetry.groups.items() if group.classes}

    def moves(layout: Layout) -> bool:
        return any(
            isinstance(leaf, Units) and moving & {leaf.group, *symmetry.groups[leaf.group].outer}
            for leaf in leaves(layout)
        )

    return [name for name, axes in symmetry.layouts.items() if any(moves(layout) for layout in axes)]


def _without_inverses(layout: Layout, groups: Collection[str]) -> Layout:
    if isinstance(layout, Joined):
        return Joined(tuple(_without_inverses(part, groups) for part in layout.parts))
    if isinstance(layout, Product):
        return Product(tuple(_without_inverses(factor, groups) for factor in layout.factors))
    return replace(layout, variance=1) if isinstance(layout, Units) and layout.group in groups else layout
