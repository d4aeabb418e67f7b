"""A model's outputs at other weights, as exactly as they can be had: what a symmetry is checked on."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gnnmc.engine import ModelFunction
from gnnmc.engine.tracing import Ref, Trace
from gnnmc.engine.tracing.arguments import changed_call
from gnnmc.problem import Problem
from gnnmc.seeding import forked, torch_generator
from gnnmc.weights import Weights

# Items that a forward is recorded on, and weights are tried on, where items can be had apart: the axes of weights do
# not depend on how many.
ITEMS = 8
# Weights that are tried, each half as far from the model's own as the one before, until those are taken.
_TRIES = 8
# Largest difference between a record that is run in double precision and the model, as a share of the outputs.
_SAME_RECORD = 1e-3


def some_items(problem: Problem, count: int, *stream: int | str) -> list[Any] | None:
    """What a model is called on to answer for random items, those that are trained on first.

    None where items cannot be had apart: then for all. stream: what the choice is named by.
    """
    if not problem.items.separable:
        return None
    generator = torch_generator("items that a symmetry is seen on", *stream)
    train = problem.splits["train"].cpu()
    others = torch.ones(len(problem.targets), dtype=torch.bool).index_fill_(0, train, False).nonzero()[:, 0]
    picked = torch.cat([part[torch.randperm(len(part), generator=generator)] for part in (train, others)])[:count]
    return [problem.items.take(picked.to(problem.splits["train"].device))]


def outputs_on(function: ModelFunction, batches: list[Any] | None) -> Callable[[Weights], Tensor]:
    """The model itself; what it draws when it is evaluated is the same at all weights."""

    def outputs(weights: Weights) -> Tensor:
        with torch.no_grad(), forked("random numbers of a forward", device=function.device):
            return function(weights, batches=batches)

    return outputs


class Remembered:
    """Outputs that are asked for several times at some weights, those that `keep` was told of, are made once.

    Weights are told by their dict, which must not change.
    """

    def __init__(self, outputs: Callable[[Weights], Tensor]) -> None:
        self._outputs = outputs
        self._kept: dict[int, tuple[Weights, Tensor]] = {}

    def __call__(self, weights: Weights) -> Tensor:
        kept = self._kept.get(id(weights))
        return self._outputs(weights) if kept is None else kept[1]

    def keep(self, weights: Weights) -> Tensor:
        """The outputs at these weights, which will be asked for again."""
        outputs = self(weights)
        self.remember(weights, outputs)
        return outputs

    def remember(self, weights: Weights, outputs: Tensor) -> None:
        """What was given at these weights."""
        self._kept[id(weights)] = weights, outputs


def changed(before: Tensor, after: Tensor) -> float:
    """Largest difference of outputs, as a share of the largest of them; infinite where others are finite than before.

    Shapes: before, after (N, …).
    """
    finite = before.isfinite()
    if not torch.equal(finite, after.isfinite()):
        return float("inf")
    if not bool(finite.any()):
        return 0.0
    size = max(float(before[finite].abs().max()), torch.finfo(before.dtype).tiny)
    return float((after[finite] - before[finite]).abs().max()) / size


def general_position(function: ModelFunction, seed: int, outputs: Remembered | None = None) -> dict[str, Tensor]:
    """Weights near the model's own, none of them zero or equal by chance (biases at the start, γ of 1).

    So near that the same outputs are finite there, on a few items; where they are nowhere, the model's own. outputs: on
    such items, remembered at the model's own weights and at those that are given; random items by default.
    """
    generator = torch_generator("general position", seed)
    noise = {
        name: torch.randn(value.shape, generator=generator, dtype=torch.float64).to(value)
        for name, value in function.reference.items()
        if value.is_floating_point()
    }
    if outputs is None:
        outputs = Remembered(outputs_on(function, some_items(function.problem, ITEMS, "general position")))
    finite = outputs.keep(function.reference).isfinite()
    for halvings in range(_TRIES):
        moved = _near(function, noise, 0.5**halvings)
        made = outputs(moved)
        if torch.equal(made.isfinite(), finite):
            outputs.remember(moved, made)
            return moved
    return dict(function.reference)


def _near(function: ModelFunction, noise: Weights, share: float) -> dict[str, Tensor]:
    moved = {}
    for name, value in function.reference.items():
        if name not in noise:
            moved[name] = value
            continue
        size = float(value.square().mean().sqrt()) if value.numel() else 0.0
        near = value + share * (0.3 * size + 0.05) * noise[name]
        # Variances stay positive.
        positive = name not in function.parameter_names and value.numel() and bool((value >= 0).all())
        moved[name] = near.abs() if positive else near
    for name, first in function.tied.items():
        moved[name] = moved[first]
    return moved


def evaluated(
    function: ModelFunction, trace: Trace, really: Remembered, weights: dict[str, Tensor]
) -> tuple[Remembered, dict[str, Tensor]]:
    """What gives the outputs, and the weights to start from: in double precision where the record can be run in it.

    really: what the model itself gives on the items of the record.
    """
    if not asks_values(trace) and all(isinstance(one.function, torch._ops.OpOverload) for one in trace.operations):
        # What cannot be run in double precision: a type that the forward named (RuntimeError), a kernel of one type
        # (NotImplementedError), a device without float64 (TypeError). Then the model itself is asked.
        try:
            doubled = {name: _double(value) for name, value in weights.items()}
            run = Remembered(_Doubled(trace))
            with forked("random numbers of a forward", device=function.device):
                exact = run.keep(doubled)
            given = really.keep(weights)
            if exact.shape == given.shape and changed(given.to(exact), exact) <= _SAME_RECORD:
                return run, doubled
        except (RuntimeError, TypeError, NotImplementedError):
            pass
    return really, weights


def asks_values(trace: Trace) -> bool:
    """Whether the forward asks what some value is: it may decide anything, and a record cannot go on with it."""
    return any(all(number is None for number in one.results) for one in trace.operations)


def _double(value: Tensor) -> Tensor:
    return value.double() if value.is_floating_point() else value


class _Doubled:
    """A record run once more in double precision."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    def __call__(self, weights: Weights) -> Tensor:
        values = {number: weights[name] for name, number in self._trace.inputs.items()}

        def filled(leaf: Any) -> Any:
            if isinstance(leaf, Ref):
                return values[leaf.number]
            return _double(leaf)

        for operation in self._trace.operations:
            args, kwargs = changed_call(operation.args, operation.kwargs, (Ref, Tensor), filled)
            results = operation.function(*args, **kwargs)
            results = results if isinstance(results, tuple | list) else [results]
            for number, result in zip(operation.results, results, strict=True):
                if number is not None:
                    values[number] = result
        return values[self._trace.output]
