"""Optimizers by name; weight decay as each of them means it."""

import inspect
from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from gnnmc.errors import InputError
from gnnmc.registry import Registry

# (parameters, learning rate, weight decay) → optimizer; one that has a `momentum` to set takes it as a keyword.
MakeOptimizer: TypeAlias = Callable[..., torch.optim.Optimizer]

OPTIMIZERS: Registry[MakeOptimizer] = Registry("optimizer")


def require_optimizer(name: str, momentum: float | None) -> None:
    """Raise InputError for an unknown optimizer, and for momentum where there is none to set."""
    make = OPTIMIZERS[name]
    if momentum is not None and "momentum" not in inspect.signature(make).parameters:
        raise InputError(f"momentum={momentum}: optimizer {name!r} has none to set: leave it out, or choose 'sgd'")


def make_optimizer(
    name: str, parameters: Sequence[Tensor], lr: float, weight_decay: float, momentum: float | None = None
) -> torch.optim.Optimizer:
    """The optimizer of that name; momentum None: its own default. Raises InputError as `require_optimizer` does."""
    require_optimizer(name, momentum)
    return OPTIMIZERS[name](parameters, lr, weight_decay, **({} if momentum is None else {"momentum": momentum}))


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
def _sgd(parameters: Sequence[Tensor], lr: float, weight_decay: float, momentum: float = 0.9) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=lr, weight_decay=weight_decay, momentum=momentum)
