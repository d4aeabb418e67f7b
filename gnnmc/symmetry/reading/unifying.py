"""Findings about sets of units: two are the same, one consists of several, one is fixed."""

from collections.abc import Sequence

from gnnmc.symmetry.reading.spaces import (
    SINGLE,
    Chain,
    Grid,
    Reason,
    Space,
    Tree,
    Whole,
    at_place,
    member,
    opened,
    resolved,
    root,
    spaces_of,
)

ALIKE = Reason("operation", "meets a value that is the same for all units")


class Spaces:
    """Records what is found about sets of units.

    A finding can only make the symmetry smaller, so their order does not matter.
    """

    def unify(self, a: Tree, b: Tree) -> None:
        """From now on both are moved alike."""
        a, b = resolved(a), resolved(b)
        if a.size != b.size:
            self.freeze(a, Reason("operation", f"meets an axis of {b.size}"))
            self.freeze(b, Reason("operation", f"meets an axis of {a.size}"))
        elif a.size == 1:
            # Single entries stay, whatever they meet: parts must not be taken for one another.
            self.freeze(a, SINGLE)
            self.freeze(b, SINGLE)
        elif isinstance(a, Whole) and isinstance(b, Whole):
            self._union(a.space, b.space)
        elif isinstance(a, Whole) or isinstance(b, Whole):
            self._open(*((a, b) if isinstance(a, Whole) else (b, a)))
        elif isinstance(a, Chain) and isinstance(b, Chain):
            self._unify_sums(a, b)
        elif isinstance(a, Grid) and isinstance(b, Grid):
            self._unify_products(a, b)
        else:
            self._unify_mixed(*((a, b) if isinstance(b, Chain) else (b, a)))

    def freeze(self, tree: Tree, reason: Reason) -> None:
        """Nothing in it moves."""
        for space in spaces_of(resolved(tree)):
            if space.fixed is None:
                space.fixed = reason
                for _, part in space.family:
                    self.freeze(Whole(part), reason)

    def tie(self, space: Space, *, given_up: bool = False) -> None:
        """The sets in all units of the outer one are moved alike; given_up: since nothing better is known."""
        space = root(space)
        if space.tied:
            return
        space.tied, space.given_up, space.outer = True, given_up, None
        family, space.family = space.family, []
        for _, part in family:
            self.tie(part, given_up=given_up)
            self.unify(Whole(part), Whole(space))

    def cut(self, tree: Tree, at: int) -> tuple[Tree, Tree]:
        """The first entries and the others, as trees of their own."""
        tree = resolved(tree)
        if isinstance(tree, Whole):
            return self._cut_leaf(tree.space, at)
        if isinstance(tree, Chain):
            return self._cut_sum(tree, at)
        first, *rest = tree.factors
        inner = Grid(tuple(rest)).size
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
                    Whole(Space(one, Reason("operation", "a reshape takes units apart"))) for one in wanted[place:]
                ]
                break
            pieces.append(Grid(tuple(piece)) if len(piece) != 1 else piece[0])
        found = iter(pieces)
        return [Whole(Space(1, SINGLE)) if size == 1 else next(found) for size in sizes]

    def _union(self, a: Space, b: Space) -> None:
        if a is b:
            return
        if a.uniform or b.uniform:
            if not (a.uniform and b.uniform):
                self.freeze(Whole(b if a.uniform else a), ALIKE)
            return
        b.parent = a
        a.given_up = a.given_up or b.given_up
        a.fixed = a.fixed or b.fixed
        family = [*a.family, *b.family]
        a.family, b.family = [], []
        if a.tied or b.tied:
            a.tied, a.outer = True, None
            for _, part in family:
                self.tie(part)
                self.unify(Whole(part), Whole(a))
            return
        a.outer = a.outer or b.outer
        for place, part in family:
            self.unify(Whole(part), Whole(member(a, place)))
        if a.fixed is not None:
            for _, part in a.family:
                self.freeze(Whole(part), a.fixed)

    def _open(self, leaf: Whole, tree: Tree) -> None:
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
        space.tree = tree
        family, space.family = space.family, []
        for place, part in family:
            self.unify(Whole(part), at_place(resolved(tree), place))

    def _unify_sums(self, a: Chain, b: Chain) -> None:
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

    def _unify_products(self, a: Grid, b: Grid) -> None:
        sizes = [factor.size for factor in a.factors]
        for one, other in zip(a.factors, self.split(b, sizes), strict=True):
            self.unify(one, other)

    def _unify_mixed(self, product: Grid, total: Chain) -> None:
        rest: Tree = product
        for part in total.parts[:-1]:
            first, rest = self.cut(rest, part.size)
            self.unify(first, part)
        self.unify(rest, total.parts[-1])

    def _cut_leaf(self, space: Space, at: int) -> tuple[Tree, Tree]:
        parts = [self._like(space, size, space.outer) for size in (at, space.size - at)]
        for part in parts:
            if part.size == 1 and part.fixed is None:
                part.fixed = Reason("input", "a single unit is picked")
        self._take_apart(space, Chain((Whole(parts[0]), Whole(parts[1]))))
        return Whole(parts[0]), Whole(parts[1])

    def _cut_sum(self, tree: Chain, at: int) -> tuple[Tree, Tree]:
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
        return Chain(tuple(before)), Chain(tuple(after))

    def _open_in_two(self, tree: Tree, outer_size: int) -> tuple[Tree, Tree]:
        inner_size = tree.size // outer_size
        if isinstance(tree, Whole):
            outer = self._like(tree.space, outer_size, tree.space.outer)
            inner = self._like(tree.space, inner_size, outer)
            inner.tied, inner.given_up = False, False
            self._take_apart(tree.space, Grid((Whole(outer), Whole(inner))))
            return Whole(outer), Whole(inner)
        if isinstance(tree, Chain) and all(part.size == inner_size for part in tree.parts):
            # Told apart by their place alone: moved alike, since nothing better is known.
            for part in tree.parts[1:]:
                self.unify(tree.parts[0], part)
            return Whole(Space(outer_size, Reason("operation", "parts that are told apart"))), tree.parts[0]
        reason = Reason("operation", "a reshape takes units apart")
        self.freeze(tree, reason)
        return Whole(Space(outer_size, reason)), Whole(Space(inner_size, reason))

    @staticmethod
    def _like(space: Space, size: int, outer: Space | None) -> Space:
        made = Space(size, space.fixed, outer)
        made.tied, made.given_up, made.uniform = space.tied, space.given_up, space.uniform
        return made

    def _fixed_like(self, tree: Tree, at: int) -> tuple[Tree, Tree]:
        reason = Reason("operation", "cut inside a unit")
        return Whole(Space(at, reason)), Whole(Space(tree.size - at, reason))
