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


def frame(a: Weights, b: Weights, c: Weights, points: int, margin: float = 0.2) -> list[tuple[float, float, float]]:
    """The shares of three points at every place of a grid on their plane, row by row; x from a to b, y towards c."""
    flat = [torch.cat([value.double().flatten() for value in point.values()]) for point in (a, b, c)]
    along, up = flat[1] - flat[0], flat[2] - flat[0]
    length = float(along.norm())
    place = float(up @ along) / length
    height = float((up - along * (place / length)).norm())
    x, y = (
        np.linspace(low - margin * (high - low), high + margin * (high - low), points)
        for low, high in ((min(0, place), max(length, place)), (0.0, height))
    )
    third = np.repeat(y, points) / height
    second = (np.tile(x, points) - third * place) / length
    return list(zip((1 - second - third).tolist(), second.tolist(), third.tolist(), strict=True))


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
