"""Fit the middle of a quadratic Bézier curve between two modes (Garipov et al. 2018), one curve after another."""

import torch
from torch import nn
from torch.func import functional_call

from benchmarks.baseline.profile import Weights, bezier
from benchmarks.baseline.task import Task


def fit(
    module: nn.Module, task: Task, a: Weights, b: Weights, seed: int, steps: int, lr: float = 0.01, decay: float = 5e-4
) -> Weights:
    """The middle control point that minimizes the training loss plus ½·decay·‖φ(t)‖² at one random t a step."""
    torch.manual_seed(seed)
    names = [name for name, _ in module.named_parameters()]
    middle = {name: (a[name] + b[name]) / 2 for name in a}
    leaves = [middle[name].requires_grad_() for name in names]
    optimizer = torch.optim.Adam(leaves, lr=lr)
    curve = bezier(a, middle, b)
    module.train()
    for step, t in enumerate(torch.rand(steps).tolist()):
        optimizer.param_groups[0]["lr"] = lr * _rate(step / steps)
        optimizer.zero_grad()
        point = curve(t)
        norm = sum(point[name].square().sum() for name in names)
        loss = task.loss(functional_call(module, point, task.inputs)) + decay / 2 * norm
        loss.backward()
        optimizer.step()
    return {name: value.detach() for name, value in middle.items()}


def _rate(share: float) -> float:
    """Constant for half of the steps, then falling linearly to 1 % at 90 %."""
    return 1.0 if share <= 0.5 else max(0.01, 1 - (share - 0.5) / 0.4 * 0.99)
