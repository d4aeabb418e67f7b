"""Learning-rate schedules by name: what the rate is multiplied with, given the share of the optimizer steps done."""

import math
from collections.abc import Callable
from typing import TypeAlias

import torch

from gnnmc.registry import Registry

# share of the steps done, in [0, 1) → factor
Schedule: TypeAlias = Callable[[float], float]

SCHEDULES: Registry[Schedule] = Registry("schedule")


class LearningRate:
    """Sets an optimizer's learning rate before every step.

    schedule: a name in SCHEDULES. steps: the optimizer steps of the whole training. warmup: the share of them in which
    the rate rises linearly to its full value (Goyal et al. 2017); the schedule runs over the others.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, schedule: str, steps: int, warmup: float = 0.0) -> None:
        self._optimizer = optimizer
        self._full = [float(group["lr"]) for group in optimizer.param_groups]
        self._schedule = SCHEDULES[schedule]
        self._steps, self._rising = steps, round(warmup * steps)

    def factor(self, step: int) -> float:
        """What the rate is multiplied with in the step of this number, counted from 0."""
        if step < self._rising:
            return (step + 1) / self._rising
        return self._schedule((step - self._rising) / (self._steps - self._rising))

    def set(self, step: int) -> None:
        """Make the optimizer ready for this step."""
        for group, full in zip(self._optimizer.param_groups, self._full, strict=True):
            group["lr"] = full * self.factor(step)


@SCHEDULES.register("constant")
def _constant(progress: float) -> float:
    return 1.0


@SCHEDULES.register("linear")
def _linear(progress: float) -> float:
    return 1.0 - progress


@SCHEDULES.register("cosine")
def _cosine(progress: float) -> float:
    """Half a cosine, down to 0, without restarts (Loshchilov & Hutter 2017)."""
    return 0.5 * (1.0 + math.cos(math.pi * progress))


@SCHEDULES.register("multistep")
def _multistep(progress: float) -> float:
    """A tenth after 50 % and a hundredth after 75 % (He et al. 2016, CIFAR-10)."""
    return 1.0 if progress < 0.5 else 0.1 if progress < 0.75 else 0.01


@SCHEDULES.register("garipov")
def _garipov(progress: float) -> float:
    """Constant to 50 %, linear to 1 % at 90 %, constant after (Garipov et al. 2018, code)."""
    if progress <= 0.5:
        return 1.0
    if progress <= 0.9:
        return 1.0 - (progress - 0.5) / 0.4 * 0.99
    return 0.01
