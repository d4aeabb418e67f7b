"""Sets of units while a model is read: found to be the same, taken apart, tied together, or held fixed.

Every axis of every value is a tree over such sets (Leaf, Sum for one part after another, Product for several axes in
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
class Leaf:
    """An axis that is one set."""

    space: Space

    @property
    def size(self) -> int:
        """Entries."""
        return self.space.size


@dataclass(frozen=True, eq=False)
class Sum:
    """One part after another."""

    parts: "tuple[Tree, ...]"

    @property
    def size(self) -> int:
        """Entries."""
        return sum(part.size for part in self.parts)


@dataclass(frozen=True, eq=False)
class Product:
    """Axes in one, the first outermost."""

    factors: "tuple[Tree, ...]"

    @property
    def size(self) -> int:
        """Entries."""
        total = 1
        for factor in self.factors:
            total *= factor.size
        return total


Tree: TypeAlias = Leaf | Sum | Product

SINGLE = Reason("input", "a single entry")
ALIKE = Reason("input", "meets a value that is the same for all units")


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
    if isinstance(tree, Leaf):
        top = root(tree.space)
        return resolved(top.tree) if top.tree is not None else Leaf(top)
    if isinstance(tree, Sum):
        parts: list[Tree] = []
        for part in map(resolved, tree.parts):
            parts.extend(part.parts if isinstance(part, Sum) else [part])
        return parts[0] if len(parts) == 1 else Sum(tuple(parts))
    factors: list[Tree] = []
    for factor in map(resolved, tree.factors):
        if factor.size != 1:
            factors.extend(factor.factors if isinstance(factor, Product) else [factor])
    if not factors:
        return Leaf(Space(1, SINGLE))
    first, rest = factors[0], factors[1:]
    if not rest:
        return first
    if isinstance(first, Sum):
        return resolved(Sum(tuple(Product((part, *restricted(rest, first, part))) for part in first.parts)))
    return Product(tuple(factors))


def opened(tree: Tree) -> list[Tree]:
    """The factors of a tree as they were found, sums and sets within them not taken apart."""
    if isinstance(tree, Leaf):
        top = root(tree.space)
        return [Leaf(top)] if top.tree is None else opened(top.tree)
    if isinstance(tree, Sum):
        return opened(tree.parts[0]) if len(tree.parts) == 1 else [tree]
    return [one for factor in tree.factors if factor.size != 1 for one in opened(factor)]


def above(space: Space) -> Tree | None:
    """What holds a set: a set, the parts that it was cut in, or nothing."""
    top = root(space)
    if top.outer is None or top.size == 1:
        return None
    tree = resolved(Leaf(top.outer))
    if isinstance(tree, Product):
        tree = tree.factors[-1]
    return None if tree.size == 1 or isinstance(tree, Product) else tree


def restricted(trees: Sequence[Tree], whole: Tree, part: Tree) -> list[Tree]:
    """Trees beside an axis of which only a part is left: sets in units of the whole become those in units of the part,
    and so do sets in these.
    """
    trees, part = [resolved(tree) for tree in trees], resolved(part)
    if not isinstance(part, Leaf):
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
    if isinstance(tree, Leaf):
        return Leaf(became[id(tree.space)]) if id(tree.space) in became else tree
    if isinstance(tree, Sum):
        return Sum(tuple(_replaced(part, became) for part in tree.parts))
    return Product(tuple(_replaced(factor, became) for factor in tree.factors))


def member(space: Space, part: Space) -> Space:
    """The set that lies in the units of a part of the outer one."""
    space, part = root(space), root(part)
    if space.outer is None:
        return space
    for outer, one in space.family:
        inside = list(spaces_of(resolved(Leaf(outer))))
        if any(space_in is part for space_in in inside):
            return root(one) if len(inside) == 1 else member(one, part)
    made = Space(space.size, space.fixed, part if part.size > 1 else None)
    space.family.append((part, made))
    return made


def members(space: Space) -> list[list[Space]]:
    """The sets that a set stands for, one list for each part that what holds it was cut in; one list where it was not."""
    held = above(space)
    if held is None:
        return [[space]]
    around = [one for leaf in spaces_of(held) for part in members(leaf) for one in part]
    if len(around) == 1 and around[0] is next(spaces_of(held)):
        return [[space]]
    return [list(spaces_of(resolved(Leaf(member(space, one))))) for one in around]


def spaces_of(tree: Tree) -> Iterator[Space]:
    """The sets of a resolved tree, in order."""
    if isinstance(tree, Leaf):
        yield tree.space
    else:
        for child in tree.parts if isinstance(tree, Sum) else tree.factors:
            yield from spaces_of(child)


def is_fixed(tree: Tree) -> bool:
    """Whether nothing in a resolved tree moves."""
    return all(space.fixed is not None for space in spaces_of(tree))


class Spaces:
    """What is found out. changes: counts what was, so that one sees when nothing is left to find."""

    def __init__(self) -> None:
        self.changes = 0

    def unify(self, a: Tree, b: Tree) -> None:
        """From now on both are moved alike."""
        a, b = resolved(a), resolved(b)
        if a.size != b.size:
            self.freeze(a, Reason("operation", f"meets an axis of {b.size}"))
            self.freeze(b, Reason("operation", f"meets an axis of {a.size}"))
        elif isinstance(a, Leaf) and isinstance(b, Leaf):
            self._union(a.space, b.space)
        elif isinstance(a, Leaf) or isinstance(b, Leaf):
            self._open(*((a, b) if isinstance(a, Leaf) else (b, a)))
        elif isinstance(a, Sum) and isinstance(b, Sum):
            self._unify_sums(a, b)
        elif isinstance(a, Product) and isinstance(b, Product):
            self._unify_products(a, b)
        else:
            product, total = (a, b) if isinstance(a, Product) else (b, a)
            self._unify_mixed(product, total)

    def freeze(self, tree: Tree, reason: Reason) -> None:
        """Nothing in it moves."""
        for space in spaces_of(resolved(tree)):
            if space.fixed is None:
                space.fixed = reason
                self.changes += 1
                for _, part in space.family:
                    self.freeze(Leaf(part), reason)

    def tie(self, space: Space) -> None:
        """The sets in all units of the outer one are moved alike."""
        space = root(space)
        if space.tied:
            return
        space.tied, space.outer = True, None
        self.changes += 1
        family, space.family = space.family, []
        for _, part in family:
            self.tie(part)
            self.unify(Leaf(part), Leaf(space))

    def cut(self, tree: Tree, at: int) -> tuple[Tree, Tree]:
        """The first entries and the others, as trees of their own."""
        tree = resolved(tree)
        if isinstance(tree, Leaf):
            return self._cut_leaf(tree.space, at)
        if isinstance(tree, Sum):
            return self._cut_sum(tree, at)
        first, *rest = tree.factors
        inner = Product(tuple(rest)).size
        if at % inner:
            self.freeze(tree, Reason("operation", "cut inside a unit"))
            return self._fixed_like(tree, at)
        self.cut(first, at // inner)
        # The product is a sum of products now.
        return self.cut(tree, at)

    def split(self, tree: Tree, sizes: Sequence[int]) -> list[Tree]:
        """One tree for each of these sizes, whose product is that of the tree, the first outermost."""
        factors = opened(tree)
        pieces: list[Tree] = []
        wanted = [size for size in sizes if size != 1]
        for place, size in enumerate(wanted):
            piece: list[Tree] = []
            have = 1
            while have < size and factors:
                factor = factors.pop(0)
                need = size // have
                if size % have == 0 and need % factor.size == 0:
                    piece.append(factor)
                    have *= factor.size
                elif size % have == 0 and factor.size % need == 0:
                    outer, inner = self._open_in_two(factor, need)
                    piece.append(outer)
                    factors.insert(0, inner)
                    have *= need
                else:
                    break
            if have != size:
                self.freeze(tree, Reason("operation", "a reshape takes units apart"))
                pieces += [
                    Leaf(Space(one, Reason("operation", "a reshape takes units apart"))) for one in wanted[place:]
                ]
                break
            pieces.append(Product(tuple(piece)) if len(piece) != 1 else piece[0])
        found = iter(pieces)
        return [Leaf(Space(1, SINGLE)) if size == 1 else next(found) for size in sizes]

    def _union(self, a: Space, b: Space) -> None:
        if a is b:
            return
        if a.uniform or b.uniform:
            if not (a.uniform and b.uniform):
                self.freeze(Leaf(b if a.uniform else a), ALIKE)
            return
        if a.fixed is None or b.fixed is None:
            self.changes += 1
        b.parent = a
        a.fixed = a.fixed or b.fixed
        family = [*a.family, *b.family]
        a.family, b.family = [], []
        if a.tied or b.tied:
            a.tied, a.outer = True, None
            for _, part in family:
                self.tie(part)
                self.unify(Leaf(part), Leaf(a))
            return
        a.outer = a.outer or b.outer
        for outer, part in family:
            self.unify(Leaf(part), Leaf(member(a, outer)))
        if a.fixed is not None:
            for _, part in a.family:
                self.freeze(Leaf(part), a.fixed)

    def _open(self, leaf: Leaf, tree: Tree) -> None:
        """A leaf turns out to be a tree."""
        space = leaf.space
        if any(one is space for one in spaces_of(tree)):
            reason = Reason("operation", "meets a part of itself")
            self.freeze(leaf, reason)
            self.freeze(tree, reason)
            return
        if space.fixed is not None:
            self.freeze(tree, space.fixed)
            return
        if space.uniform:
            self.freeze(tree, ALIKE)
            return
        self._take_apart(space, tree)

    def _take_apart(self, space: Space, tree: Tree) -> None:
        if space.fixed is None and not space.uniform:
            self.changes += 1
        space.tree = tree
        family, space.family = space.family, []
        for outer, part in family:
            self.unify(Leaf(part), restricted([tree], Leaf(outer), Leaf(outer))[0])

    def _unify_sums(self, a: Sum, b: Sum) -> None:
        left, right = list(a.parts), list(b.parts)
        while left and right:
            one, other = left.pop(0), right.pop(0)
            size = min(one.size, other.size)
            if one.size > size:
                one, rest = self.cut(one, size)
                left.insert(0, rest)
            if other.size > size:
                other, rest = self.cut(other, size)
                right.insert(0, rest)
            self.unify(one, other)

    def _unify_products(self, a: Product, b: Product) -> None:
        sizes = [factor.size for factor in a.factors]
        for one, other in zip(a.factors, self.split(b, sizes), strict=True):
            self.unify(one, other)

    def _unify_mixed(self, product: Product, total: Sum) -> None:
        rest: Tree = product
        for part in total.parts[:-1]:
            first, rest = self.cut(rest, part.size)
            self.unify(first, part)
        self.unify(rest, total.parts[-1])

    def _cut_leaf(self, space: Space, at: int) -> tuple[Tree, Tree]:
        parts = [self._like(space, size, space.outer) for size in (at, space.size - at)]
        for part in parts:
            if part.size == 1 and part.fixed is None:
                part.fixed = Reason("operation", "a single unit is picked")
        self._take_apart(space, Sum((Leaf(parts[0]), Leaf(parts[1]))))
        return Leaf(parts[0]), Leaf(parts[1])

    def _cut_sum(self, tree: Sum, at: int) -> tuple[Tree, Tree]:
        before: list[Tree] = []
        after = list(tree.parts)
        have = 0
        while after and have + after[0].size <= at:
            have += after[0].size
            before.append(after.pop(0))
        if have < at:
            left, right = self.cut(after.pop(0), at - have)
            before.append(left)
            after.insert(0, right)
        return Sum(tuple(before)), Sum(tuple(after))

    def _open_in_two(self, tree: Tree, outer_size: int) -> tuple[Tree, Tree]:
        inner_size = tree.size // outer_size
        if isinstance(tree, Leaf):
            outer = self._like(tree.space, outer_size, tree.space.outer)
            inner = self._like(tree.space, inner_size, outer)
            inner.tied = False
            self._take_apart(tree.space, Product((Leaf(outer), Leaf(inner))))
            return Leaf(outer), Leaf(inner)
        if isinstance(tree, Sum) and all(part.size == inner_size for part in tree.parts):
            # Told apart by their place alone: moved alike, since nothing better is known.
            for part in tree.parts[1:]:
                self.unify(tree.parts[0], part)
            return Leaf(Space(outer_size, Reason("operation", "parts that are told apart"))), tree.parts[0]
        reason = Reason("operation", "a reshape takes units apart")
        self.freeze(tree, reason)
        return Leaf(Space(outer_size, reason)), Leaf(Space(inner_size, reason))

    @staticmethod
    def _like(space: Space, size: int, outer: Space | None) -> Space:
        made = Space(size, space.fixed, outer)
        made.tied, made.uniform = space.tied, space.uniform
        return made

    def _fixed_like(self, tree: Tree, at: int) -> tuple[Tree, Tree]:
        reason = Reason("operation", "cut inside a unit")
        return Leaf(Space(at, reason)), Leaf(Space(tree.size - at, reason))
