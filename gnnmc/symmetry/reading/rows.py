"""Rows picked and scattered by constant places: neighbors, tokens, masks. Channels are left alone."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gnnmc.engine.tracing import Operation
from gnnmc.symmetry.reading.elementwise import is_alike
from gnnmc.symmetry.reading.joining import pick
from gnnmc.symmetry.reading.reading import INPUT, Letter, Operand, Reading
from gnnmc.symmetry.reading.relations import LINEAR, OTHER, POSITIVE, Flag, Relation
from gnnmc.symmetry.reading.rules import axis_of, given, reads
from gnnmc.symmetry.reading.spaces import Reason, is_fixed, resolved

aten = torch.ops.aten
_LARGEST = Relation(POSITIVE.scale, POSITIVE.sign, Flag.UNIT)
# By the names that scatter has for what is done with rows that come to one place; products are not followed.
_REDUCED = {"sum": LINEAR, "add": LINEAR, "mean": LINEAR, "amax": _LARGEST, "amin": _LARGEST}


@reads(aten.index_select)
def _selected(reading: Reading, operation: Operation) -> bool | None:
    operand = reading.operand(operation.args[0])
    axis, index = axis_of(operation.args[1], len(operand.axes)), operation.args[2]
    if not _tells_rows(reading, index):
        return False
    if (run := _run(reading, index)) is not None:
        pick(reading, operation, operand, axis, [run], keep=True)
    else:
        _replace(reading, operation, operand, axis, reading.shape(index) or (1,), [index])
    return None


@reads(aten.embedding)
def _embedded(reading: Reading, operation: Operation) -> bool | None:
    table, index = reading.operand(operation.args[0]), operation.args[1]
    if not _tells_rows(reading, index):
        return False
    if (run := _run(reading, index)) is not None:
        pick(reading, operation, table, 0, [run], keep=True)
    else:
        _replace(reading, operation, table, 0, reading.shape(index), [index])
    return None


@reads(aten.index)
def _indexed(reading: Reading, operation: Operation) -> bool | None:
    """One axis, or several after another, by numbers or masks."""
    operand, indices = reading.operand(operation.args[0]), operation.args[1]
    used = [n for n, index in enumerate(indices) if index is not None]
    number = operation.results[0]
    if number is None or not used or used != list(range(used[0], used[-1] + 1)):
        return False
    if not all(_tells_rows(reading, indices[n]) for n in used):
        return False
    if len(used) == 1 and (run := _run(reading, indices[used[0]])) is not None:
        pick(reading, operation, operand, used[0], [run], keep=True)
        return None
    covered = sum(_covers(reading, operand, indices[n], number) for n in used)
    kept = len(operand.axes) - covered
    shape = reading.shapes[number]
    new = shape[used[0] : len(shape) - (kept - used[0])]
    _replace(reading, operation, operand, used[0], new, [indices[n] for n in used], covered)
    return None


@reads(aten.gather)
def _gathered(reading: Reading, operation: Operation) -> bool | None:
    operand, index = reading.operand(operation.args[0]), operation.args[2]
    axis = axis_of(operation.args[1], len(operand.axes))
    if not isinstance(index, Tensor):
        return False
    places = reading.operand(index)
    letters: list[Letter] = ["rows" if n == axis else n for n in range(len(operand.axes))]
    cause = reading.hold(operand.axes[axis], reading.met(index))
    for n, tree in enumerate(operand.axes):
        if n != axis and (places.axes[n].size != tree.size or not is_alike(places.axes[n])):
            reading.hold(tree, reading.met(index))
    made: list[Letter] = [
        reading.data(index.shape[n], cause if n == axis else reading.cause(tree, reading.met(index)))
        if n == axis or index.shape[n] != tree.size
        else n
        for n, tree in enumerate(operand.axes)
    ]
    reading.relate(operation, [(operand, letters)], [made], lambda letter: LINEAR)
    return None


@reads(aten.scatter_add, aten.scatter, aten.scatter_reduce)
def _scattered(reading: Reading, operation: Operation) -> bool | None:
    into, index, source = operation.args[0], operation.args[2], operation.args[3]
    if not isinstance(index, Tensor) or (not isinstance(source, Tensor) and not hasattr(source, "number")):
        return False
    base, values = reading.operand(into), reading.operand(source)
    axis = axis_of(operation.args[1], len(base.axes))
    places = reading.operand(index)
    for n, tree in enumerate(values.axes):
        if n != axis and not is_alike(places.axes[n]) and tree.size != 1:
            reading.hold(tree, reading.met(index))
    return _add_rows(reading, operation, base, values, axis, index)


@reads(aten.index_add, aten.index_reduce)
def _added_rows(reading: Reading, operation: Operation) -> bool | None:
    base, index, values = reading.operand(operation.args[0]), operation.args[2], reading.operand(operation.args[3])
    if not isinstance(index, Tensor):
        return False
    return _add_rows(reading, operation, base, values, axis_of(operation.args[1], len(base.axes)), index)


@reads(aten.index_put, aten._unsafe_index_put)
def _put(reading: Reading, operation: Operation) -> bool | None:
    """Rows of the first axes are written (or added to)."""
    base, indices, values = reading.operand(operation.args[0]), operation.args[1], reading.operand(operation.args[2])
    used = [n for n, index in enumerate(indices) if index is not None]
    if used != list(range(len(used))) or not all(isinstance(index, Tensor) for index in indices):
        return False
    covered = sum(index.dim() if index.dtype == torch.bool else 1 for index in indices)
    reason = _told_by(reading, indices)
    for axis in range(covered):
        reading.hold(base.axes[axis], reason)
    rest = len(base.axes) - covered
    theirs = values.axes[len(values.axes) - rest :] if rest else ()
    for tree in values.axes[: len(values.axes) - rest]:
        reading.hold(tree, reason)
    first = len(values.axes) - len(theirs)
    letters: list[Letter] = [("row", n) for n in range(first)]
    letters += [None if is_alike(tree) else covered + n for n, tree in enumerate(theirs)]
    return _merge(reading, operation, base, values, letters, set(range(covered)), LINEAR, reason)


def _add_rows(
    reading: Reading, operation: Operation, base: Operand, values: Operand, axis: int, index: Tensor
) -> bool | None:
    relation = _REDUCED.get(given(operation).get("reduce", "sum"))
    if relation is None:
        return False
    reason = reading.hold(values.axes[axis], reading.met(index))
    reading.hold(base.axes[axis], reason)
    letters: list[Letter] = [
        ("row", n) if n == axis else None if is_alike(tree) else n for n, tree in enumerate(values.axes)
    ]
    return _merge(reading, operation, base, values, letters, {axis}, relation, reason)


def _merge(
    reading: Reading,
    operation: Operation,
    base: Operand,
    values: Operand,
    letters: Sequence[Letter],
    rows: set[int],
    relation: Relation,
    reason: Reason,
) -> bool | None:
    """What stood there and what comes: a base of zeros has no part in it. reason: why rows stay."""
    empty = reading.is_zero(base)
    own: list[Letter] = [
        ("base", n) if n in rows else None if is_alike(tree) else n for n, tree in enumerate(base.axes)
    ]
    held = {letter for letter in (*letters, *(() if empty else own)) if letter is not None}
    made: list[Letter] = [
        reading.data(tree.size, reading.cause(tree, reason))
        if n in rows
        else n
        if n in held
        else reading.alike(tree.size)
        if tree.size != 1
        else reading.data(1)
        for n, tree in enumerate(base.axes)
    ]
    parts = [(values, letters)] if empty else [(base, own), (values, letters)]

    def law(letter: Letter) -> Relation:
        lone = not empty and not (letter in own and letter in letters)
        return OTHER if lone else relation

    reading.relate(operation, parts, [made], law)
    return None


def _replace(
    reading: Reading,
    operation: Operation,
    operand: Operand,
    axis: int,
    sizes: Sequence[int],
    indices: Sequence[Any],
    covered: int = 1,
) -> None:
    """So many axes from `axis` on, which do not move, become new ones of these sizes."""
    reason = _told_by(reading, indices)
    causes = [reading.hold(operand.axes[n], reason) for n in range(axis, axis + covered)]
    new = [reading.data(size, causes[0]) for size in sizes]
    letters: list[Letter] = [("row", n) if axis <= n < axis + covered else n for n in range(len(operand.axes))]
    made: list[Letter] = [*letters[:axis], *new, *letters[axis + covered :]]
    reading.relate(operation, [(operand, letters)], [made], lambda letter: LINEAR)


def _tells_rows(reading: Reading, index: Any) -> bool:
    """Whether numbers of rows are known not to depend on the order of units: constants, or values without units."""
    return isinstance(index, Tensor) or all(is_fixed(resolved(tree)) for tree in reading.operand(index).axes)


def _covers(reading: Reading, operand: Operand, index: Any, result: int) -> int:
    """How many axes an index is for: a mask for all of its own."""
    dims = len(reading.shape(index))
    if isinstance(index, Tensor):
        return dims if index.dtype == torch.bool else 1
    # Of which type a value is, the record does not tell: the result has an axis for a mask, or all of the numbers'.
    return dims if len(reading.shapes[result]) == len(operand.axes) - dims + 1 else 1


def _run(reading: Reading, index: Any) -> tuple[int, int] | None:
    """The range of entries that the model itself picks one after another (the places of tokens): a mere slice."""
    if not isinstance(index, Tensor) or index.dim() != 1 or index.dtype not in (torch.int32, torch.int64):
        return None
    if not index.numel() or int(index[0]) < 0 or reading.met(index) is INPUT:
        return None
    first, many = int(index[0]), index.numel()
    return (first, first + many) if index.tolist() == list(range(first, first + many)) else None


def _told_by(reading: Reading, indices: Sequence[Any]) -> Reason:
    """Why rows that are picked by these places stay: for the first of them that says more than that data tell it."""
    reasons = []
    for index in indices:
        told = [] if isinstance(index, Tensor) else reading.operand(index).axes
        causes = (reading.cause(tree, reading.ordered()) for tree in told)
        reasons.append(reading.met(index) if isinstance(index, Tensor) else next(causes, reading.ordered()))
    return next((reason for reason in reasons if reason is not INPUT), reasons[0])
