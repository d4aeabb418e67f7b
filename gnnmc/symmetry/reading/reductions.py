"""Sums, means and extremes along axes; softmax."""

from collections.abc import Callable

import torch

from gnnmc.engine.tracing import Operation
from gnnmc.symmetry.reading.elementwise import is_alike
from gnnmc.symmetry.reading.reading import Letter, Operand, Reading
from gnnmc.symmetry.reading.relations import (
    ACROSS,
    LINEAR,
    OTHER,
    POSITIVE,
    SAID,
    Flag,
    Relation,
    equal,
    nothing,
    vanishing,
)
from gnnmc.symmetry.reading.rules import axes_of, given, reads

aten = torch.ops.aten
_UNIT = Relation(equal, equal, Flag.UNIT)
_NORM = Relation(nothing, nothing, Flag.NORM)
# Absolute values are seen: a sign is lost.
_LENGTH = Relation(nothing, vanishing, Flag.NORM)
_MASS = Relation(nothing, vanishing, Flag.ACROSS)
_CENTERED = Relation(nothing, nothing, Flag.CENTERED)
# Extremes keep positive factors.
_MAGNITUDE = Relation(equal, vanishing, Flag.UNIT)
_KEPT = Relation(POSITIVE.scale, POSITIVE.sign, Flag.UNIT)


def reduce(
    reading: Reading,
    operation: Operation,
    operand: Operand,
    gone: list[int],
    over: Callable[[Letter], Relation],
    rest: Relation,
) -> None:
    """`over`: along the axes that are reduced; `rest`: along the others. Kept axes of size 1 are told by the shape."""
    number = operation.results[0]
    keep = number is not None and len(reading.shapes[number]) == len(operand.axes)
    letters: list[Letter] = [
        axis if axis in gone or not is_alike(tree) else None for axis, tree in enumerate(operand.axes)
    ]
    made: list[Letter] = []
    for axis, tree in enumerate(operand.axes):
        if axis not in gone:
            made.append(axis if letters[axis] is not None else tree)
        elif keep:
            made.append(reading.data(1))
    results = [made for _ in operation.results]
    reading.relate(operation, [(operand, letters)], results, lambda letter: over(letter) if letter in gone else rest)


@reads(aten.sum, aten.mean, aten.nansum)
def _summed(reading: Reading, operation: Operation) -> None:
    operand = reading.operand(operation.args[0])
    gone = axes_of(given(operation).get("dim"), len(operand.axes))
    if operand.number in reading.squares:
        reduce(reading, operation, operand, gone, lambda axis: _NORM, _UNIT)
    else:
        # What is summed of a product was said where it was made.
        said = reading.summed.get(operand.number, ()) if operand.number is not None else ()
        reduce(reading, operation, operand, gone, lambda axis: SAID if axis in said else ACROSS, LINEAR)


@reads(aten.linalg_vector_norm, aten.norm)
def _norm(reading: Reading, operation: Operation) -> None:
    named = given(operation)
    operand = reading.operand(operation.args[0])
    gone = axes_of(named.get("dim"), len(operand.axes))
    order = named.get("ord", named.get("p"))
    over = _LENGTH if order in (2, None) else _MASS
    reduce(reading, operation, operand, gone, lambda axis: over, _MAGNITUDE)


@reads(aten.var, aten.std, aten.var_mean, aten.std_mean)
def _spread(reading: Reading, operation: Operation) -> None:
    operand = reading.operand(operation.args[0])
    gone = axes_of(given(operation).get("dim"), len(operand.axes))
    over = _CENTERED if len(operation.results) == 1 else ACROSS
    reduce(reading, operation, operand, gone, lambda axis: over, OTHER)


@reads(aten.amax, aten.amin, aten.max, aten.min, aten.median, aten.mode)
def _extreme(reading: Reading, operation: Operation) -> bool | None:
    named = given(operation)
    if "other" in named:
        return False
    operand = reading.operand(operation.args[0])
    gone = axes_of(named.get("dim"), len(operand.axes))
    if any(number in reading.uses for number in operation.results[1:]):
        # Where the extreme stands is asked for: the axis must stay.
        for axis in gone:
            reading.hold(operand.axes[axis], reading.ordered())
    reduce(reading, operation, operand, gone, lambda axis: ACROSS, _KEPT)
    return None


@reads(aten.prod, aten.logsumexp, aten.any, aten.all)
def _other(reading: Reading, operation: Operation) -> None:
    operand = reading.operand(operation.args[0])
    gone = axes_of(given(operation).get("dim"), len(operand.axes))
    reduce(reading, operation, operand, gone, lambda axis: ACROSS, OTHER)


@reads(aten._softmax, aten._log_softmax, aten._safe_softmax)
def _softmax(reading: Reading, operation: Operation) -> None:
    operand = reading.operand(operation.args[0])
    along = axes_of(operation.args[1], len(operand.axes))
    letters: list[Letter] = [None if is_alike(tree) else axis for axis, tree in enumerate(operand.axes)]
    made: list[Letter] = [axis if letters[axis] is not None else tree for axis, tree in enumerate(operand.axes)]
    reading.relate(operation, [(operand, letters)], [made], lambda letter: ACROSS if letter in along else OTHER)


@reads(aten.cumsum)
def _running(reading: Reading, operation: Operation) -> bool | None:
    operand = reading.operand(operation.args[0])
    along = axes_of(operation.args[1], len(operand.axes))[0]
    reading.hold(operand.axes[along], reading.ordered())
    letters: list[Letter] = [None if is_alike(tree) else axis for axis, tree in enumerate(operand.axes)]
    made: list[Letter] = [axis if letters[axis] is not None else tree for axis, tree in enumerate(operand.axes)]
    reading.relate(operation, [(operand, letters)], [made], lambda letter: LINEAR)
    return None
