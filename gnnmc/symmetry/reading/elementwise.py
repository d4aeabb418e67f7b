"""Operations element by element, with broadcasting."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from gnnmc.engine.tracing import Operation
from gnnmc.symmetry.reading.reading import Letter, Operand, Reading
from gnnmc.symmetry.reading.relations import (
    CONTRACTED,
    DIVIDED,
    EVEN,
    LINEAR,
    MAGNITUDE,
    MULTIPLIED,
    ODD,
    OTHER,
    POSITIVE,
    Flag,
    Relation,
    equal,
    nothing,
    power,
    vanishing,
)
from gnnmc.symmetry.reading.rules import axes_of, axis_of, given, reads
from gnnmc.symmetry.reading.spaces import Tree, Whole, resolved

aten = torch.ops.aten
_SQUARED = Relation(power(2), vanishing, Flag.UNIT)
_ROOT = Relation(power(1, 2), nothing, Flag.UNIT)
_INVERSE_ROOT = Relation(power(-1, 2), nothing, Flag.UNIT)
_INVERSE = Relation(power(-1), power(-1), Flag.UNIT)
_SLOPES = Relation(lambda given, made: [*equal(given[:1], made), *nothing(given[1:], [])], nothing, Flag.UNIT)


def pointwise(
    reading: Reading,
    operation: Operation,
    operands: Sequence[Operand],
    relation: Callable[[list[bool]], Relation],
    along: Callable[[Letter], Relation | None] = lambda axis: None,
) -> None:
    """relation: for each operand whether it has the axis → what is true along it. along: what is true along an axis,
    whatever else would be.
    """
    shape = reading.shapes[operation.results[0]] if operation.results[0] is not None else torch.Size()
    dims = len(shape)
    letters = [_letters(operand, dims) for operand in operands]
    has: dict[Letter, list[bool]] = {axis: [axis in one for one in letters] for axis in range(dims)}
    out: list[Letter] = []
    for axis, size in enumerate(shape):
        if any(has[axis]):
            out.append(axis)
        else:
            # All operands are alike along it, or of size 1.
            out.append(reading.alike(size) if size != 1 else reading.data(1))
    reading.relate(
        operation, list(zip(operands, letters, strict=True)), [out], lambda axis: along(axis) or relation(has[axis])
    )


def _letters(operand: Operand, dims: int) -> list[Letter]:
    """Axes counted as those of the result; None for what is broadcast."""
    first = dims - len(operand.axes)
    return [None if is_alike(tree) else first + axis for axis, tree in enumerate(operand.axes)]


def is_alike(tree: Tree) -> bool:
    """Whether all entries along an axis are equal, if only since there is one."""
    tree = resolved(tree)
    return tree.size == 1 or (isinstance(tree, Whole) and tree.space.uniform)


def _alone(relation: Relation) -> Any:
    def rule(reading: Reading, operation: Operation) -> None:
        pointwise(reading, operation, [reading.operand(operation.args[0])], lambda has: relation)
        _see(reading, operation, relation)

    return rule


def _see(reading: Reading, operation: Operation, relation: Relation) -> None:
    """Note values after a function of each unit: what activations are compared on."""
    number = operation.results[0]
    if reading.facts is None or number is None or relation.flag is Flag.LINEAR:
        return
    for axis in range(len(reading.axes[number])):
        for space, _ in reading.keys(Operand(number, reading.axes[number]), axis):
            reading.facts.seen.setdefault(space, []).append(number)


for _names, _relation in (
    ("relu leaky_relu rrelu_with_noise", POSITIVE),
    ("tanh sin asin atan sinh asinh erf hardshrink softshrink sign round trunc", ODD),
    ("abs", MAGNITUDE),
    ("cos cosh", EVEN),
    ("neg contiguous", LINEAR),
    (
        "gelu silu elu selu celu mish sigmoid log_sigmoid_forward softplus hardsigmoid hardswish exp exp2 expm1 log "
        "log2 log10 log1p logit floor ceil frac hardtanh threshold logical_not bitwise_not",
        OTHER,
    ),
    ("isnan isinf isfinite", Relation(vanishing, vanishing, Flag.UNIT)),
    ("sqrt", _ROOT),
    ("rsqrt", _INVERSE_ROOT),
    ("square", _SQUARED),
    ("reciprocal", _INVERSE),
):
    reads(*(getattr(aten, _name) for _name in _names.split()))(_alone(_relation))


@reads(aten.gt, aten.ge, aten.lt, aten.le, aten.eq, aten.ne, aten.maximum, aten.minimum, aten.atan2, aten.logaddexp)
def _compared(reading: Reading, operation: Operation) -> None:
    operands = [reading.operand(argument) for argument in operation.args[:2]]
    positive = operation.kind in (aten.maximum, aten.minimum)
    pointwise(reading, operation, operands, lambda has: POSITIVE if positive and all(has) else OTHER)


@reads(aten.add, aten.sub, aten.rsub)
def _added(reading: Reading, operation: Operation) -> None:
    operands = [reading.operand(argument) for argument in operation.args[:2]]
    zeros = [reading.is_zero(operand) for operand in operands]
    if all(zeros):
        reading.zeros.update(number for number in operation.results if number is not None)
    elif any(zeros):
        operands = [operand for operand, zero in zip(operands, zeros, strict=True) if not zero]
    if isinstance(operation.kwargs.get("alpha"), int | float) and operation.kwargs["alpha"] == 0:
        operands = operands[:1]
    pointwise(reading, operation, operands, lambda has: LINEAR if all(has) else OTHER)


@reads(aten.mul)
def _multiplied(reading: Reading, operation: Operation) -> None:
    operands = [reading.operand(argument) for argument in operation.args[:2]]
    if any(map(reading.is_zero, operands)):
        reading.zeros.update(number for number in operation.results if number is not None)
    squared = operands[0].number is not None and operands[0].number == operands[1].number
    if squared:
        _square(reading, operation)
        return
    _product(reading, operation, operands, MULTIPLIED)


@reads(aten.div)
def _divided(reading: Reading, operation: Operation) -> None:
    operands = [reading.operand(argument) for argument in operation.args[:2]]
    if given(operation).get("rounding_mode"):
        pointwise(reading, operation, operands, lambda has: OTHER)
        return
    _product(reading, operation, operands, DIVIDED)


def _product(reading: Reading, operation: Operation, operands: Sequence[Operand], relation: Relation) -> None:
    unit = Relation(relation.scale, relation.sign, Flag.UNIT)

    def law(has: list[bool]) -> Relation:
        if sum(has) > 1:
            return unit
        # One operand has the axis: the other is one number for all its units.
        return LINEAR if has[0] else Relation(power(-1), power(-1), Flag.UNIT) if relation is DIVIDED else LINEAR

    summed = _summed(reading, operation, operands) if relation is MULTIPLIED else frozenset()
    if summed:
        pointwise(reading, operation, operands, law, lambda axis: CONTRACTED if axis in summed else None)
        return
    gauges = _gauges(reading, operands) if relation is MULTIPLIED else {}
    if not gauges:
        pointwise(reading, operation, operands, law)
        return
    gauged = Relation(relation.scale, relation.sign, Flag.LINEAR)
    pointwise(reading, operation, operands, lambda has: gauged if sum(has) > 1 else law(has))
    if reading.facts is not None:
        for space, (key, name) in gauges.items():
            reading.facts.gauges.setdefault(space, {})[key] = name


def _summed(reading: Reading, operation: Operation, operands: Sequence[Operand]) -> frozenset[int]:
    """The axes of both operands over which every use of their product sums it, and nothing else does anything with it:
    what is multiplied and then summed is a product of matrices.
    """
    number = operation.results[0]
    uses = reading.uses.get(number, []) if number is not None else []
    if (
        number is None
        or not uses
        or any(use.kind not in (aten.sum, aten.mean) for use in uses)
        or any(map(reading.is_zero, operands))
    ):
        return frozenset()
    dims = len(reading.shapes[number])
    everywhere = set(range(dims)).intersection(*(axes_of(given(use).get("dim"), dims) for use in uses))
    letters = [_letters(operand, dims) for operand in operands]
    both = [axis for axis in sorted(everywhere) if all(axis in its for its in letters)]
    for axis in both:
        reading.note_sum(*((operand, its.index(axis)) for operand, its in zip(operands, letters, strict=True)))
    reading.summed[number] = frozenset(both)
    return reading.summed[number]


def _gauges(reading: Reading, operands: Sequence[Operand]) -> dict[Any, Any]:
    """Where units are multiplied by a tensor of the model with one entry for each: set → (key, name of the tensor)."""
    for operand, other in (operands, operands[::-1]):
        name = reading.plain.get(operand.number) if operand.number is not None else None
        if name is None or other.number is None or other.number in reading.plain:
            continue
        moving = [(axis, keys) for axis in range(len(operand.axes)) if (keys := reading.keys(operand, axis))]
        if len(moving) == 1 and len(moving[0][1]) == 1 and moving[0][1][0][0].size == _numel(operand):
            space, key = moving[0][1][0]
            return {space: (key, name)}
    return {}


def _numel(operand: Operand) -> int:
    total = 1
    for tree in operand.axes:
        total *= tree.size
    return total


def _square(reading: Reading, operation: Operation) -> None:
    number = operation.results[0]
    # Squares that are only summed are a norm, which a rotation keeps: the sums say what becomes of the units.
    summed = number is not None and all(use.kind in (aten.sum, aten.mean) for use in reading.uses.get(number, ()))
    relation = Relation(_SQUARED.scale, _SQUARED.sign, Flag.LINEAR) if summed else _SQUARED
    pointwise(reading, operation, [reading.operand(operation.args[0])], lambda has: relation)
    if number is not None and summed:
        reading.squares.add(number)


@reads(aten.pow)
def _raised(reading: Reading, operation: Operation) -> None:
    exponent = operation.args[1]
    if not isinstance(exponent, int | float):
        operands = [reading.operand(argument) for argument in operation.args[:2]]
        pointwise(reading, operation, operands, lambda has: OTHER)
    elif exponent == 2:
        _square(reading, operation)
    else:
        operand = reading.operand(operation.args[0])
        relation = _power_of(float(exponent))
        pointwise(reading, operation, [operand], lambda has: relation)
        _see(reading, operation, relation)


def _power_of(exponent: float) -> Relation:
    if exponent == 1:
        return LINEAR
    if exponent == int(exponent) and exponent != 0:
        return Relation(power(int(exponent)), power(int(exponent)) if exponent % 2 else vanishing, Flag.UNIT)
    if exponent in (0.5, -0.5):
        return _ROOT if exponent > 0 else _INVERSE_ROOT
    return OTHER


@reads(aten.clamp, aten.clamp_min, aten.clamp_max)
def _clamped(reading: Reading, operation: Operation) -> bool | None:
    named = given(operation)
    bounds = [named.get("min"), named.get("max")]
    if any(bound is not None and not isinstance(bound, int | float) for bound in bounds):
        return False
    positive = all(bound is None or bound == 0 for bound in bounds)
    relation = POSITIVE if positive else OTHER
    pointwise(reading, operation, [reading.operand(operation.args[0])], lambda has: relation)
    _see(reading, operation, relation)
    return None


@reads(aten.where)
def _chosen(reading: Reading, operation: Operation) -> bool | None:
    if len(operation.args) != 3:
        return False
    condition, *both = [reading.operand(argument) for argument in operation.args]
    both = [operand for operand in both if not reading.is_zero(operand)]
    pointwise(reading, operation, [condition, *both], lambda has: LINEAR if not has[0] and all(has[1:]) else OTHER)
    return None


@reads(aten.masked_fill)
def _filled(reading: Reading, operation: Operation) -> bool | None:
    x, mask = reading.operand(operation.args[0]), reading.operand(operation.args[1])
    value = operation.args[2]
    if not isinstance(value, int | float):
        return False
    pointwise(reading, operation, [x, mask], lambda has: LINEAR if value == 0 and not has[1] else OTHER)
    return None


@reads(aten._prelu_kernel, aten.prelu)
def _learned_slope(reading: Reading, operation: Operation) -> None:
    """Factors pass as through ReLU; a slope for each unit moves with it, and has none."""
    operands = [reading.operand(argument) for argument in operation.args[:2]]
    pointwise(reading, operation, operands, lambda has: _SLOPES if all(has) else POSITIVE if has[0] else OTHER)
    _see(reading, operation, POSITIVE)


@reads(aten.glu)
def _halves(reading: Reading, operation: Operation) -> None:
    """One half times a function of the other."""
    operand = reading.operand(operation.args[0])
    axis = axis_of(given(operation)["dim"], len(operand.axes))
    values, gates = reading.spaces.cut(operand.axes[axis], operand.axes[axis].size // 2)
    letters: list[Letter] = ["units" if n == axis else n for n in range(len(operand.axes))]
    rest = [*letters[:axis], None, *letters[axis + 1 :]]
    reading.spaces.unify(values, gates)
    made: list[Letter] = [values if n == axis else n for n in range(len(operand.axes))]
    reading.relate(operation, [(operand, rest)], [made], lambda letter: OTHER)
    if reading.facts is not None and operation.results[0] is not None:
        keys = reading.keys(operand, axis)
        result = Operand(operation.results[0], reading.axes[operation.results[0]])
        half = len(keys) // 2
        made_keys = reading.keys(result, axis)
        for (space, value), (_, gate), (_, out) in zip(keys[:half], keys[half:], made_keys, strict=True):
            reading.facts.note(space, OTHER, [gate], [])
            reading.facts.note(space, LINEAR, [value], [out])


@reads(aten.lerp)
def _mixed(reading: Reading, operation: Operation) -> bool | None:
    if not isinstance(operation.args[2], int | float):
        return False
    both = [reading.operand(argument) for argument in operation.args[:2]]
    pointwise(reading, operation, both, lambda has: LINEAR if all(has) else OTHER)
    return None


@reads(aten.addcmul, aten.addcdiv)
def _added_product(reading: Reading, operation: Operation) -> None:
    operands = [reading.operand(argument) for argument in operation.args[:3]]
    pointwise(reading, operation, operands, lambda has: OTHER)
