"""Modes of several seeds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

import gnnmc
from benchmarks.agreement import Floats, same_law
from benchmarks.baseline import networks
from benchmarks.baseline.train import Trained, train_all
from benchmarks.measure import BASELINE, OURS, Bench
from benchmarks.row import Row
from benchmarks.rows.case import Case
from benchmarks.rows.profile import CORA, CSBM

# What the ends must agree in, in the mean over seeds, and how far they may be apart beyond 4 standard errors.
ENDS = ("train loss", "test loss", "train accuracy", "test accuracy")
SLACK = (0.005, 0.01, 0.005, 0.005)
# Epochs of the first call: what it costs beyond them is preparation.
WARM = 2


@dataclass(frozen=True)
class Training:
    """The work of a row."""

    case: Case
    seeds: int = 8
    epochs: int = 200

    def __call__(self, quick: bool) -> Bench:
        ready = self.case.ready(quick)
        epochs = 3 if quick else self.epochs

        def fresh(repeat: int) -> tuple[Sequence[int], int]:
            return range(self.seeds * repeat, self.seeds * (repeat + 1)), epochs

        def ours(inputs: tuple[Sequence[int], int]) -> list[gnnmc.Mode]:
            return gnnmc.train(ready.ours, ready.problem, inputs[0], epochs=inputs[1], device="cpu")

        def baseline(inputs: tuple[Sequence[int], int]) -> list[Trained]:
            return train_all(ready.theirs, ready.task, *inputs)

        return Bench(fresh, {BASELINE: baseline, OURS: ours}, same_ends, warm=(range(self.seeds), WARM))


def same_ends(ours: Sequence[list[gnnmc.Mode]], baseline: Sequence[list[Trained]]) -> dict[str, float]:
    """How far losses and accuracies of the ends are apart."""
    return same_law([_ends(modes) for modes in ours], [_their_ends(runs) for runs in baseline], ENDS, SLACK)


def _ends(modes: list[gnnmc.Mode]) -> Floats:
    """Shapes: K modes → (K, 4)."""
    columns = ("train_loss", "test_loss", "train_accuracy", "test_accuracy")
    return np.array([[mode.log[column].iloc[-1] for column in columns] for mode in modes])


def _their_ends(runs: list[Trained]) -> Floats:
    rows = [run.log[-1] for run in runs]
    return np.array([[train[0], test[0], train[1], test[1]] for train, _, test in rows])


_WORK: list[tuple[str, str, float, Callable[[bool], Bench], int]] = [
    ("train-gcn-csbm", "train 8 seeds, GCN 2×64, dropout .5, 200 epochs, CSBM 3,000", 10, Training(CSBM), 3),
    ("train-gcn-cora", "train 8 seeds, GCN 2×64, dropout .5, 200 epochs, Cora", 8, Training(CORA), 2),
    (
        "train-gat-csbm",
        "train 8 seeds, GAT 2×(8×8), dropout .5, 40 epochs, CSBM 3,000",
        2,
        Training(Case(CSBM.data, CSBM.small, "gat", networks.gat), epochs=40),
        2,
    ),
]
TRAINING = [Row(name, "training", work, reach, make, repeats) for name, work, reach, make, repeats in _WORK]
