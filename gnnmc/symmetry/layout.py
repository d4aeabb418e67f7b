"""How the axes of a tensor are moved by groups of units: as a whole, part by part, or factor by factor."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor


@dataclass(frozen=True)
class Units:
    """An axis, or a part or factor of one, whose entries are the units of a group.

    scalings: (name, exponent) pairs: the entry is multiplied by the unit's factor in that scaling to this power.
    signings: names of the signs that it is multiplied by. variance: 1 if a matrix of the group acts as it is, −1 if its
    inverse transpose does. reads: whether a matrix product of the model sums over this axis.
    """

    group: str
    size: int
    scalings: tuple[tuple[str, int], ...] = ()
    signings: tuple[str, ...] = ()
    variance: int = 1
    reads: bool = False


@dataclass(frozen=True)
class Fixed:
    """An axis, or a part or factor of one, that nothing moves."""

    size: int


@dataclass(frozen=True)
class Joined:
    """One part after another along the axis, as `torch.cat` lays them."""

    parts: "tuple[Layout, ...]"

    @property
    def size(self) -> int:
        """Entries along the axis."""
        return sum(part.size for part in self.parts)


@dataclass(frozen=True)
class Product:
    """Several axes flattened to one, the first outermost, as `Tensor.flatten` does (heads × channels)."""

    factors: "tuple[Layout, ...]"

    @property
    def size(self) -> int:
        """Entries along the axis."""
        total = 1
        for factor in self.factors:
            total *= factor.size
        return total


Layout: TypeAlias = Units | Fixed | Joined | Product
Leaf: TypeAlias = Units | Fixed


def leaves(layout: Layout) -> Iterator[Leaf]:
    """The units and fixed entries of an axis, in order."""
    if isinstance(layout, Joined):
        for part in layout.parts:
            yield from leaves(part)
    elif isinstance(layout, Product):
        for factor in layout.factors:
            yield from leaves(factor)
    else:
        yield layout


# (a block, the leaf of each of its axes) → the block moved, of as many axes
Move: TypeAlias = Callable[[Tensor, Sequence[Leaf]], Tensor]


def by_blocks(value: Tensor, layouts: Sequence[Layout], move: Move) -> Tensor:
    """Take a tensor apart until every axis of a block is a single leaf, move every block, and put it together again.

    Shapes: value (layouts[0].size, layouts[1].size, …) → the same, or with other sizes where `move` changes them.
    """
    for axis, layout in enumerate(layouts):
        if isinstance(layout, Joined):
            pieces = value.split([part.size for part in layout.parts], axis)
            parts = [
                by_blocks(piece, [*layouts[:axis], part, *layouts[axis + 1 :]], move)
                for piece, part in zip(pieces, layout.parts, strict=True)
            ]
            return torch.cat(parts, axis)
    for axis, layout in enumerate(layouts):
        if isinstance(layout, Product):
            opened = value.unflatten(axis, [factor.size for factor in layout.factors])
            moved = by_blocks(opened, [*layouts[:axis], *layout.factors, *layouts[axis + 1 :]], move)
            return moved.flatten(axis, axis + len(layout.factors) - 1)
    return move(value, [layout for layout in layouts if isinstance(layout, Units | Fixed)])


def blocks(value: Tensor, layouts: Sequence[Layout]) -> Iterator[tuple[Tensor, tuple[Leaf, ...]]]:
    """The blocks that `by_blocks` moves: views of the tensor, each with the leaf of every one of its axes."""
    for axis, layout in enumerate(layouts):
        if isinstance(layout, Joined):
            start = 0
            for part in layout.parts:
                yield from blocks(value.narrow(axis, start, part.size), [*layouts[:axis], part, *layouts[axis + 1 :]])
                start += part.size
            return
    for axis, layout in enumerate(layouts):
        if isinstance(layout, Product):
            opened = value.unflatten(axis, [factor.size for factor in layout.factors])
            yield from blocks(opened, [*layouts[:axis], *layout.factors, *layouts[axis + 1 :]])
            return
    yield value, tuple(layout for layout in layouts if isinstance(layout, Units | Fixed))
