"""Losses per item and metrics, by name."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from gnnmc.registry import Registry


@dataclass(frozen=True)
class Loss:
    """A loss per labelled item: `(n, C)` outputs and `(n,)` targets → `(n,)`, in `unit`."""

    per_item: Callable[[Tensor, Tensor], Tensor]
    unit: str
    classification: bool


@dataclass(frozen=True)
class Metric:
    """A number about a split: `(n, C)` outputs and `(n,)` targets → scalar tensor."""

    measure: Callable[[Tensor, Tensor], Tensor]
    higher_is_better: bool
    unit: str


LOSSES: Registry[Loss] = Registry("loss")
METRICS: Registry[Metric] = Registry("metric")


def _cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    return functional.cross_entropy(outputs, targets, reduction="none")


def _squared_error(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs.reshape(targets.shape) - targets).square()


def _accuracy(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs.argmax(dim=-1) == targets).to(torch.get_default_dtype()).mean()


def _root_mean_squared_error(outputs: Tensor, targets: Tensor) -> Tensor:
    return _squared_error(outputs, targets).mean().sqrt()


LOSSES.add("cross_entropy", Loss(_cross_entropy, "nats per labelled item", classification=True))
LOSSES.add("squared_error", Loss(_squared_error, "squared units of the target", classification=False))
METRICS.add("accuracy", Metric(_accuracy, higher_is_better=True, unit="fraction in [0, 1]"))
METRICS.add("rmse", Metric(_root_mean_squared_error, higher_is_better=False, unit="units of the target"))
