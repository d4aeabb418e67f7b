"""A recorded forward run again, at many weights at once."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from gnnmc.engine.tracing.arguments import changed_call
from gnnmc.engine.tracing.batched import Batched, run
from gnnmc.engine.tracing.draws import Draw
from gnnmc.engine.tracing.record import Operation, Ref, Trace
from gnnmc.engine.tracing.rules import RULES


class Replay:
    """A trace as a function of K weights.

    Gradients reach the weights through every operation; random numbers are drawn for each of the K from a generator of
    its own, in the order in which the forward drew them.

    Shapes: weights: name → (K, …), K generators → outputs (K, …), updates: name → (K, …).
    """

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self._run = Run(trace.operations, {trace.output, *trace.updates.values()})
        self._of_models: dict[int, dict[int, Batched]] = {}

    def __call__(
        self, weights: Mapping[str, Tensor], generators: Sequence[torch.Generator] = ()
    ) -> tuple[Tensor, dict[str, Tensor]]:
        values = {number: Batched(weights[name], 0) for name, number in self.trace.inputs.items()}
        values |= self._constants(len(next(iter(weights.values()))))
        self._run(values, generators)
        updates = {name: values[number].at(0) for name, number in self.trace.updates.items()}
        return values[self.trace.output].at(0), updates

    def _constants(self, count: int) -> dict[int, Batched]:
        """Those that are others for each problem, once for each of so many models."""
        if count not in self._of_models:
            self._of_models[count] = {
                number: Batched(values.repeat(count // len(values), *[1] * (values.dim() - 1)), 0)
                for number, values in self.trace.each.items()
            }
        return self._of_models[count]


class Run:
    """Operations one after another, on values by number; what none needs any more and is not to be kept is let go."""

    def __init__(self, operations: Sequence[Operation], keep: Collection[int]) -> None:
        self._operations = operations
        self._drop = dropped_after(operations, keep)
        uses = Counter(number for operation in operations for number in operation.refs())
        # What is used once has no other name: a view of it would be a use.
        self._once = {number for number, count in uses.items() if count == 1 and number not in keep}

    def __call__(self, values: dict[int, Batched], generators: Sequence[torch.Generator] = ()) -> None:
        writes = not torch.is_grad_enabled()  # a backward pass needs what it passes
        for place, operation in enumerate(self._operations):
            dropped = self._drop.get(place, ())
            if writes:
                for number in self._once.intersection(dropped):
                    if number in values and values[number].own:
                        values[number] = replace(values[number], spare=True)
            perform(operation, values, generators)
            for number in dropped:
                values.pop(number, None)


def perform(operation: Operation, values: dict[int, Batched], generators: Sequence[torch.Generator] = ()) -> None:
    """Add the results of an operation to the values."""
    if isinstance(operation.function, Draw):
        results = [Batched(operation.function(generators), 0)]
    else:
        args, kwargs = _filled(operation, values)
        results = run(RULES, operation.kind, operation.function, args, kwargs)
    for number, result in zip(operation.results, results, strict=True):
        if number is not None:
            values[number] = result


def _filled(operation: Operation, values: Mapping[int, Batched]) -> tuple[Sequence[Any], Mapping[str, Any]]:
    """The arguments with values in the place of their numbers."""
    if operation.is_flat:  # nearly all are
        return [values[one.number] if isinstance(one, Ref) else one for one in operation.args], operation.kwargs
    return changed_call(operation.args, operation.kwargs, Ref, lambda ref: values[ref.number])


def dropped_after(operations: Sequence[Operation], keep: Collection[int]) -> dict[int, list[int]]:
    """place → the numbers that no later operation needs, those to keep left out."""
    last: dict[int, int] = {}
    for place, operation in enumerate(operations):
        last.update((number, place) for number in operation.results if number is not None)
        last.update((number, place) for number in operation.refs())
    dropped: dict[int, list[int]] = {}
    for number, place in last.items():
        if number not in keep:
            dropped.setdefault(place, []).append(number)
    return dropped
