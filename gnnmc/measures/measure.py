"""What a measure of generalization is, and the names of all there are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gnnmc.engine import ModelFunction
from gnnmc.registry import Registry
from gnnmc.weights import Weights


@dataclass(frozen=True, eq=False)
class Measured:
    """What every measure is given: a model on a problem at the weights of one mode, in evaluation mode.

    seed: names the streams of whatever is drawn.
    """

    function: ModelFunction
    weights: Weights
    seed: int

    @property
    def train(self) -> Tensor:
        """The items of the train split. Shapes: (m,)."""
        return self.function.problem.splits["train"]

    @cached_property
    def outputs(self) -> Tensor:
        """Of every item. Shapes: (N, C)."""
        with torch.no_grad():
            return self.function(self.weights)

    @cached_property
    def values(self) -> dict[str, dict[str, float]]:
        """split → loss and metrics."""
        problem = self.function.problem
        rows = problem.measure(self.outputs).cpu().tolist()
        return {split: dict(zip(problem.columns, row, strict=True)) for split, row in zip(problem.splits, rows)}

    @cached_property
    def trained(self) -> dict[str, Tensor]:
        """The parameters that are trained, by name."""
        return {name: self.weights[name].detach() for name in self.function.trainable_names}

    def loss(self, parameters: Mapping[str, Tensor]) -> Tensor:
        """Mean train loss where some parameters are these; a scalar."""
        return self.function.loss({**self.weights, **parameters}, self.train)


@dataclass(frozen=True)
class Measure:
    """value: of a mode, NaN where it is not defined. expected: the sign that its association with the gap of
    generalization should have: +1 where more of it is said to generalize worse. title: in words, unit: of the value.
    """

    value: Callable[[Measured], float]
    expected: int
    title: str
    unit: str
    source: str


MEASURES: Registry[Measure] = Registry("measure of generalization")
