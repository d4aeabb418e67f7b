"""A whole study: `gnnmc run` with two workers, and the same cells as loops in two processes.

Both make the graphs, their statistics, the modes, the curves, the profiles and the planes, and keep them in a folder;
ours makes its tables, its inference and its report besides.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.agreement import Floats, same_law
from benchmarks.baseline.study import PROCESSES
from benchmarks.machine import ROOT
from benchmarks.measure import BASELINE, OURS, Bench
from benchmarks.row import Row

CONFIG = "configs/homophily_barrier.yaml"
SMALL = """
study: homophily_barrier
graphs: [{csbm: {num_nodes: 200, num_features: 8, homophily: [0.2, 0.8], seed: 0}}]
models: [{name: gcn, hidden: 8}, {name: mlp, hidden: 8}]
seeds: [0, 1]
train: {epochs: 5}
paths: [{kind: linear}, {kind: bezier, steps: 5, pairs: 1}]
profile: {points: 5}
planes: {graphs: 2, points: 3}
"""
# What must agree in the mean over graphs and models, and how far it may be apart beyond 4 standard errors.
MEANS = ("train loss of ends", "test accuracy of ends", "barrier of lines", "barrier of curves")
SLACK = (0.01, 0.01, 0.05, 0.02)


def study(quick: bool) -> Bench:
    """The work of the row. A study of a few seconds warms up."""

    def ours(config: Path) -> list[Floats]:
        with tempfile.TemporaryDirectory() as folder:
            words = ["gnnmc", "run", str(config), "--out", folder, "--quiet", "--set", f"run.workers={PROCESSES}"]
            _wait([_start(words)])
            return _ours(Path(folder) / "tables")

    def baseline(config: Path) -> list[Floats]:
        with tempfile.TemporaryDirectory() as folder:
            module = "benchmarks.baseline.study"
            _wait([_start([module, str(config), folder, str(part)]) for part in range(PROCESSES)])
            return _theirs([pd.read_csv(Path(folder) / f"rows-{part}.csv") for part in range(PROCESSES)])

    small = Path(tempfile.mkdtemp()) / "small.yaml"
    small.write_text(SMALL, encoding="utf-8")
    config = small if quick else ROOT / CONFIG
    return Bench(lambda repeat: config, {BASELINE: baseline, OURS: ours}, _check, warm=small)


def _start(words: list[str]) -> "subprocess.Popen[bytes]":
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-W", "ignore", "-m", *words], cwd=ROOT, env=environment)


def _wait(processes: "list[subprocess.Popen[bytes]]") -> None:
    codes = [process.wait() for process in processes]
    if any(codes):
        raise RuntimeError(f"a process of the study ended with {codes}")


def _ours(tables: Path) -> list[Floats]:
    """One array for each of MEANS, a value per graph and model."""
    ends = pd.read_parquet(tables / "endpoints.parquet").query("endpoint == 'last'")
    barriers = pd.read_parquet(tables / "barriers.parquet")
    chosen = barriers.query("split == 'train' and metric == 'loss' and barrier_kind == 'chord'")
    cell = ["graph", "model"]
    return [
        _means(ends[ends["split"] == "train"], cell, "loss"),
        _means(ends[ends["split"] == "test"], cell, "accuracy"),
        *(_means(chosen[chosen["path"] == path], cell, "barrier") for path in ("linear", "bezier")),
    ]


def _theirs(parts: Sequence[pd.DataFrame]) -> list[Floats]:
    rows, cell = pd.concat(parts), ["graph", "model"]
    ends = rows[rows["what"] == "end"]
    lines, curves = (rows[rows["what"] == path] for path in ("linear", "bezier"))
    return [
        _means(ends, cell, "train"),
        _means(ends, cell, "test"),
        *(_means(x, cell, "train") for x in (lines, curves)),
    ]


def _means(frame: pd.DataFrame, cell: list[str], column: str) -> Floats:
    return frame.groupby(cell)[column].mean().to_numpy(dtype=np.float64)


def _check(ours: Sequence[list[Floats]], baseline: Sequence[list[Floats]]) -> dict[str, float]:
    mine, theirs = ([np.stack(values, axis=1) for values in runs] for runs in (ours, baseline))
    return same_law(mine, theirs, MEANS, SLACK)


STUDY = [
    Row(
        "study-homophily",
        "study",
        "all of configs/homophily_barrier.yaml, two processes",
        10,
        study,
        1,
    )
]
