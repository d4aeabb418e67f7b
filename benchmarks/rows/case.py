"""A model on a problem, ours and the baseline's, with weights that fit both."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.data import Data

import gnnmc
from benchmarks.baseline.networks import Make
from benchmarks.baseline.task import Task, of_graph


@dataclass(frozen=True)
class Case:
    """model, options: of `gnnmc.build_model`. theirs: the same network by PyTorch Geometric. small: the data with
    `--quick`. epochs: of the training that gives fresh weights.
    """

    data: Callable[[], Data]
    small: Callable[[], Data]
    model: str
    theirs: Make
    options: Mapping[str, Any] = field(default_factory=lambda: {"hidden": 64})
    epochs: int = 20

    def ready(self, quick: bool) -> "Ready":
        """The data read, the models built."""
        data = self.small() if quick else self.data()
        problem = gnnmc.Problem.node_classification(data)
        ours = gnnmc.build_model(self.model, problem, **self.options)
        theirs = self.theirs(problem.num_features, problem.num_outputs)
        task = of_graph(data)
        if self.model == "mlp":
            task.inputs = task.inputs[:1]
        return Ready(problem, ours, theirs, task, data, 2 if quick else self.epochs)


@dataclass(frozen=True)
class Ready:
    """problem, ours: for gnnmc. theirs, task: for the baseline. data: what both are of."""

    problem: gnnmc.Problem
    ours: nn.Module
    theirs: nn.Module
    task: Task
    data: Data
    epochs: int

    def modes(self, repeat: int, count: int) -> list[dict[str, Tensor]]:
        """Weights that no repeat before had, briefly trained."""
        seeds = range(count * repeat, count * (repeat + 1))
        modes = gnnmc.train(self.ours, self.problem, seeds, epochs=self.epochs, device="cpu")
        weights = [dict(mode.weights) for mode in modes]
        wanted = {name: value.shape for name, value in self.theirs.state_dict().items()}
        if {name: value.shape for name, value in weights[0].items()} != wanted:
            raise ValueError(f"the baseline's entries {wanted} are not ours")
        return weights

    @property
    def rows(self) -> Tensor:
        """The items that are asked for."""
        return torch.cat([index for index, _ in self.task.parts])
