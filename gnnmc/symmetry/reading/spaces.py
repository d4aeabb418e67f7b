"""Sets of units while a model is read: found to be the same, taken apart, tied together, or held fixed.

Every axis of every value is a tree over such sets (Whole, Chain for one part after another, Grid for several axes in
one). Reading only ever makes the symmetry smaller, so it is repeated until nothing changes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Reason:
    """Why units are not moved. kind: as of `Still`."""

    kind: str
    text: str


class Space:
    """A set of units, by union–find. outer: the set that holds one of these in each of its units (heads, for channels):
    each of them may then be moved in its own way.
    """

    __slots__ = ("family", "fixed", "outer", "parent", "size", "tied", "tree", "uniform")

    def __init__(self, size: int, fixed: Reason | None = None, outer: "Space | None" = None) -> None:
        self.size = size
        self.fixed = fixed
        self.outer = outer
        self.tied = False
        self.uniform = False
        self.parent: Space | None = None
        self.tree: Tree | None = None
        # Where the outer set was cut in parts: the sets of these in each part.
        self.family: list[tuple[Space, Space]] = []


@dataclass(frozen=True, eq=False)
class Whole:
    """An axis that is one set."""

    space: Space

    @property
    def size(self) -> int:
        """Entries."""
        return self.space.size


@dataclass(frozen=True, eq=False)
class Chain:
    """One part after another."""

    parts: "tuple[Tree, ...]"

    @property
    def size(self) -> int:
        """Entries."""
        return sum(part.size for part in self.parts)


@dataclass(frozen=True, eq=False)
class Grid:
    """Axes in one, the first outermost."""

    factors: "tuple[Tree, ...]"

    @property
    def size(self) -> int:
        """Entries."""
        total = 1
        for factor in self.factors:
            total *= factor.size
        return total


Tree: TypeAlias = Whole | Chain | Grid

SINGLE = Reason("input", "a single entry")


def root(space: Space) -> Space:
    """The set that stands for it."""
    while space.parent is not None:
        if space.parent.parent is not None:
            space.parent = space.parent.parent
        space = space.parent
    return space


def resolved(tree: Tree) -> Tree:
    """The tree as it is known now, in one form: sums within sums and products within products are opened, and a product
    whose outermost factor is a sum is a sum of products.
    """
    if isinstance(tree, Whole):
        top = root(tree.space)
        return resolved(top.tree) if top.tree is not None else Whole(top)
    if isinstance(tree, Chain):
        parts: list[Tree] = []
        for part in map(resolved, tree.parts):
            parts.extend(part.parts if isinstance(part, Chain) else [part])
        return parts[0] if len(parts) == 1 else Chain(tuple(parts))
    factors: list[Tree] = []
    for factor in map(resolved, tree.factors):
        if factor.size != 1:
            factors.extend(factor.factors if isinstance(factor, Grid) else [factor])
    if not factors:
        return Whole(Space(1, SINGLE))
    first, rest = factors[0], factors[1:]
    if not rest:
        return first
    if isinstance(first, Chain):
        return resolved(Chain(tuple(Grid((part, *restricted(rest, first, part))) for part in first.parts)))
    return Grid(tuple(factors))


def opened(tree: Tree) -> list[Tree]:
    """The factors of a tree as they were found, sums and sets within them not taken apart."""
    if isinstance(tree, Whole):
        top = root(tree.space)
        return [Whole(top)] if top.tree is None else opened(top.tree)
    if isinstance(tree, Chain):
        return opened(tree.parts[0]) if len(tree.parts) == 1 else [tree]
    return [one for factor in tree.factors if factor.size != 1 for one in opened(factor)]


def above(space: Space) -> Tree | None:
    """What holds a set: a set, the parts that it was cut in, or nothing."""
    top = root(space)
    if top.outer is None or top.size == 1:
        return None
    tree = resolved(Whole(top.outer))
    if isinstance(tree, Grid):
        tree = tree.factors[-1]
    return None if tree.size == 1 or isinstance(tree, Grid) else tree


def restricted(trees: Sequence[Tree], whole: Tree, part: Tree) -> list[Tree]:
    """Trees beside an axis of which only a part is left: sets in units of the whole become those in units of the part,
    and so do sets in these.
    """
    trees, part = [resolved(tree) for tree in trees], resolved(part)
    if not isinstance(part, Whole):
        return list(trees)
    cut = {id(space) for space in spaces_of(resolved(whole))}
    became: dict[int, Space] = {}
    every = [space for tree in trees for space in spaces_of(tree)]
    found = True
    while found:
        found = False
        for space in every:
            held = above(space)
            if held is None or id(space) in became:
                continue
            around = list(spaces_of(held))
            if any(id(one) in cut for one in around):
                became[id(space)] = member(space, part.space)
                found = True
            elif len(around) == 1 and id(around[0]) in became:
                became[id(space)] = member(space, became[id(around[0])])
                found = True
    return [_replaced(tree, became) for tree in trees]


def _replaced(tree: Tree, became: dict[int, Space]) -> Tree:
    if isinstance(tree, Whole):
        return Whole(became[id(tree.space)]) if id(tree.space) in became else tree
    if isinstance(tree, Chain):
        return Chain(tuple(_replaced(part, became) for part in tree.parts))
    return Grid(tuple(_replaced(factor, became) for factor in tree.factors))


def member(space: Space, part: Space) -> Space:
    """The set that lies in the units of a part of the outer one."""
    space, part = root(space), root(part)
    if space.outer is None:
        return space
    for outer, one in space.family:
        inside = list(spaces_of(resolved(Whole(outer))))
        if any(space_in is part for space_in in inside):
            return root(one) if len(inside) == 1 else member(one, part)
    made = Space(space.size, space.fixed, part if part.size > 1 else None)
    space.family.append((part, made))
    return made


def members(space: Space) -> list[list[Space]]:
    """The sets that a set stands for, one list for each part that what holds it was cut in, or one list."""
    held = above(space)
    if held is None:
        return [[space]]
    around = [one for leaf in spaces_of(held) for part in members(leaf) for one in part]
    if len(around) == 1 and around[0] is next(spaces_of(held)):
        return [[space]]
    return [list(spaces_of(resolved(Whole(member(space, one))))) for one in around]


def spaces_of(tree: Tree) -> Iterator[Space]:
    """The sets of a resolved tree, in order."""
    if isinstance(tree, Whole):
        yield tree.space
    else:
        for child in tree.parts if isinstance(tree, Chain) else tree.factors:
            yield from spaces_of(child)


def is_fixed(tree: Tree) -> bool:
    """Whether nothing in a resolved tree moves."""
    return all(space.fixed is not None for space in spaces_of(tree))
