"""From a recorded forward to what is known of its axes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from gnnmc.engine.tracing import NotTraceable, Operation, Trace
from gnnmc.engine.tracing.draws import Draw
from gnnmc.symmetry.reading.facts import Facts
from gnnmc.symmetry.reading.reading import Mismatch, Operand, Reading
from gnnmc.symmetry.reading.rules import RULES
from gnnmc.symmetry.reading.spaces import SINGLE, Reason, Space, Tree, Whole, above, members, resolved, spaces_of
from gnnmc.symmetry.reading.unifying import Spaces

# Each finds something, or is the last: a model of any depth took 6 at most.
MOST_PASSES = 100
# (tensor, which of its axes)
Axis: TypeAlias = tuple[str, int]
_OUTPUT = Reason("output", "is an output of the model")


@dataclass(frozen=True, eq=False)
class Derivation:
    """inputs: tensor → trees of its axes. used: the tensors that the output depends on. values: number → trees.

    facts: what was noted in the last pass. numbers: tensor → its number in the trace.
    """

    inputs: Mapping[str, tuple[Tree, ...]]
    used: frozenset[str]
    values: Mapping[int, tuple[Tree, ...]]
    facts: Facts
    numbers: Mapping[str, int]


def derive(trace: Trace, of_data: Callable[[Tensor], bool] = lambda constant: True) -> Derivation:
    """Read every operation until nothing more is found: what moves with what only ever gets less.

    That one set lies in another is seen where an axis is split into two. Where they are separate axes from the start
    (experts in one tensor) it is tried, and kept if no operation contradicts it.

    of_data: whether a constant of the record is made of what the model is called on, and not of what it holds.
    """
    found = _derived(trace, {}, of_data)
    candidates = list(_beside(found))
    left: list[dict[Axis, Axis]] = []
    while True:
        within: dict[Axis, Axis] = {}
        tried, left = [], []
        for one in candidates:
            # No set lies in one that lies in another: that would be two things to try at once.
            if within.keys() & {*one, *one.values()} or set(within.values()) & one.keys():
                continue
            # Of two on one tensor, both in one set, the orders cannot be sought together with that of the outer one.
            if set(within.values()) & set(one.values()):
                left.append(one)
                continue
            within |= one
            tried.append(one)
        nested = _derived(trace, within, of_data) if tried else found
        refused = [one for one in tried if not all(_lies_within(nested, axis) for axis in one)]
        if not refused:
            break
        candidates = [one for one in candidates if one not in refused]
    for one in left:
        space = _space(nested, next(iter(one)))
        if space is not None:
            space.given_up = True
    return nested


def _lies_within(derivation: Derivation, axis: Axis) -> bool:
    space = _space(derivation, axis)
    return space is not None and space.fixed is None and above(space) is not None


def _beside(derivation: Derivation) -> Iterator[dict[Axis, Axis]]:
    """Sets that stand beside one and the same other on every tensor, larger ones first: axis → axis of the other."""
    axes: dict[Space, list[Axis]] = {}
    for name in derivation.inputs:
        if name in derivation.used:
            for n, tree in enumerate(derivation.inputs[name]):
                for space in spaces_of(resolved(tree)):
                    axes.setdefault(space, []).append((name, n))
    whole = {space: on for space, on in axes.items() if all(_space(derivation, one) is space for one in on)}
    for space in sorted(whole, key=lambda one: -one.size):
        # On one axis alone nothing could tell whether it lies in another.
        free = space.fixed is None and above(space) is None and not space.tied and not space.uniform
        if free and len(whole[space]) > 1:
            for other, theirs in whole.items():
                pairs = {one: [its for its in theirs if its[0] == one[0]] for one in whole[space]}
                if other is not space and other.size > 1 and all(len(its) == 1 for its in pairs.values()):
                    yield {one: its[0] for one, its in pairs.items()}


def _space(derivation: Derivation, axis: Axis) -> Space | None:
    """The set that is all of an axis of a tensor."""
    tree = resolved(derivation.inputs[axis[0]][axis[1]])
    return tree.space if isinstance(tree, Whole) else None


def _inputs(trace: Trace, within: Mapping[Axis, Axis]) -> dict[str, tuple[Tree, ...]]:
    """Each axis of each tensor as a set of its own, some within others."""
    inputs: dict[str, tuple[Tree, ...]] = {}
    for name, number in trace.inputs.items():
        own = [Space(size, SINGLE if size == 1 else None) for size in trace.shapes[number]]
        for n, space in enumerate(own):
            if (name, n) in within:
                space.outer = own[within[name, n][1]]
        inputs[name] = tuple(Whole(space) for space in own)
    return inputs


def _derived(trace: Trace, within: Mapping[Axis, Axis], of_data: Callable[[Tensor], bool]) -> Derivation:
    operations = _needed(trace)
    spaces = Spaces()
    inputs = _inputs(trace, within)
    settled = False
    for _ in range(MOST_PASSES):
        before = _state(inputs)
        # What is noted is of use only when nothing more is found; a rule may find then that it does not fit.
        facts = Facts() if settled else None
        values = _read(Reading(spaces, trace.shapes, of_data), trace, operations, inputs, facts)
        for axes in inputs.values():
            for space in (one for tree in axes for one in spaces_of(resolved(tree))):
                # Told apart by an axis of its own: a tensor's layout has no word for that.
                if len(members(space)) > 1:
                    spaces.tie(space)
        settled = _state(inputs) == before
        if settled and facts is not None:
            break
    else:
        raise NotTraceable(f"what moves with what was not settled in {MOST_PASSES} passes")
    asked = {number for operation in operations for number in operation.refs()} | {trace.output}
    used = frozenset(name for name, number in trace.inputs.items() if number in asked)
    return Derivation(inputs, used, values, facts, trace.inputs)


def _state(inputs: Mapping[str, tuple[Tree, ...]]) -> list[object]:
    """All that is known of the tensors, to see whether a pass found anything."""
    names: dict[Space, int] = {}

    def told(tree: Tree) -> object:
        return [
            (
                names.setdefault(space, len(names)),
                space.size,
                space.fixed is None,
                space.tied,
                [names.setdefault(one, len(names)) for part in members(space) for one in part],
                [names.setdefault(one, len(names)) for one in spaces_of(held)] if (held := above(space)) else None,
            )
            for space in spaces_of(resolved(tree))
        ]

    return [told(tree) for axes in inputs.values() for tree in axes]


def _read(
    reading: Reading,
    trace: Trace,
    operations: list[Operation],
    inputs: Mapping[str, tuple[Tree, ...]],
    facts: Facts | None,
) -> dict[int, tuple[Tree, ...]]:
    reading.facts = facts
    for operation in operations:
        for ref in operation.refs():
            reading.uses.setdefault(ref, []).append(operation)
    for name, number in trace.inputs.items():
        reading.axes[number] = inputs[name]
        reading.plain[number] = name
        reading.check(inputs[name])
    for operation in operations:
        reading.operation = operation
        if not _understood(reading, operation):
            _not_understood(reading, operation)
    for tree in reading.axes[trace.output]:
        reading.spaces.freeze(tree, _OUTPUT)
    if facts is not None:
        facts.carry_reads(reading.plain)
    return reading.axes


def _understood(reading: Reading, operation: Operation) -> bool:
    rule = RULES.get(operation.kind)
    if rule is None or not isinstance(operation.function, torch._ops.OpOverload):
        return False
    try:
        return rule(reading, operation) is not False
    except Mismatch:
        return False


def _not_understood(reading: Reading, operation: Operation) -> None:
    """What goes in stays where it is, and so what comes out."""
    reason = Reason("operation", f"{_named(operation)} is not understood")
    for ref in operation.refs():
        reading.freeze(Operand(ref, reading.axes[ref]), reason)
    for number in operation.results:
        if number is not None:
            reading.give(number, [Whole(Space(size, reason)) for size in reading.shapes[number]])


def _named(operation: Operation) -> str:
    function = operation.function
    return f"{function.function} (random numbers)" if isinstance(function, Draw) else str(function)


def _needed(trace: Trace) -> list[Operation]:
    """The operations that the output depends on."""
    asked = {trace.output}
    kept = []
    for operation in reversed(trace.operations):
        reads = all(number is None for number in operation.results)
        # What the forward reads of a value may decide anything.
        if reads or asked.intersection(operation.results):
            kept.append(operation)
            asked.update(operation.refs())
    return kept[::-1]
