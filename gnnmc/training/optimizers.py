"""Optimizers by name; weight decay as each of them means it."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from gnnmc.registry import Registry

# (parameters, learning rate, weight decay) → optimizer
MakeOptimizer: TypeAlias = Callable[[Sequence[Tensor], float, float], torch.optim.Optimizer]

OPTIMIZERS: Registry[MakeOptimizer] = Registry("optimizer")


def _fused(parameters: Sequence[Tensor]) -> bool:
    # One kernel for all parameters: several times faster than the default where torch offers it.
    return all(p.device.type in ("cpu", "cuda") and p.is_floating_point() for p in parameters)


@OPTIMIZERS.register("adam")
def _adam(parameters: Sequence[Tensor], lr: float, weight_decay: float) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, lr=lr, weight_decay=weight_decay, fused=_fused(parameters))


@OPTIMIZERS.register("adamw")
def _adamw(parameters: Sequence[Tensor], lr: float, weight_decay: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(parameters, lr=lr, weight_decay=weight_decay, fused=_fused(parameters))


@OPTIMIZERS.register("sgd")
def _sgd(parameters: Sequence[Tensor], lr: float, weight_decay: float) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=lr, weight_decay=weight_decay, momentum=0.9)
