"""The state of reading a recorded forward: the axes of every value, and what is noted of them."""

import itertools
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor

from gnnmc.engine.tracing import Operation, Ref
from gnnmc.symmetry.reading.facts import Facts
from gnnmc.symmetry.reading.relations import Key, Relation
from gnnmc.symmetry.reading.spaces import (
    SINGLE,
    Chain,
    Grid,
    Reason,
    Space,
    Tree,
    Whole,
    above,
    is_fixed,
    members,
    resolved,
    spaces_of,
)
from gnnmc.symmetry.reading.unifying import Spaces

INPUT = Reason("input", "meets the data")
# Letters name axes within one operation; a tree in the place of a letter is an axis that is new.
Letter: TypeAlias = Hashable


@dataclass(frozen=True, eq=False)
class Operand:
    """A value that depends on weights, by number, or a constant (number None). Shapes: one tree for each axis."""

    number: int | None
    axes: tuple[Tree, ...]
    constant: Tensor | None = None


class Mismatch(Exception):
    """A rule and what an operation really gives do not fit: it is not understood."""


class Reading:
    """axes: number → the trees of a value's axes. facts: filled in the last pass, None before.

    plain: number → the tensor of the model that a value is a mere view of, entry for entry. uses: number → the
    operations that need it. squares: the numbers of squares that are only summed. summed: those of
    products that are only summed, over these of their axes at least: with the sum, a product of matrices. zeros: those
    of values that are 0 everywhere (products with the first state of an LSTM). operation: the one that is being read.
    of_data: whether a constant is made of what the model is called on; others are the model's own.
    """

    def __init__(
        self,
        spaces: Spaces,
        shapes: Mapping[int, torch.Size],
        of_data: Callable[[Tensor], bool] = lambda constant: True,
    ) -> None:
        self.spaces = spaces
        self.shapes = shapes
        self.operation: Operation | None = None
        self._of_data = of_data
        self.axes: dict[int, tuple[Tree, ...]] = {}
        self.facts: Facts | None = None
        self.plain: dict[int, str] = {}
        self.uses: dict[int, list[Operation]] = {}
        self.squares: set[int] = set()
        self.summed: dict[int, frozenset[int]] = {}
        self.zeros: set[int] = set()
        self._virtual: dict[Hashable, int] = {}
        self._constants: dict[int, tuple[Tensor, tuple[bool, ...]]] = {}

    def operand(self, argument: Any) -> Operand:
        """What an argument of an operation is: a value, a constant tensor, or a number."""
        if isinstance(argument, Ref):
            return Operand(argument.number, self.axes[argument.number])
        if isinstance(argument, Tensor):
            return Operand(None, self._axes_of(argument), argument)
        return Operand(None, (), torch.as_tensor(argument))

    def is_zero(self, operand: Operand) -> bool:
        """Whether a value is known to be 0 everywhere."""
        if operand.constant is None:
            return operand.number in self.zeros
        return operand.constant.layout == torch.strided and not bool(operand.constant.any())

    def virtual(self, how: Hashable, number: int) -> int:
        """A number for a value in another form, which no operation of the record gives."""
        return self._virtual.setdefault((how, number), -1 - len(self._virtual))

    def shape(self, argument: Any) -> tuple[int, ...]:
        """Of a value or a constant tensor."""
        return tuple(self.shapes[argument.number] if isinstance(argument, Ref) else argument.shape)

    def data(self, size: int, reason: Reason = INPUT) -> Tree:
        """An axis that the weights have no part in: nodes, pixels, tokens; or that is fixed for another reason."""
        return Whole(Space(size, SINGLE if size == 1 else reason))

    def met(self, constant: Any) -> Reason:
        """Why what meets a constant stays. What is no constant tells of places by its order."""
        if not isinstance(constant, Tensor):
            return self.ordered()
        return INPUT if self._of_data(constant) else Reason("constant", f"meets a constant in {self._named()}")

    def ordered(self) -> Reason:
        """Why units stay whose order the operation asks for."""
        return Reason("operation", f"order decides in {self._named()}")

    def hold(self, tree: Tree, reason: Reason) -> Reason:
        """Nothing in it moves, for this reason where there is none yet. Gives the reason for which it stays."""
        for space in spaces_of(resolved(tree)):
            if not space.uniform:
                self.spaces.freeze(Whole(space), SINGLE if space.size == 1 else reason)
        return self.cause(tree, reason)

    def cause(self, tree: Tree, otherwise: Reason) -> Reason:
        """The first reason for which something in it stays, where it is more than that it is a single entry."""
        reasons = (space.fixed for space in spaces_of(resolved(tree)) if space.size > 1)
        return next((reason for reason in reasons if reason is not None), otherwise)

    def _named(self) -> str:
        return "an operation" if self.operation is None else str(self.operation.kind)

    def alike(self, size: int) -> Tree:
        """An axis along which all entries are equal."""
        space = Space(size, SINGLE if size == 1 else None)
        space.uniform = size != 1
        return Whole(space)

    def relate(
        self,
        operation: Operation,
        given: Sequence[tuple[Operand, Sequence[Letter]]],
        made: Sequence[Sequence[Letter]],
        relation: Callable[[Letter], Relation],
        *,
        results: Sequence[int | None] | None = None,
    ) -> None:
        """Axes with one letter are moved alike. Gives the results (one list of letters for each) their axes.

        results: numbers to give axes to, those of the operation's own results by default. The letter None: an axis of
        size 1, or one along which all is equal, which has no part in it.
        """
        trees: dict[Letter, Tree] = {}
        for operand, letters in given:
            for tree, letter in zip(operand.axes, letters, strict=True):
                if letter is None:
                    continue
                if letter in trees:
                    self.spaces.unify(trees[letter], tree)
                else:
                    trees[letter] = tree
        given_to = []
        numbers = operation.results if results is None else results
        if len(numbers) != len(made):
            raise Mismatch(f"{len(numbers)} results, axes of {len(made)}")
        for number, letters in zip(numbers, made, strict=True):
            axes = tuple(letter if isinstance(letter, Whole | Chain | Grid) else trees[letter] for letter in letters)
            given_to.append((Operand(number, axes), letters))
            self.give(number, axes)
        self._check_nesting([*given, *given_to])
        if self.facts is not None:
            self._note(given, given_to, trees, relation)

    def give(self, number: int | None, axes: Sequence[Tree]) -> None:
        """The axes of a result."""
        if number is None:
            return
        self.axes[number] = tuple(axes)
        self.check(self.axes[number])

    def check(self, axes: Sequence[Tree]) -> None:
        """Sets that lie in others are moved apart only where those are on the same value, once for each entry."""
        parts = [_parts(tree) for tree in axes]
        for axis, own in enumerate(parts):
            # How often a set is on each of the other axes, whichever part of them an entry is in.
            for part in own:
                for space in part:
                    held = above(space)
                    if held is None:
                        continue
                    needed = dict.fromkeys(spaces_of(held))
                    counts = [{_count(one, needed) for one in other} for n, other in enumerate(parts) if n != axis]
                    total = _count(part, needed) + sum(map(sum, counts))
                    if any(len(one) != 1 for one in counts) or total != 1:
                        # With the outer set on several axes, which one of them a unit is in would have to be told.
                        self.spaces.tie(space, given_up=total > 1)

    def freeze(self, operand: Operand, reason: Reason) -> None:
        """Nothing on any axis of it moves."""
        for tree in operand.axes:
            self.spaces.freeze(tree, reason)

    def keys(self, operand: Operand, axis: int) -> list[tuple[Space, Key]]:
        """The sets on an axis that move, each with what names this axis in equations."""
        return [one for leaf in self.keys_by_leaf(operand, axis) for part in leaf for one in part]

    def keys_by_leaf(self, operand: Operand, axis: int) -> list[list[list[tuple[Space, Key]]]]:
        """The same, leaf by leaf, and for each leaf by the parts that what holds it was cut in."""
        count = itertools.count()
        return [
            [
                [(one, (operand.number, axis, next(count))) for one in part if one.fixed is None and not one.uniform]
                for part in members(space)
            ]
            for space in spaces_of(resolved(operand.axes[axis]))
        ]

    def note_sum(self, *read: tuple[Operand, int]) -> None:
        """A product sums over these axes of its operands, which are one."""
        if self.facts is not None:
            self.facts.note_sum([(operand.number, self.keys(operand, axis)) for operand, axis in read], self.plain)

    def _note(
        self,
        given: Sequence[tuple[Operand, Sequence[Letter]]],
        results: Sequence[tuple[Operand, Sequence[Letter]]],
        trees: Mapping[Letter, Tree],
        relation: Callable[[Letter], Relation],
    ) -> None:
        facts = self.facts
        if facts is None:
            return
        for letter in trees:
            if isinstance(letter, Whole | Chain | Grid) or is_fixed(resolved(trees[letter])):
                continue
            of_given = [self.keys(o, axis) for o, letters in given for axis, one in enumerate(letters) if one == letter]
            of_made = [
                self.keys(o, axis) for o, letters in results for axis, one in enumerate(letters) if one == letter
            ]
            law = relation(letter)
            for place, (space, _) in enumerate(of_given[0]):
                keys_given = [keys[place][1] for keys in of_given]
                keys_made = [keys[place][1] for keys in of_made]
                facts.note(space, law, keys_given, keys_made)

    def _check_nesting(self, operands: Sequence[tuple[Operand, Sequence[Letter]]]) -> None:
        """Sets that lie in others are moved apart only if these others are at one place in all operands."""
        homes: dict[tuple[Letter, int], object] = {}
        for operand, letters in operands:
            parts = [_parts(tree) for tree in operand.axes]
            for axis, own in enumerate(parts):
                letter = letters[axis]
                if letter is None or isinstance(letter, Whole | Chain | Grid):
                    continue
                place = -1
                for part in own:
                    for space in part:
                        place += 1
                        held = above(space)
                        if held is None:
                            continue
                        needed = dict.fromkeys(spaces_of(held))
                        home: object = "beside"
                        if not _count(part, needed):
                            home = tuple(
                                _name(letters[n], n)
                                for n, other in enumerate(parts)
                                if n != axis and any(_count(one, needed) for one in other)
                            )
                        if homes.setdefault((letter, place), home) != home:
                            self.spaces.tie(space)

    def _axes_of(self, constant: Tensor) -> tuple[Tree, ...]:
        known = self._constants.get(id(constant))
        if known is None:
            known = self._constants[id(constant)] = (constant, _alike(constant))
        reason = self.met(constant)
        return tuple(
            self.alike(size) if same else self.data(size, reason)
            for size, same in zip(constant.shape, known[1], strict=True)
        )


def _parts(tree: Tree) -> list[list[Space]]:
    """The sets of each part of an axis."""
    tree = resolved(tree)
    return [list(spaces_of(part)) for part in (tree.parts if isinstance(tree, Chain) else [tree])]


def _count(spaces: Sequence[Space], among: Collection[Space]) -> int:
    return sum(space in among for space in spaces)


def _name(letter: Letter, axis: int) -> object:
    return ("new", axis) if letter is None or isinstance(letter, Whole | Chain | Grid) else letter


def _alike(constant: Tensor) -> tuple[bool, ...]:
    """For each axis of a constant, whether its entries along it are all equal."""
    if constant.layout != torch.strided or constant.numel() == 0:
        return (False,) * constant.dim()
    found = []
    for axis, size in enumerate(constant.shape):
        first = constant.narrow(axis, 0, 1)
        # Two entries tell most axes apart, without a pass over everything.
        same = size > 1 and bool((constant.narrow(axis, 1, 1) == first).all()) and bool((constant == first).all())
        found.append(same)
    return tuple(found)
