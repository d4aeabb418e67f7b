"""Sets of units while a model is read: merged, split, tied across the units of an outer set, or fixed.

Every axis of every value is a tree over such sets (Whole, Chain for one part after another, Grid for several axes in
one). Reading only ever makes the symmetry smaller, so it is repeated until nothing changes.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

# The first entry of a part and the one after its last, for each set around that was cut, outermost first. Told by where
# they are and not by what they are: queries, keys and values are parts whose units are one set.
Place: TypeAlias = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Reason:
    """Why units are not moved. kind: as of `Still`."""

    kind: str
    text: str


class Space:
    """A set of units, a node of a union–find forest.

    outer: the set that this one is nested in (heads, for channels): each outer unit has a copy, moved in its own way.
    tied: all copies are moved in the same way. given_up: tied only because nothing better could be shown.
    """

    __slots__ = ("family", "fixed", "given_up", "outer", "parent", "size", "tied", "tree", "uniform")

    def __init__(self, size: int, fixed: Reason | None = None, outer: "Space | None" = None) -> None:
        self.size = size
        self.fixed = fixed
        self.outer = outer
        self.tied = False
        self.given_up = False
        self.uniform = False
        self.parent: Space | None = None
        self.tree: Tree | None = None
        # Where what holds it was cut in parts: the sets of these in each part, by place.
        self.family: list[tuple[Place, Space]] = []


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
UNUSED = Reason("unused", "no output depends on it")


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
        ends = list(itertools.accumulate(part.size for part in first.parts))
        each = zip(first.parts, ends, strict=True)
        return resolved(Chain(tuple(Grid((one, *restricted(rest, first, end - one.size, end))) for one, end in each)))
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
    return None if top.size == 1 else _holder(top)


def _holder(top: Space) -> Tree | None:
    if top.outer is None:
        return None
    factors = opened(Whole(top.outer))
    tree = resolved(factors[-1]) if factors else Whole(root(top.outer))
    if isinstance(tree, Grid):
        return None
    # A single unit has whatever holds it in its place.
    return _holder(tree.space) if isinstance(tree, Whole) and tree.size == 1 else tree


def restricted(trees: Sequence[Tree], whole: Tree, start: int, stop: int) -> list[Tree]:
    """Trees beside an axis of which one part is left: sets in units of the whole become those in units of the part."""
    whole = resolved(whole)
    trees = [resolved(tree) for tree in trees]
    became: dict[int, Space] = {}
    for space in (one for tree in trees for one in spaces_of(tree)):
        cut = _cut_above(space)
        offset = _place_in(whole, cut) if cut is not None else None
        if offset is not None and any(len(place) == 1 for place in places(space)):
            place = ((start - offset, stop - offset),)
            if place in places(space):
                became[id(space)] = member(space, place)
    return [_replaced(tree, became) for tree in trees]


def _cut_above(space: Space) -> Chain | None:
    """The parts of the set nearest above that was cut."""
    held = above(space)
    return _cut_above(held.space) if isinstance(held, Whole) else held if isinstance(held, Chain) else None


def _place_in(whole: Tree, cut: Chain) -> int | None:
    """The entry of an axis at which these parts begin."""
    parts = whole.parts if isinstance(whole, Chain) else (whole,)
    wanted = [[*spaces_of(part)] for part in cut.parts]
    for first in range(len(parts) - len(wanted) + 1):
        if [[*spaces_of(part)] for part in parts[first : first + len(wanted)]] == wanted:
            return sum(part.size for part in parts[:first])
    return None


def at_place(tree: Tree, place: Place) -> Tree:
    """A resolved tree with the sets that it has at a place."""
    spaces = {id(space): space for space in spaces_of(tree)}
    return _replaced(tree, {name: member(one, place) for name, one in spaces.items() if place in places(one)})


def _replaced(tree: Tree, became: dict[int, Space]) -> Tree:
    if isinstance(tree, Whole):
        return Whole(became[id(tree.space)]) if id(tree.space) in became else tree
    if isinstance(tree, Chain):
        return Chain(tuple(_replaced(part, became) for part in tree.parts))
    return Grid(tuple(_replaced(factor, became) for factor in tree.factors))


def places(space: Space) -> list[Place]:
    """The parts that what holds a set was cut in; one that is () where it was not."""
    held = above(space)
    if held is None:
        return [()]
    found: list[Place] = []
    start = 0
    for part in held.parts if isinstance(held, Chain) else (held,):
        own = ((start, start + part.size),) if isinstance(held, Chain) else ()
        found += [(*place, *own) for place in (places(part.space) if isinstance(part, Whole) else [()])]
        start += part.size
    return found


def member(space: Space, place: Place) -> Space:
    """The set that lies in the units of a part of what holds a set."""
    space = root(space)
    if not place or space.outer is None:
        return space
    for known, one in space.family:
        if known == place:
            return root(one)
    for known, one in space.family:
        if _covers(known, place):
            return member(one, _within(known, place))
    made = Space(space.size, space.fixed, _holder_at(space, place))
    made.family = [(_within(place, finer), one) for finer, one in space.family if _covers(place, finer)]
    space.family.append((place, made))
    return made


def _covers(known: Place, place: Place) -> bool:
    return len(known) == len(place) and all(a[0] <= b[0] and b[1] <= a[1] for a, b in zip(known, place, strict=True))


def _within(known: Place, place: Place) -> Place:
    """A place told from where a coarser one begins."""
    return tuple((b[0] - a[0], b[1] - a[0]) for a, b in zip(known, place, strict=True) if a != b)


def _holder_at(space: Space, place: Place) -> Space | None:
    held = above(space)
    if isinstance(held, Whole):
        return member(held.space, place)
    start = 0
    for part in held.parts if isinstance(held, Chain) else ():
        if isinstance(part, Whole) and start <= place[-1][0] < start + part.size:
            holder = member(part.space, place[:-1])
            return holder if holder.size > 1 else root(holder).outer
        start += part.size
    return None


def members(space: Space) -> list[list[Space]]:
    """The sets that a set stands for, one list for each part that what holds it was cut in, or one list."""
    found = places(space)
    if found == [()]:
        return [[space]]
    return [list(spaces_of(resolved(Whole(member(space, place))))) for place in found]


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
