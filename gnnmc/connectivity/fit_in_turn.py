"""Fit one curve by itself: the reference."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gnnmc.connectivity.fit_settings import FitSettings
from gnnmc.connectivity.path import Path
from gnnmc.engine import ModelFunction
from gnnmc.seeding import forked, numpy_generator
from gnnmc.training import BatchOrder, LearningRate, make_optimizer
from gnnmc.weights import clone


@dataclass(frozen=True)
class Fitted:
    """The inner control points, the loss of every step, how it ended, and what else the record should say."""

    inner: list[dict[str, Tensor]]
    losses: list[float]
    status: str
    about: dict[str, Any] = field(default_factory=dict)


def fit_in_turn(function: ModelFunction, start: Path, decay: float, chosen: FitSettings) -> Fitted:
    """A fit from where the path's inner control points are; the path stays as it is."""
    path = start.with_points(start.control_points)
    trained = function.trainable_names
    inner = path.control_points[1:-1]
    leaves = [point[name].requires_grad_() for point in inner for name in trained]
    for point in inner:
        point |= {name: point[original] for name, original in function.tied.items()}
    optimizer = make_optimizer(chosen.optimizer, leaves, chosen.lr, 0.0, chosen.momentum)
    rate = LearningRate(optimizer, chosen.schedule, chosen.steps)
    order = BatchOrder(function.problem.splits["train"], chosen.batch_size, "fit", "order", chosen.seed)
    losses: list[float] = []
    with forked("fit", "dropout", chosen.seed, device=function.device):
        for step, t in enumerate(coordinates(chosen)):
            rate.set(step)
            optimizer.zero_grad(set_to_none=True)
            weights = path.point(t)
            loss = function.loss(weights, order.next(), training=True, dropout=chosen.dropout)
            value = float(loss.detach())
            if not np.isfinite(value):
                return Fitted([clone(point) for point in inner], losses, lost(step))
            losses.append(value)
            if decay:
                loss = loss + 0.5 * decay * _square_norm(weights, trained)
            loss.backward()
            optimizer.step()
    return Fitted([clone(point) for point in inner], losses, "ok")


def coordinates(chosen: FitSettings) -> list[float]:
    """The t of every step."""
    return numpy_generator("fit", "t", chosen.seed).uniform(size=chosen.steps).tolist()


def lost(step: int) -> str:
    """The status of a fit whose loss was not finite in the step of this number, counted from 0."""
    return f"diverged at step {step + 1}: the loss is not finite"


def _square_norm(weights: dict[str, Tensor], names: Sequence[str]) -> Tensor:
    return torch.stack([weights[name].square().sum() for name in names]).sum()
