"""Matrix products: what is summed over, what runs along, what stays."""

from collections.abc import Sequence

import torch

from gnnmc.engine.tracing import Operation
from gnnmc.symmetry.reading.elementwise import is_alike
from gnnmc.symmetry.reading.reading import Letter, Operand, Reading
from gnnmc.symmetry.reading.relations import ACROSS, CONTRACTED, LINEAR, SAID, Flag, Relation, shifted_product
from gnnmc.symmetry.reading.rules import given, reads
from gnnmc.symmetry.reading.spaces import UNUSED

aten = torch.ops.aten
_ALONG = Relation(shifted_product, shifted_product, Flag.UNIT)


def contract(
    reading: Reading,
    operation: Operation,
    operands: Sequence[Operand],
    letters: Sequence[str],
    made: str,
    added: Operand | None = None,
) -> None:
    """A product written as einsum writes it, one letter for each axis; `added` is broadcast to the result and added."""
    shown = [
        [None if is_alike(tree) else letter for tree, letter in zip(operand.axes, one, strict=True)]
        for operand, one in zip(operands, letters, strict=True)
    ]
    summed = {letter for one in letters for letter in one} - set(made)
    # A sum over an axis along which one operand is alike is a sum over the units of the other.
    alone = {letter for letter in summed if any(_lacks(letter, one, row) for one, row in zip(letters, shown))}
    extra: list[tuple[Operand, list[Letter]]] = []
    lacking: set[Letter] = set()
    if added is not None:
        tail = made[len(made) - len(added.axes) :]
        theirs: list[Letter] = [
            None if is_alike(tree) else letter for tree, letter in zip(added.axes, tail, strict=True)
        ]
        extra = [(added, theirs)]
        lacking = set() if reading.is_zero(added) else {letter for letter in made if letter not in theirs}
    for letter in sorted(summed):
        pairs = zip(operands, shown, strict=True)
        reading.note_sum(*((operand, axis) for operand, one in pairs for axis, own in enumerate(one) if own == letter))

    empty = any(map(reading.is_zero, operands))
    if empty and added is None:
        reading.zeros.update(number for number in operation.results if number is not None)

    def relation(letter: Letter) -> Relation:
        if empty and letter in summed:
            return SAID  # a product with zeros asks nothing of what it sums over
        if letter in alone:
            return ACROSS
        if letter in summed:
            return CONTRACTED
        if letter in lacking:
            return Relation(ACROSS.scale, ACROSS.sign, Flag.UNIT)
        return LINEAR if sum(letter in one for one in shown) == 1 else _ALONG

    held = {letter for one in shown for letter in one}
    out: list[Letter] = []
    number = operation.results[0]
    shape = reading.shapes[number] if number is not None else torch.Size()
    for axis, letter in enumerate(made):
        out.append(letter if letter in held else reading.alike(shape[axis]) if shape[axis] != 1 else reading.data(1))
    reading.relate(operation, [*zip(operands, shown, strict=True), *extra], [out], relation)


def _lacks(letter: str, own: str, shown: Sequence[Letter]) -> bool:
    return letter in own and letter not in shown


@reads(aten.mm, aten._sparse_mm)
def _matrices(reading: Reading, operation: Operation) -> None:
    contract(reading, operation, [reading.operand(one) for one in operation.args[:2]], ["ik", "kj"], "ij")


@reads(aten.addmm)
def _added_matrices(reading: Reading, operation: Operation) -> bool | None:
    return _added(reading, operation, ["ik", "kj"], "ij")


def _added(reading: Reading, operation: Operation, letters: Sequence[str], made: str) -> bool | None:
    """beta · (what is added) + alpha · (a product)."""
    added, *both = [reading.operand(one) for one in operation.args[:3]]
    beta, alpha = (given(operation)[name] for name in ("beta", "alpha"))
    if alpha == 0:
        return False
    if beta == 0:  # what would be added is not even looked at
        reading.freeze(added, UNUSED)
    contract(reading, operation, both, letters, made, None if beta == 0 else added)
    return None


@reads(aten.bmm)
def _batches(reading: Reading, operation: Operation) -> None:
    contract(reading, operation, [reading.operand(one) for one in operation.args[:2]], ["bik", "bkj"], "bij")


@reads(aten.baddbmm)
def _added_batches(reading: Reading, operation: Operation) -> bool | None:
    return _added(reading, operation, ["bik", "bkj"], "bij")


@reads(aten.mv)
def _vector(reading: Reading, operation: Operation) -> None:
    contract(reading, operation, [reading.operand(one) for one in operation.args[:2]], ["ik", "k"], "i")


@reads(aten.addmv)
def _added_vector(reading: Reading, operation: Operation) -> bool | None:
    return _added(reading, operation, ["ik", "k"], "i")


@reads(aten.dot, aten.vdot)
def _vectors(reading: Reading, operation: Operation) -> None:
    contract(reading, operation, [reading.operand(one) for one in operation.args[:2]], ["k", "k"], "")


@reads(aten.linear)
def _linear(reading: Reading, operation: Operation) -> None:
    named = given(operation)
    x, weight = reading.operand(named["input"]), reading.operand(named["weight"])
    rest = "abcdefgh"[: len(x.axes) - 1]
    added = None if named["bias"] is None else reading.operand(named["bias"])
    contract(reading, operation, [x, weight], [rest + "k", "jk"], rest + "j", added)


@reads(torch.ops.gnnmc.sparse_mm)
def _sparse(reading: Reading, operation: Operation) -> bool | None:
    starts, columns, values, _, x = operation.args
    if not all(isinstance(one, torch.Tensor) for one in (starts, columns, values)):
        return _sparse_of_weights(reading, operation)
    operand = reading.operand(x)
    letters: list[Letter] = ["node", *range(1, len(operand.axes))]
    shown = [None if is_alike(tree) and n else letters[n] for n, tree in enumerate(operand.axes)]
    cause = reading.hold(operand.axes[0], reading.met(columns))
    made: list[Letter] = [
        reading.data(len(starts) - 1, cause),
        *(letters[n] if shown[n] is not None else operand.axes[n] for n in range(1, len(letters))),
    ]
    reading.relate(operation, [(operand, shown)], [made], lambda letter: LINEAR)
    return None


def _sparse_of_weights(reading: Reading, operation: Operation) -> bool | None:
    """The entries of the matrix depend on weights: x is multiplied by numbers without units."""
    starts, columns, values, _, x = operation.args
    if not (isinstance(starts, torch.Tensor) and isinstance(columns, torch.Tensor)):
        return False
    entries, operand = reading.operand(values), reading.operand(x)
    if len(entries.axes) != 1:
        return False
    cause = reading.hold(operand.axes[0], reading.met(columns))
    reading.hold(entries.axes[0], reading.met(columns))
    letters: list[Letter] = ["node", *range(1, len(operand.axes))]
    made: list[Letter] = [reading.data(len(starts) - 1, cause), *letters[1:]]
    reading.relate(operation, [(operand, letters), (entries, ["entry"])], [made], lambda letter: LINEAR)
    return None
