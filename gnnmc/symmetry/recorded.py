"""The values of a model's hidden units on its data, at any weights: a forward recorded so that it can be run again."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from gnnmc.engine import ModelFunction, NotTraceable, stacked_weights
from gnnmc.engine.agreement import OUTPUTS, require_agreement
from gnnmc.engine.tracing import Operation, for_many, record, refusing
from gnnmc.engine.tracing.batched import Batched
from gnnmc.engine.tracing.replay import dropped_after, perform
from gnnmc.errors import InputError
from gnnmc.numbers import whole_number
from gnnmc.problem import Problem
from gnnmc.seeding import torch_generator
from gnnmc.symmetry.find import in_single_operations
from gnnmc.symmetry.reading.derive import derive
from gnnmc.symmetry.reading.export import Export
from gnnmc.weights import Weights

# A unit whose spread over the data is a smaller share of its size does not vary: it is rounding errors.
CONSTANT_BELOW = 1e-6
# Training items that hidden units are seen on, where items can be had apart.
ITEMS = 1024


class Recorded:
    """One forward, dropout off and without labels: over the whole graph, or over a fixed random set of training items.

    `read`, which finds symmetries, records leniently on a few items. Comparing units takes many items and a record that
    can be replayed at other weights, so the forward is recorded again. instead: advice for the error message.
    derivation, export: what is known of the axes of every value.

    Raises InputError for a forward that cannot be replayed at other weights, and for an invalid number of `items`.
    """

    def __init__(self, function: ModelFunction, items: int, instead: str) -> None:
        self.function = function
        self.batches = _some_items(function.problem, whole_number("items", items, least=2))
        varying = [
            name
            for name, value in function.reference.items()
            if name not in function.tied and value.is_floating_point()
        ]
        try:
            with in_single_operations():
                self.trace = record(
                    lambda weights: function(weights, batches=self.batches), function.reference, varying
                )
        except NotTraceable as refusal:
            raise _unseen(function, refusal, instead) from None
        self._instead = instead
        self._for_many = for_many(self.trace)
        self.derivation = derive(self.trace)
        self.export = Export(self.derivation)

    @torch.no_grad()
    def values(self, weights: Sequence[Weights], numbers: Collection[int]) -> Iterator[tuple[int, Tensor]]:
        """These values of the trace at K weights, one after another: only what is still needed is held.

        Shapes: → number, (K, …).
        """
        operations = needed(self._for_many.operations, numbers)
        dropped = dropped_after(operations, ())
        stacked = stacked_weights(weights, list(self.trace.inputs))
        at = {number: Batched(stacked[name], 0) for name, number in self.trace.inputs.items()}
        for place, operation in enumerate(operations):
            try:
                with refusing():  # what torch cannot do for many at once
                    perform(operation, at)
            except NotTraceable as refusal:
                raise _unseen(self.function, refusal, self._instead) from None
            for number in operation.results:
                if number is not None and number in numbers:
                    yield number, at[number].at(0)
            for number in dropped.get(place, ()):
                at.pop(number, None)

    @torch.no_grad()
    def require_agreement(self, weights: Weights) -> None:
        """Raise InputError unless the record gives what the model gives at weights that it was not recorded at.

        What escapes a recording, a detour over numpy say, shows there.
        """
        ((_, ours),) = self.values([weights], {self.trace.output})
        with in_single_operations():
            real = self.function(weights, batches=self.batches)
        try:
            require_agreement("an output", ours[0], real, OUTPUTS)
        except NotTraceable as refusal:
            raise _unseen(self.function, refusal, self._instead) from None

    def made_of_data(self) -> set[int]:
        """The values that data have a part in: others are weights laid out anew, no activations."""
        found: set[int] = set()
        for operation in self.trace.operations:
            constants = (one for one in (*operation.args, *operation.kwargs.values()) if isinstance(one, Tensor))
            if found.intersection(operation.refs()) or any(one.numel() > 1 for one in constants):
                found.update(number for number in operation.results if number is not None)
        return found


def needed(operations: Sequence[Operation], numbers: Collection[int]) -> list[Operation]:
    """The operations that these values are made by, in order."""
    asked = set(numbers)
    kept = []
    for operation in reversed(operations):
        if asked.intersection(operation.results):
            kept.append(operation)
            asked.update(operation.refs())
    return kept[::-1]


def _some_items(problem: Problem, items: int) -> list[Any] | None:
    """None: all there is, which cannot be had apart. The same items for every model, mode and point."""
    if not problem.items.separable:
        return None
    train = problem.splits["train"]
    picked = torch.randperm(len(train), generator=torch_generator("items that units are seen on"))[:items]
    return [problem.items.take(train[picked.to(train.device)])]


def _unseen(function: ModelFunction, refusal: NotTraceable, instead: str) -> InputError:
    name = type(function.module).__name__
    return InputError(
        f"the hidden units of {name} cannot be seen, since its forward cannot be recorded ({refusal}): {instead}"
    )
