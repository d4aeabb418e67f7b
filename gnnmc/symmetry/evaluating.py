"""A model's outputs at other weights, as exactly as they can be had: what a symmetry is checked on."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gnnmc.engine import ModelFunction
from gnnmc.engine.tracing import Operation, Ref, Trace
from gnnmc.engine.tracing.arguments import changed_call
from gnnmc.seeding import forked, torch_generator
from gnnmc.weights import Weights


def general_position(function: ModelFunction, seed: int) -> dict[str, Tensor]:
    """Weights near the model's own, none of them zero or equal by chance (biases at the start, γ of 1)."""
    generator = torch_generator("general position", seed)
    moved = {}
    for name, value in function.reference.items():
        if not value.is_floating_point():
            moved[name] = value
            continue
        size = float(value.square().mean().sqrt()) if value.numel() else 0.0
        noise = torch.randn(value.shape, generator=generator, dtype=torch.float64).to(value)
        near = value + (0.3 * size + 0.05) * noise
        # Variances stay positive.
        positive = name not in function.parameter_names and value.numel() and bool((value >= 0).all())
        moved[name] = near.abs() if positive else near
    for name, first in function.tied.items():
        moved[name] = moved[first]
    return moved


def evaluated(
    function: ModelFunction, trace: Trace, batches: list[Any] | None, weights: Weights
) -> tuple[Callable[[Weights], Tensor], dict[str, Tensor]]:
    """What gives the outputs, and the weights to start from: in double precision where the record can be run in it."""

    def really(moved: Weights) -> Tensor:
        # What a model draws when it is evaluated is the same for all elements.
        with forked("random numbers of a forward", device=function.device):
            return function(moved, batches=batches)

    if all(isinstance(one.function, torch._ops.OpOverload) and any(_numbers(one)) for one in trace.operations):
        # What cannot be run in double precision: a type that the forward named (RuntimeError), a kernel of one type
        # (NotImplementedError), a device without float64 (TypeError). Then the model itself is asked.
        try:
            doubled = {name: _double(value) for name, value in weights.items()}
            run = _Doubled(trace)
            with forked("random numbers of a forward", device=function.device):
                exact = run(doubled)
            given = really(weights)
            if exact.shape == given.shape and bool(((exact - given).abs() <= 1e-3 * given.abs().max()).all()):
                return run, doubled
        except (RuntimeError, TypeError, NotImplementedError):
            pass
    return really, dict(weights)


def _numbers(operation: Operation) -> list[bool]:
    """Which of its results a record can go on with: where there is none, values were read and may decide anything."""
    return [number is not None for number in operation.results]


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
