"""Curves fitted between modes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from torch import Tensor

import gnnmc
from benchmarks.agreement import Floats, same_law
from benchmarks.baseline.fit import fit
from benchmarks.measure import BASELINE, OURS, Bench
from benchmarks.row import Row
from benchmarks.rows.case import Case
from benchmarks.rows.profile import CORA

# What the curves must agree in, in the mean over curves: the mean and the largest train loss of 25 points on them.
ALONG, SLACK = ("mean train loss", "largest train loss"), (0.005, 0.02)
MODES = 4

# Steps of the first call: what it costs beyond them is preparation.
WARM = 2

Weights = dict[str, Tensor]
# The seed, pairs of ends, and the number of steps.
Inputs = tuple[int, list[tuple[Weights, Weights]], int]


@dataclass(frozen=True)
class Fitting:
    """The work of a row: all pairs of four modes."""

    case: Case
    steps: int = 200
    decay: float = 5e-4
    epochs: int = 100

    def __call__(self, quick: bool) -> Bench:
        ready = self.case.ready(quick)
        steps = 5 if quick else self.steps

        epochs = ready.epochs if quick else self.epochs

        def ends(repeat: int) -> list[tuple[Weights, Weights]]:
            seeds = range(MODES * repeat, MODES * (repeat + 1))
            modes = gnnmc.train(ready.ours, ready.problem, seeds, epochs=epochs, device="cpu")
            return list(combinations([dict(mode.weights) for mode in modes], 2))

        def ours(inputs: Inputs) -> list[list[Weights]]:
            seed, pairs, count = inputs
            fitted = gnnmc.fit_paths(
                ready.ours, ready.problem, pairs, steps=count, l2=self.decay, seed=seed, device="cpu"
            )
            return [list(path.control_points) for path in fitted]

        def baseline(inputs: Inputs) -> list[list[Weights]]:
            seed, pairs, count = inputs
            return [
                [a, fit(ready.theirs, ready.task, a, b, 100 * seed + number, count, decay=self.decay), b]
                for number, (a, b) in enumerate(pairs)
            ]

        def losses(curves: list[list[Weights]]) -> Floats:
            rows = []
            for points in curves:
                values = gnnmc.profile(ready.ours, ready.problem, gnnmc.BezierPath(*points), device="cpu").along()
                rows.append([values.mean(), values.max()])
            return np.array(rows)

        def check(ours: Sequence[list[list[Weights]]], theirs: Sequence[list[list[Weights]]]) -> dict[str, float]:
            return same_law([losses(curves) for curves in ours], [losses(curves) for curves in theirs], ALONG, SLACK)

        return Bench(
            lambda repeat: (repeat, ends(repeat), steps),
            {BASELINE: baseline, OURS: ours},
            check,
            warm=(0, ends(0), WARM),
        )


FITTING = [
    Row("fit-bezier-cora", "fitting", "fit 6 Bézier curves, 200 steps, GCN 2×64, Cora", 6, Fitting(CORA), 2),
]
