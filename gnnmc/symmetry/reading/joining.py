"""Parts of axes: put one after another, and taken apart again."""

import bisect
import itertools
from collections.abc import Sequence

import torch

from gnnmc.engine.tracing import Operation
from gnnmc.symmetry.reading.elementwise import is_alike
from gnnmc.symmetry.reading.reading import Letter, Mismatch, Operand, Reading
from gnnmc.symmetry.reading.relations import LINEAR, Key
from gnnmc.symmetry.reading.rules import axis_of, given, reads
from gnnmc.symmetry.reading.spaces import Chain, Space, Tree, Whole, above, is_fixed, resolved, restricted, spaces_of

aten = torch.ops.aten


@reads(aten.cat)
def _joined(reading: Reading, operation: Operation) -> None:
    arguments = [one for one in operation.args[0] if reading.shape(one) != (0,)]
    operands = [reading.operand(one) for one in arguments]
    dims = len(operands[0].axes)
    along = axis_of(given(operation)["dim"], dims)
    joined = Chain(tuple(_part(reading, operand, along) for operand in operands))
    letters = [
        [("part", number) if axis == along else None if is_alike(tree) else axis for axis, tree in enumerate(one.axes)]
        for number, one in enumerate(operands)
    ]
    made: list[Letter] = []
    for axis in range(dims):
        if axis == along:
            made.append(resolved(joined))
        elif any(axis in one for one in letters):
            # Where one of them is alike along an axis on which others have units, it stands for any of them.
            made.append(axis)
        else:
            made.append(operands[0].axes[axis])
    reading.relate(operation, list(zip(operands, letters, strict=True)), [made], lambda letter: LINEAR)
    number = operation.results[0]
    if reading.facts is not None and number is not None:
        places = iter(reading.keys(Operand(number, reading.axes[number]), along))
        for operand in operands:
            if not is_alike(operand.axes[along]):
                for space, key in reading.keys(operand, along):
                    reading.facts.note(space, LINEAR, [key], [next(places)[1]])


def _part(reading: Reading, operand: Operand, axis: int) -> Tree:
    """A part that is alike along the axis has a place in it like any other."""
    tree = operand.axes[axis]
    return reading.data(tree.size, reading.met(operand.constant)) if is_alike(tree) else tree


@reads(aten.stack)
def _stacked(reading: Reading, operation: Operation) -> None:
    operands = [reading.operand(one) for one in operation.args[0]]
    along = given(operation)["dim"] % (len(operands[0].axes) + 1)
    letters: list[list[Letter]] = [
        [None if is_alike(tree) else axis for axis, tree in enumerate(one.axes)] for one in operands
    ]
    made: list[Letter] = [
        axis if any(axis in one for one in letters) else tree for axis, tree in enumerate(operands[0].axes)
    ]
    made.insert(along, reading.data(len(operands), reading.ordered()))
    reading.relate(operation, list(zip(operands, letters, strict=True)), [made], lambda letter: LINEAR)


@reads(aten.slice, aten.narrow)
def _sliced(reading: Reading, operation: Operation) -> bool | None:
    named = given(operation)
    operand = reading.operand(operation.args[0])
    axis = axis_of(named["dim"], len(operand.axes))
    size = operand.axes[axis].size
    if operation.kind is aten.narrow:
        start, stop, step = named["start"], named["start"] + named["length"], 1
    else:
        start, stop, step = slice(named["start"], named["end"], named["step"]).indices(size)
    if step != 1:
        if not is_fixed(resolved(operand.axes[axis])):
            return False
        pick(reading, operation, operand, axis, [(0, len(range(start, stop, step)))], keep=True)
        return None
    pick(reading, operation, operand, axis, [(start, stop)], keep=True)
    return None


@reads(aten.select)
def _selected(reading: Reading, operation: Operation) -> None:
    operand = reading.operand(operation.args[0])
    axis = axis_of(operation.args[1], len(operand.axes))
    start = operation.args[2] % operand.axes[axis].size
    pick(reading, operation, operand, axis, [(start, start + 1)], keep=False)


@reads(aten.unbind)
def _unbound(reading: Reading, operation: Operation) -> None:
    operand = reading.operand(operation.args[0])
    axis = axis_of(given(operation)["dim"], len(operand.axes))
    pick(reading, operation, operand, axis, [(n, n + 1) for n in range(operand.axes[axis].size)], keep=False)


@reads(aten.split, aten.split_with_sizes, aten.unsafe_split, aten.unsafe_split_with_sizes)
def _parted(reading: Reading, operation: Operation) -> None:
    operand = reading.operand(operation.args[0])
    axis = axis_of(given(operation)["dim"], len(operand.axes))
    sizes = [reading.shapes[number][axis] for number in operation.results if number is not None]
    starts = [sum(sizes[:place]) for place in range(len(sizes))]
    pick(reading, operation, operand, axis, [(a, a + size) for a, size in zip(starts, sizes, strict=True)], keep=True)


def pick(
    reading: Reading,
    operation: Operation,
    operand: Operand,
    axis: int,
    ranges: Sequence[tuple[int, int]],
    *,
    keep: bool,
) -> None:
    """Each result is a range of an axis, which stays (keep) or goes, being of one entry."""
    whole = operand.axes[axis]
    others = [tree for n, tree in enumerate(operand.axes) if n != axis]
    for number, (start, stop) in zip(operation.results, ranges, strict=True):
        if number is None:
            continue
        if (start, stop) == (0, whole.size) or _plain(whole, others):
            part = whole if stop - start == whole.size else _short(reading, whole, stop - start)
            made = others
        else:
            part = _range(reading, whole, start, stop)
            _tie_in_many(reading, others, whole, part)
            made = restricted(others, whole, start, stop)
        axes = [*made[:axis], part, *made[axis:]]
        reading.give(number, axes if keep else made)
        if reading.facts is not None:
            _note_pick(reading, operand, Operand(number, reading.axes[number]), axis, start, keep)


def _note_pick(reading: Reading, before: Operand, after: Operand, axis: int, start: int, keep: bool) -> None:
    """Factors stay with their units: those of the range, and beside it those of the sets that lie in its units."""
    parts = _parts_of(resolved(before.axes[axis]))
    ends = list(itertools.accumulate(part.size for part in parts))
    place = bisect.bisect_right(ends, start)
    for n in range(len(before.axes)):
        if n == axis and not keep:
            continue
        at = n - int(not keep and n > axis)
        leaves, made = reading.keys_by_leaf(before, n), reading.keys(after, at)
        given: list[tuple[Space, Key]] = []
        if n == axis:
            skipped = sum(len(list(spaces_of(part))) for part in parts[:place])
            given = [one for leaf in leaves[skipped:] for part in leaf for one in part][: len(made)]
        else:
            now = set(spaces_of(resolved(after.axes[at])))
            for leaf, space in zip(leaves, spaces_of(resolved(before.axes[n])), strict=True):
                given += leaf[place] if len(leaf) > 1 and space not in now else [one for part in leaf for one in part]
        if len(given) != len(made):
            raise Mismatch(f"{len(given)} sets became {len(made)}")
        for (_, one), (space, other) in zip(given, made, strict=True):
            if reading.facts is not None:
                reading.facts.note(space, LINEAR, [one], [other])


def _short(reading: Reading, whole: Tree, size: int) -> Tree:
    """Some entries of an axis that stays."""
    return reading.alike(size) if is_alike(whole) else reading.data(size, reading.cause(whole, reading.ordered()))


def _parts_of(tree: Tree) -> Sequence[Tree]:
    return tree.parts if isinstance(tree, Chain) else (tree,)


def _plain(whole: Tree, others: Sequence[Tree]) -> bool:
    """Whether an axis is of the data, and holds no sets that depend on it."""
    if is_alike(whole):
        return True
    cut = set(spaces_of(resolved(whole)))
    held = [above(space) for tree in others for space in spaces_of(resolved(tree))]
    return is_fixed(resolved(whole)) and not any(cut & set(spaces_of(one)) for one in held if one is not None)


def _range(reading: Reading, tree: Tree, start: int, stop: int) -> Tree:
    if start > 0:
        _, tree = reading.spaces.cut(tree, start)
    if stop - start < resolved(tree).size:
        tree, _ = reading.spaces.cut(tree, stop - start)
    return tree


def _tie_in_many(reading: Reading, others: Sequence[Tree], whole: Tree, part: Tree) -> None:
    """Sets in units of the whole are told apart in a part only where that is one set."""
    if isinstance(resolved(part), Whole):
        return
    cut = set(spaces_of(resolved(whole)))
    for tree in others:
        for space in spaces_of(resolved(tree)):
            held = above(space)
            if held is not None and cut & set(spaces_of(held)):
                reading.spaces.tie(space)
