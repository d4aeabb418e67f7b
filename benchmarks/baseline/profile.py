"""Losses and accuracies along a path: a forward at every point."""

from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from benchmarks.agreement import Floats
from benchmarks.baseline.task import Task

Weights = dict[str, Tensor]


def line(a: Weights, b: Weights) -> Callable[[float], Weights]:
    """(1 − t)·a + t·b."""
    return lambda t: {name: torch.lerp(value, b[name], t) for name, value in a.items()}


def bezier(a: Weights, c: Weights, b: Weights) -> Callable[[float], Weights]:
    """(1 − t)²·a + 2t(1 − t)·c + t²·b."""

    def at(t: float) -> Weights:
        return {name: (1 - t) ** 2 * a[name] + 2 * t * (1 - t) * c[name] + t**2 * b[name] for name in a}

    return at


def plane(a: Weights, b: Weights, c: Weights) -> Callable[[tuple[float, float, float]], Weights]:
    """A combination of three points."""

    def at(shares: tuple[float, float, float]) -> Weights:
        first, second, third = shares
        return {name: first * a[name] + second * b[name] + third * c[name] for name in a}

    return at


@torch.no_grad()
def along(module: nn.Module, task: Task, points: Iterable[Weights]) -> Floats:
    """Shapes: T points → (T, S, 2), loss and accuracy of S splits."""
    module.eval()
    return np.array([task.measure(functional_call(module, point, task.inputs)) for point in points])
