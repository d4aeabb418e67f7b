"""Train one seed after another, with the losses and accuracies of all splits after every epoch."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from benchmarks.baseline.networks import reset
from benchmarks.baseline.task import Task


class Trained:
    """What came of one seed: the log, a row per epoch, and the weights of the last and the best validation epoch."""

    def __init__(self) -> None:
        self.log: list[list[list[float]]] = []
        self.best_score = (-1.0, 0.0)
        self.last: dict[str, Tensor] = {}
        self.best: dict[str, Tensor] = {}


def train(module: nn.Module, task: Task, seed: int, epochs: int, lr: float = 0.01, decay: float = 5e-4) -> Trained:
    """The usual loop of the usual optimizer."""
    torch.manual_seed(seed)
    reset(module)
    optimizer = torch.optim.Adam(module.parameters(), lr=lr, weight_decay=decay)
    trained = Trained()
    for _ in range(epochs):
        module.train()
        optimizer.zero_grad()
        task.loss(module(*task.inputs)).backward()
        optimizer.step()
        module.eval()
        with torch.no_grad():
            measured = task.measure(module(*task.inputs))
        trained.log.append(measured)
        loss, accuracy = measured[task.val]
        if (accuracy, -loss) > trained.best_score:
            trained.best_score, trained.best = (accuracy, -loss), _copy(module)
    trained.last = _copy(module)
    return trained


def train_all(module: nn.Module, task: Task, seeds: Sequence[int], epochs: int) -> list[Trained]:
    """One after another."""
    return [train(module, task, seed, epochs) for seed in seeds]


def _copy(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}
