"""Operations that only lay axes out anew."""

from collections.abc import Sequence

import torch

from gnnmc.engine.tracing import Operation
from gnnmc.symmetry.reading.reading import Letter, Operand, Reading
from gnnmc.symmetry.reading.relations import LINEAR, Key
from gnnmc.symmetry.reading.rules import axis_of, given, reads
from gnnmc.symmetry.reading.spaces import Chain, Grid, Space, Tree, is_fixed, resolved

aten = torch.ops.aten


def rearranged(reading: Reading, operation: Operation, order: Sequence[int | None]) -> None:
    """The result's axes are these of the operand; None: a new axis of size 1."""
    operand = reading.operand(operation.args[0])
    letters: list[Letter] = list(range(len(operand.axes)))
    made: list[Letter] = [reading.data(1) if axis is None else axis for axis in order]
    reading.relate(operation, [(operand, letters)], [made], lambda letter: LINEAR)
    carry_name(reading, operation)


def carry_name(reading: Reading, operation: Operation) -> None:
    """A view of a tensor of the model is one still."""
    number, result = getattr(operation.args[0], "number", None), operation.results[0]
    if number in reading.plain and result is not None:
        reading.plain[result] = reading.plain[number]


@reads(aten.t)
def _transposed(reading: Reading, operation: Operation) -> None:
    rearranged(reading, operation, list(range(len(reading.shape(operation.args[0]))))[::-1])


@reads(aten.transpose)
def _swapped(reading: Reading, operation: Operation) -> None:
    dims = len(reading.shape(operation.args[0]))
    order = list(range(dims))
    a, b = axis_of(operation.args[1], dims), axis_of(operation.args[2], dims)
    order[a], order[b] = order[b], order[a]
    rearranged(reading, operation, order)


@reads(aten.permute)
def _permuted(reading: Reading, operation: Operation) -> None:
    dims = len(reading.shape(operation.args[0]))
    rearranged(reading, operation, [axis_of(axis, dims) for axis in operation.args[1]])


@reads(aten.unsqueeze)
def _widened(reading: Reading, operation: Operation) -> None:
    dims = len(reading.shape(operation.args[0]))
    order: list[int | None] = list(range(dims))
    order.insert(operation.args[1] % (dims + 1), None)
    rearranged(reading, operation, order)


@reads(aten.squeeze)
def _squeezed(reading: Reading, operation: Operation) -> None:
    shape = reading.shape(operation.args[0])
    asked = given(operation).get("dim")
    axes = range(len(shape)) if asked is None else [asked] if isinstance(asked, int) else asked
    gone = {axis_of(axis, len(shape)) for axis in axes}
    rearranged(reading, operation, [n for n, size in enumerate(shape) if size != 1 or n not in gone])


@reads(aten.clone, aten.alias, aten.detach, aten._to_copy, aten.lift_fresh, aten.positive)
def _same(reading: Reading, operation: Operation) -> None:
    rearranged(reading, operation, range(len(reading.shape(operation.args[0]))))


@reads(aten.copy)
def _copied(reading: Reading, operation: Operation) -> bool | None:
    source = reading.operand(operation.args[1])
    if reading.shape(operation.args[0]) != reading.shape(operation.args[1]):
        return False
    letters: list[Letter] = list(range(len(source.axes)))
    reading.relate(operation, [(source, letters)], [letters], lambda letter: LINEAR)
    return None


@reads(aten.expand, aten.expand_copy)
def _expanded(reading: Reading, operation: Operation) -> None:
    operand = reading.operand(operation.args[0])
    number = operation.results[0]
    shape = reading.shapes[number] if number is not None else torch.Size()
    first = len(shape) - len(operand.axes)
    letters: list[Letter] = [first + axis if tree.size != 1 else None for axis, tree in enumerate(operand.axes)]
    made: list[Letter] = [
        axis if axis in letters else reading.alike(size) if size != 1 else reading.data(1)
        for axis, size in enumerate(shape)
    ]
    reading.relate(operation, [(operand, letters)], [made], lambda letter: LINEAR)


@reads(aten.repeat)
def _repeated(reading: Reading, operation: Operation) -> None:
    operand = reading.operand(operation.args[0])
    times = operation.args[1]
    first = len(times) - len(operand.axes)
    letters: list[Letter] = []
    made: list[Letter] = [reading.alike(count) for count in times[:first]]
    for axis, tree in enumerate(operand.axes):
        count = times[first + axis]
        if tree.size == 1 or count == 1:
            letters.append(axis if count == 1 else None)
            made.append(axis if count == 1 else reading.alike(count))
        elif is_fixed(resolved(tree)):
            letters.append(None)
            made.append(reading.data(count * tree.size, reading.cause(tree, reading.ordered())))
        else:
            letters.append(("again", axis))
            made.append(Chain((tree,) * count))
    reading.relate(operation, [(operand, letters)], [made], lambda letter: LINEAR)
    result = operation.results[0]
    if reading.facts is not None and result is not None:
        for axis, letter in enumerate(letters):
            if letter == ("again", axis):
                again = reading.keys(Operand(result, reading.axes[result]), first + axis)
                once = reading.keys(operand, axis)
                for place, (space, key) in enumerate(again):
                    reading.facts.note(space, LINEAR, [once[place % len(once)][1]], [key])


@reads(aten.flip, aten.roll)
def _turned(reading: Reading, operation: Operation) -> None:
    operand = reading.operand(operation.args[0])
    dims = given(operation)["dims"]
    for axis in dims or range(len(operand.axes)):
        reading.hold(operand.axes[axis], reading.ordered())
    rearranged(reading, operation, range(len(operand.axes)))


@reads(aten.view, aten._unsafe_view, aten.reshape, aten._reshape_alias, aten._reshape_copy, aten.view_copy)
def _viewed(reading: Reading, operation: Operation) -> bool | None:
    number = operation.results[0]
    if isinstance(operation.args[1], torch.dtype) or number is None:
        return False
    operand = reading.operand(operation.args[0])
    before, after = reading.shape(operation.args[0]), tuple(reading.shapes[number])
    made: list[Tree] = []
    for old, new in _matched(before, after):
        joined = Grid(tuple(operand.axes[axis] for axis in old)) if len(old) != 1 else operand.axes[old[0]]
        sizes = [after[axis] for axis in new]
        if len(new) == 1:
            made.append(joined if old else reading.data(1))
        elif old:
            made += reading.spaces.split(joined, sizes)
        else:
            made += [reading.data(1) for _ in new]
    reading.give(number, made)
    note_moved(reading, operand, Operand(number, reading.axes[number]))
    carry_name(reading, operation)
    return None


def note_moved(reading: Reading, before: Operand, after: Operand) -> None:
    """Sets that are on both sides, on whichever axes, are moved alike."""
    if reading.facts is None:
        return
    places: dict[Space, list[Key]] = {}
    for axis in range(len(before.axes)):
        for space, key in reading.keys(before, axis):
            places.setdefault(space, []).append(key)
    for axis in range(len(after.axes)):
        for space, key in reading.keys(after, axis):
            if places.get(space):
                reading.facts.note(space, LINEAR, [places[space].pop(0)], [key])


def _matched(before: Sequence[int], after: Sequence[int]) -> list[tuple[list[int], list[int]]]:
    """Which axes become which: the shortest runs of equal size."""
    runs: list[tuple[list[int], list[int]]] = []
    old, new = 0, 0
    while old < len(before) or new < len(after):
        ours, theirs = [], []
        have, want = 1, 1
        if old < len(before):
            ours.append(old)
            have *= before[old]
            old += 1
        if new < len(after):
            theirs.append(new)
            want *= after[new]
            new += 1
        while have != want:
            if have < want and old < len(before):
                ours.append(old)
                have *= before[old]
                old += 1
            elif new < len(after):
                theirs.append(new)
                want *= after[new]
                new += 1
            else:
                break
        runs.append((ours, theirs))
    # Axes of size 1 that were left over at the end go with nothing.
    return runs
