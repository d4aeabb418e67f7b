"""One training in progress: it runs to a step, and others may branch off there."""

import copy
import math
from dataclasses import dataclass, replace

import pandas as pd
import torch
from torch import Tensor, nn

from gnnmc.engine.function import private_copy
from gnnmc.problem import Problem
from gnnmc.seeding import forked
from gnnmc.training.optimizers import make_optimizer
from gnnmc.training.order import BatchOrder
from gnnmc.training.schedules import LearningRate
from gnnmc.training.train_settings import TrainSettings
from gnnmc.weights import Mode, clone, digest, finite


@dataclass
class _Best:
    """The best validation epoch so far: highest metric, ties by lower loss."""

    score: tuple[float, float] | None = None
    epoch: int = 0
    weights: dict[str, Tensor] | None = None

    def offer(self, epoch: int, score: tuple[float, float], module: nn.Module) -> None:
        if self.score is None or score > self.score:
            self.score, self.epoch, self.weights = score, epoch, weights_on_cpu(module)


class Trajectory:
    """The weights of a module under the optimizer, with the log of what they did.

    seed: names the streams of the order of mini-batches and of the model's own draws. The module becomes the
    trajectory's own.
    """

    def __init__(self, module: nn.Module, problem: Problem, settings: TrainSettings, seed: int) -> None:
        self.problem, self.settings, self.seed = problem, settings, seed
        self.start = digest(weights_on_cpu(module))
        self.order = BatchOrder(problem.splits["train"], settings.batch_size, "train", "order", seed)
        self.steps = settings.epochs * self.order.per_epoch
        self.step = 0
        self.status = "ok"
        self.best = _Best()
        self.rows: list[list[float]] = []
        self._seen: list[tuple[Tensor, int]] = []  # this epoch's losses and over how many items
        self._adopt(module.to(problem.device))
        self.unused = list(self._named)

    def _adopt(self, module: nn.Module) -> None:
        chosen = self.settings
        self.module = module
        self._named = dict(module.named_parameters())
        parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
        self.optimizer = make_optimizer(chosen.optimizer, parameters, chosen.lr, chosen.weight_decay, chosen.momentum)
        self.rate = LearningRate(self.optimizer, chosen.schedule, self.steps, chosen.warmup)

    def run(self, until: int | None = None) -> None:
        """Go on until that many optimizer steps are done (all by default), or the training diverges."""
        until = self.steps if until is None else until
        with forked("train", "dropout", self.seed, device=self.problem.device):
            while self.step < until and self.status == "ok":
                self._step()
                if self.order.epoch_done:
                    self._end_epoch()

    def spawn(self, seed: int) -> "Trajectory":
        """Another that shares all up to here: weights, optimizer, log; what is drawn from here on is the seed's own."""
        child = copy.copy(self)
        child.seed = seed
        child.order = self.order.moved_to("train", "order", seed)
        child.best = replace(self.best)
        child.rows, child._seen, child.unused = list(self.rows), list(self._seen), list(self.unused)
        child._adopt(private_copy(self.module))
        child.optimizer.load_state_dict(copy.deepcopy(self.optimizer.state_dict()))
        return child

    def _step(self) -> None:
        batch = self.order.next()
        self.module.train()
        self.rate.set(self.step)
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.problem.loss_on(self.module, batch)
        loss.backward()
        self.unused = [name for name in self.unused if self._named[name].grad is None]
        self.optimizer.step()
        self.step += 1
        self._seen.append((loss.detach(), len(batch)))

    def _end_epoch(self) -> None:
        epoch = self.step // self.order.per_epoch
        objective = sum(float(loss) * items for loss, items in self._seen) / sum(items for _, items in self._seen)
        self._seen = []
        due = epoch % self.settings.evaluate_every == 0 or epoch == self.settings.epochs
        if not due and math.isfinite(objective):
            return
        measured = self._measure()
        self.rows.append([epoch, objective, *measured.reshape(-1).tolist()])
        if not torch.isfinite(measured[:, 0]).all():
            self.status = f"diverged at epoch {epoch}: the loss is not finite"
            return
        self.best.offer(epoch, _validation_score(self.problem, measured), self.module)

    @torch.no_grad()
    def _measure(self) -> Tensor:
        self.module.eval()
        return self.problem.measure(self.problem.outputs(self.module)).cpu()

    def mode(self, seed: int, endpoint: str) -> Mode:
        """What came of it, as the mode of a seed."""
        last = weights_on_cpu(self.module)
        reached = int(self.rows[-1][0])
        status = self.status
        if status == "ok" and not finite(last):
            status = f"diverged at epoch {reached}: the weights are not finite"
        names = [f"{split}_{column}" for split in self.problem.splits for column in self.problem.columns]
        log = pd.DataFrame(self.rows, columns=["epoch", "objective", *names])
        return Mode(
            last=last,
            best=self.best.weights or last,
            seed=seed,
            endpoint=endpoint,
            metrics=_endpoint_metrics(self.problem, log, {"last": reached, "best_val": self.best.epoch or reached}),
            log=log,
            status=status,
            init_digest=self.start,
            unused=self.unused,
            settings=self.settings.record(),
        )


def weights_on_cpu(module: nn.Module) -> dict[str, Tensor]:
    """A copy of the module's parameters and buffers."""
    tensors = {name: value for name, value in module.state_dict().items() if isinstance(value, Tensor)}
    return {name: value.cpu() for name, value in clone(tensors).items()}


def _validation_score(problem: Problem, measured: Tensor) -> tuple[float, float]:
    """(metric, −loss) of the validation split, larger is better; of the train split where there is none.

    A metric that is not defined there (ROC-AUC of one class) is the worst, so that the loss alone decides.
    """
    names = list(problem.splits)
    row = measured[names.index("val") if "val" in names else names.index("train")]
    if not problem.metrics:
        return -float(row[0]), 0.0
    metric = next(iter(problem.metrics.values()))
    score = float(row[1]) if metric.higher_is_better else -float(row[1])
    return (-math.inf if math.isnan(score) else score), -float(row[0])


def _endpoint_metrics(problem: Problem, log: pd.DataFrame, epochs: dict[str, int]) -> pd.DataFrame:
    logged = log.set_index("epoch")
    rows = [
        {"endpoint": endpoint, "epoch": epoch, "split": split}
        | {column: logged[f"{split}_{column}"].loc[epoch] for column in problem.columns}
        for endpoint, epoch in epochs.items()
        for split in problem.splits
    ]
    return pd.DataFrame(rows)
