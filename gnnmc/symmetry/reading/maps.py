"""Convolutions and pooling: channels are units, positions are data."""

from collections.abc import Sequence

import torch

from gnnmc.engine.tracing import Operation
from gnnmc.symmetry.reading.reading import Letter, Operand, Reading
from gnnmc.symmetry.reading.relations import (
    CONTRACTED,
    LINEAR,
    OTHER,
    POSITIVE,
    Flag,
    Relation,
    shifted_product,
)
from gnnmc.symmetry.reading.rules import given, reads
from gnnmc.symmetry.reading.shaping import note_moved
from gnnmc.symmetry.reading.spaces import Grid, is_fixed, resolved

aten = torch.ops.aten


@reads(aten.convolution, aten._convolution)
def _convolved(reading: Reading, operation: Operation) -> bool | None:
    named = given(operation)
    x, weight = reading.operand(named["input"]), reading.operand(named["weight"])
    number, groups, turned = operation.results[0], named["groups"], bool(named.get("transposed"))
    if number is None or len(x.axes) != len(weight.axes):
        return False
    # What a kernel sees are the positions of its input: both stay for one reason.
    causes = [reading.hold(axis, reading.ordered()) for axis in x.axes[2:]]
    for axis, cause in zip(weight.axes[2:], causes, strict=True):
        reading.hold(axis, cause)
    bias = [] if named["bias"] is None else [reading.operand(named["bias"])]
    own: list[Letter] = ["in"]
    learned: list[Letter] = ["in", "out"] if turned else ["out", "in"]
    made: list[Letter] = ["out"]
    if groups > 1:
        # Channels are groups × channels of a group; every group of the input is read by one group of the result.
        x, weight = opened(reading, x, 1, groups), opened(reading, weight, 0, groups)
        bias = [opened(reading, one, 0, groups) for one in bias]
        own, learned, made = ["group", *own], ["group", *learned], ["group", *made]
    spread = range(2, len(reading.shapes[number]))
    parts: list[tuple[Operand, Sequence[Letter]]] = [
        (x, ["item", *own, *(("place", n) for n in spread)]),
        (weight, [*learned, *(("kernel", n) for n in spread)]),
        *((one, made) for one in bias),
    ]
    reading.note_sum(*((operand, list(letters).index("in")) for operand, letters in parts[:2]))

    def relation(letter: Letter) -> Relation:
        return CONTRACTED if letter == "in" else _EACH if letter == "group" else LINEAR

    positions = [reading.data(size, cause) for size, cause in zip(reading.shapes[number][2:], causes, strict=True)]
    result = number if groups == 1 else reading.virtual("grouped", number)
    reading.relate(operation, parts, [["item", *made, *positions]], relation, results=[result])
    if groups > 1:
        item, group, out, *rest = reading.axes[result]
        reading.give(number, [item, Grid((group, out)), *rest])
        note_moved(reading, Operand(result, reading.axes[result]), Operand(number, reading.axes[number]))
    return None


# Channels by themselves: those of x times those of the weight, and a bias.
_EACH = Relation(shifted_product, shifted_product, Flag.UNIT)


def opened(reading: Reading, operand: Operand, axis: int, outer: int) -> Operand:
    """The operand with one axis taken apart, the outer factor of this size."""
    pieces = reading.spaces.split(operand.axes[axis], [outer, operand.axes[axis].size // outer])
    axes = (*operand.axes[:axis], *pieces, *operand.axes[axis + 1 :])
    number = None if operand.number is None else reading.virtual((axis, outer), operand.number)
    made = Operand(number, axes, operand.constant)
    note_moved(reading, operand, made)
    return made


@reads(aten.max_pool2d_with_indices, aten.max_pool3d_with_indices, aten.adaptive_max_pool2d)
def _largest(reading: Reading, operation: Operation) -> bool | None:
    return _pooled(reading, operation, Relation(POSITIVE.scale, POSITIVE.sign, Flag.UNIT))


@reads(
    aten.avg_pool2d,
    aten.avg_pool3d,
    aten._adaptive_avg_pool2d,
    aten._adaptive_avg_pool3d,
    aten.upsample_nearest2d,
    aten.upsample_bilinear2d,
)
def _averaged(reading: Reading, operation: Operation) -> bool | None:
    return _pooled(reading, operation, LINEAR)


def _pooled(reading: Reading, operation: Operation, relation: Relation) -> bool | None:
    operand = reading.operand(operation.args[0])
    dims = 3 if "3d" in str(operation.kind) else 2
    first = len(operand.axes) - dims
    causes = [reading.hold(axis, reading.ordered()) for axis in operand.axes[first:]]
    letters: list[Letter] = list(range(len(operand.axes)))
    made: list[list[Letter]] = []
    for number in operation.results:
        shape = reading.shapes[number] if number is not None else [tree.size for tree in operand.axes]
        places = (reading.data(size, cause) for size, cause in zip(shape[first:], causes, strict=True))
        made.append([*letters[:first], *places])
    reading.relate(operation, [(operand, letters)], made, lambda letter: relation)
    return None


@reads(aten.constant_pad_nd)
def _padded(reading: Reading, operation: Operation) -> bool | None:
    operand = reading.operand(operation.args[0])
    number = operation.results[0]
    pads = operation.args[1]
    touched = {len(operand.axes) - 1 - n // 2 for n, pad in enumerate(pads) if pad}
    if number is None or any(not is_fixed(resolved(operand.axes[axis])) for axis in touched):
        return False
    value = given(operation)["value"]
    letters: list[Letter] = list(range(len(operand.axes)))
    made: list[Letter] = [
        reading.data(reading.shapes[number][axis], reading.cause(tree, reading.ordered())) if axis in touched else axis
        for axis, tree in enumerate(operand.axes)
    ]
    reading.relate(operation, [(operand, letters)], [made], lambda letter: LINEAR if value == 0 else OTHER)
    return None
