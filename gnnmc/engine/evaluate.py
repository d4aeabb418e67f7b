"""Evaluate many points of weight space: the reference engine, one forward a point."""

from collections.abc import Iterable

import torch
from torch import Tensor

from gnnmc.engine.function import ModelFunction
from gnnmc.weights import Weights


@torch.no_grad()
def evaluate_points(function: ModelFunction, points: Iterable[Weights]) -> Tensor:
    """Loss and metrics of every split at every point, dropout off.

    Results stay on the device until the last point and are gathered once.

    Shapes: T points → (T, S, 1 + M) on the CPU, splits in the order of `problem.splits`, columns as `problem.columns`.
    """
    return torch.stack([function.problem.measure(function(point)) for point in points]).cpu()
