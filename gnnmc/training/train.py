"""Train one mode for each seed, every one repeatable alone."""

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from gnnmc.engine import resolve_device
from gnnmc.errors import InputError
from gnnmc.problem import Problem, require_problem
from gnnmc.seeding import forked
from gnnmc.training.initialize import ModuleOrFactory, initialize
from gnnmc.training.optimizers import OPTIMIZERS
from gnnmc.training.settings import real_number, whole_number
from gnnmc.weights import Mode, clone, digest, finite
from gnnmc.weights.mode import ENDPOINTS


def train(
    model: ModuleOrFactory,
    problem: Problem,
    seeds: Sequence[int] = (0,),
    *,
    epochs: int = 200,
    lr: float = 0.01,
    weight_decay: float = 5e-4,
    optimizer: str = "adam",
    endpoint: str = "last",
    device: str | torch.device = "auto",
) -> list[Mode]:
    """Train the model once per seed, full batch; the defaults are the older profile of science 1.5.

    model: a module (copied and re-initialized for each seed) or a factory. Seeds name the streams for initialization
    and dropout; a seed alone gives the same bits as the seed among others. weight_decay: on all parameters.
    endpoint: which weights `.weights` is, "last" or "best_val" (science 0); both are kept.
    A run whose weights stop being finite ends with a `.status` that says so; the others go on.

    Raises InputError when two different seeds start from equal weights, for settings out of range, and for what is
    no model or no Problem.
    """
    if endpoint not in ENDPOINTS:
        raise InputError(f"unknown endpoint {endpoint!r}: allowed: {', '.join(ENDPOINTS)}")
    OPTIMIZERS[optimizer]
    settings: dict[str, Any] = {
        "epochs": whole_number("epochs", epochs, least=1),
        "lr": real_number("lr", lr, zero=False),
        "weight_decay": real_number("weight_decay", weight_decay, zero=True),
        "optimizer": optimizer,
    }
    numbers = _whole_numbers(seeds)
    moved = require_problem(problem).to(resolve_device(device))
    starts = {seed: initialize(model, seed) for seed in numbers}
    _require_different(starts)
    return [_train_one(starts.pop(seed), moved, seed, settings, endpoint) for seed in numbers]


def _whole_numbers(seeds: Sequence[int]) -> list[int]:
    try:
        numbers = [operator.index(seed) for seed in seeds]
    except TypeError:
        raise InputError(f"seeds={seeds!r}: expected a list of whole numbers, such as [0, 1, 2]") from None
    if len(set(numbers)) != len(numbers) or not numbers:
        raise InputError(f"seeds={numbers}: give at least one, each once")
    return numbers


def _require_different(starts: Mapping[int, nn.Module]) -> None:
    first: dict[str, int] = {}
    for seed, module in starts.items():
        other = first.setdefault(digest(_weights(module)), seed)
        if other != seed:
            raise InputError(
                f"seeds {other} and {seed} start from equal weights: the factory must draw its initialization from "
                "torch's global generator and not seed it"
            )


@dataclass
class _Best:
    """The best validation epoch so far: highest metric, ties by lower loss."""

    score: tuple[float, float] | None = None
    epoch: int = 0
    weights: dict[str, Tensor] | None = None

    def offer(self, epoch: int, score: tuple[float, float], module: nn.Module) -> None:
        if self.score is None or score > self.score:
            self.score, self.epoch, self.weights = score, epoch, _weights(module)


def _train_one(module: nn.Module, problem: Problem, seed: int, settings: dict[str, Any], endpoint: str) -> Mode:
    start = digest(_weights(module))
    module = module.to(problem.device)
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    optimizer = OPTIMIZERS[settings["optimizer"]](parameters, settings["lr"], settings["weight_decay"])
    best, status = _Best(), "ok"
    rows: list[list[float]] = []
    named = dict(module.named_parameters())
    unused = list(named)
    with forked("train", "dropout", seed, device=problem.device):
        for epoch in range(1, settings["epochs"] + 1):
            module.train()
            optimizer.zero_grad(set_to_none=True)
            objective = problem.loss_on(module, problem.splits["train"])
            objective.backward()
            unused = [name for name in unused if named[name].grad is None]
            optimizer.step()
            measured = _measure(module, problem)
            rows.append([epoch, float(objective.detach()), *measured.reshape(-1).tolist()])
            if not torch.isfinite(measured[:, 0]).all():
                status = f"diverged at epoch {epoch}: the loss is not finite"
                break
            best.offer(epoch, _validation_score(problem, measured), module)
    last = _weights(module)
    if status == "ok" and not finite(last):
        status = f"diverged at epoch {len(rows)}: the weights are not finite"
    names = [f"{split}_{column}" for split in problem.splits for column in problem.columns]
    log = pd.DataFrame(rows, columns=["epoch", "objective", *names])
    return Mode(
        last=last,
        best=best.weights or last,
        seed=seed,
        endpoint=endpoint,
        metrics=_endpoint_metrics(problem, log, {"last": len(rows), "best_val": best.epoch or len(rows)}),
        log=log,
        status=status,
        init_digest=start,
        unused=unused,
        settings=settings,
    )


@torch.no_grad()
def _measure(module: nn.Module, problem: Problem) -> Tensor:
    module.eval()
    return problem.measure(problem.outputs(module)).cpu()


def _weights(module: nn.Module) -> dict[str, Tensor]:
    tensors = {name: value for name, value in module.state_dict().items() if isinstance(value, Tensor)}
    return {name: value.cpu() for name, value in clone(tensors).items()}


def _validation_score(problem: Problem, measured: Tensor) -> tuple[float, float]:
    """(metric, −loss) of the validation split, larger is better; of the train split where there is none."""
    names = list(problem.splits)
    row = measured[names.index("val") if "val" in names else names.index("train")]
    if not problem.metrics:
        return -float(row[0]), 0.0
    metric = next(iter(problem.metrics.values()))
    return (float(row[1]) if metric.higher_is_better else -float(row[1])), -float(row[0])


def _endpoint_metrics(problem: Problem, log: pd.DataFrame, epochs: dict[str, int]) -> pd.DataFrame:
    rows = [
        {"endpoint": endpoint, "epoch": epoch, "split": split}
        | {column: log[f"{split}_{column}"].iloc[epoch - 1] for column in problem.columns}
        for endpoint, epoch in epochs.items()
        for split in problem.splits
    ]
    return pd.DataFrame(rows)
