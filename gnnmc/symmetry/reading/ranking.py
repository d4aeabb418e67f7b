"""Entries put in order of size: which is the largest is told by its place along an axis, which must stay."""

from collections.abc import Sequence

import torch

from gnnmc.engine.tracing import Operation
from gnnmc.symmetry.reading.elementwise import is_alike
from gnnmc.symmetry.reading.reading import Letter, Reading
from gnnmc.symmetry.reading.relations import Equation, Flag, Key, Relation, equal, nothing
from gnnmc.symmetry.reading.rules import axes_of, given, reads

aten = torch.ops.aten


def _values(keys: Sequence[Key], made: Sequence[Key]) -> list[Equation]:
    """Positive factors pass to the values and change no place."""
    return equal(keys, made[:1]) + nothing(made[1:], [])


def _no_factor(keys: Sequence[Key], made: Sequence[Key]) -> list[Equation]:
    """Places only: whatever factors there were."""
    return nothing(made, [])


_RANKED = Relation(_values, nothing, Flag.UNIT)
_PLACED = Relation(_no_factor, nothing, Flag.UNIT)


@reads(aten.topk, aten.sort, aten.kthvalue, aten.argsort, aten.argmax, aten.argmin)
def _ranked(reading: Reading, operation: Operation) -> None:
    operand = reading.operand(operation.args[0])
    along = axes_of(given(operation).get("dim"), len(operand.axes))
    causes = {axis: reading.hold(operand.axes[axis], reading.ordered()) for axis in along}
    letters: list[Letter] = [
        None if axis in along or is_alike(tree) else axis for axis, tree in enumerate(operand.axes)
    ]
    made: list[list[Letter]] = []
    for number in operation.results:
        shape = reading.shapes[number] if number is not None else torch.Size()
        kept = len(shape) == len(operand.axes)
        rest = [axis for axis in range(len(operand.axes)) if kept or axis not in along]
        own: list[Letter] = []
        for place, axis in enumerate(rest):
            kept_tree: Letter = axis if letters[axis] is not None else operand.axes[axis]
            own.append(reading.data(shape[place], causes[axis]) if axis in along else kept_tree)
        made.append(own)
    relation = _RANKED if len(operation.results) > 1 else _PLACED
    reading.relate(operation, [(operand, letters)], made, lambda letter: relation)
