"""What became of one mode in training: its log, its best epoch, its status."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import pandas as pd
import torch
from torch import Tensor

from gnnmc.problem import Problem
from gnnmc.training.train_settings import TrainSettings
from gnnmc.weights import Mode, finite


@dataclass
class _Best:
    """The best validation epoch so far: highest metric, ties by lower loss."""

    score: tuple[float, float] | None = None
    epoch: int = 0
    weights: dict[str, Tensor] | None = None


@dataclass
class Course:
    """One row of the log for every evaluated epoch; `start` is the digest of the weights it began with."""

    problem: Problem
    settings: TrainSettings
    start: str
    status: str = "ok"
    rows: list[list[float]] = field(default_factory=list)
    terms: list[Mapping[str, float]] = field(default_factory=list)
    best: _Best = field(default_factory=_Best)

    def due(self, epoch: int, objective: float) -> bool:
        """Whether this epoch is to be evaluated: as the settings say, the last one, and where the loss is lost."""
        every = self.settings.evaluate_every
        return epoch % every == 0 or epoch == self.settings.epochs or not math.isfinite(objective)

    def take(
        self,
        epoch: int,
        objective: float,
        measured: Tensor,
        weights: Callable[[], dict[str, Tensor]],
        terms: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        """Log an epoch; `weights` gives a copy of those that were measured. terms: what the objective is made of.

        Shapes: measured (S, 1 + M).
        """
        self.rows.append([epoch, objective, *measured.reshape(-1).tolist()])
        self.terms.append(terms)
        if not torch.isfinite(measured[:, 0]).all():
            self.status = f"diverged at epoch {epoch}: the loss is not finite"
            return
        score = _validation_score(self.problem, measured)
        if self.best.score is None or score > self.best.score:
            self.best = _Best(score, epoch, weights())

    def branch(self) -> "Course":
        """Another that shares all up to here."""
        return replace(self, rows=list(self.rows), terms=list(self.terms))

    def mode(self, seed: int, endpoint: str, last: dict[str, Tensor], unused: Sequence[str]) -> Mode:
        """The mode of a seed, whose last weights these are."""
        reached = int(self.rows[-1][0])
        status = self.status
        if status == "ok" and not finite(last):
            status = f"diverged at epoch {reached}: the weights are not finite"
        names = [f"{split}_{column}" for split in self.problem.splits for column in self.problem.columns]
        log = pd.DataFrame(self.rows, columns=["epoch", "objective", *names])
        for name in dict.fromkeys(name for terms in self.terms for name in terms):
            log[f"objective_{name}"] = [terms.get(name, math.nan) for terms in self.terms]
        return Mode(
            last=last,
            best=self.best.weights or last,
            seed=seed,
            endpoint=endpoint,
            metrics=self._endpoint_metrics({"last": reached, "best_val": self.best.epoch or reached}),
            log=log,
            status=status,
            init_digest=self.start,
            unused=list(unused),
            settings=self.settings.record(),
        )

    def _endpoint_metrics(self, epochs: dict[str, int]) -> pd.DataFrame:
        columns = self.problem.columns
        names = ["endpoint", "epoch", "split", *columns]
        logged = {int(row[0]): row[2:] for row in self.rows}
        rows = [
            [endpoint, epoch, split, *logged[epoch][place : place + len(columns)]]
            for endpoint, epoch in epochs.items()
            for place, split in zip(itertools.count(0, len(columns)), self.problem.splits, strict=False)
        ]
        return pd.DataFrame(rows, columns=names)


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
