"""How the time grows with points, control points, modes, nodes, edges and features, each by itself."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import gnnmc
from benchmarks import graphs
from benchmarks.baseline import networks
from benchmarks.baseline.profile import Weights, along
from benchmarks.baseline.train import train_all
from benchmarks.measure import BASELINE, OURS, Bench, measure
from benchmarks.rows.case import Case

NODES, EDGES, FEATURES, POINTS, EPOCHS = 3000, 30_000, 128, 25, 10


@dataclass(frozen=True)
class Axis:
    """One size and its values; others stay as they are above. letter: what it is called."""

    letter: str
    what: str
    values: Sequence[int]
    make: Callable[[int], Bench]


def scaling(quick: bool, keep: Callable[[str, dict[str, Any]], None]) -> None:
    """One record per axis: values, the median times of both at each, and the slopes of log on log."""
    for axis in AXES:
        values = axis.values[:2] if quick else axis.values
        record: dict[str, Any] = {"what": axis.what, "values": list(values), OURS: [], BASELINE: []}
        for value in values:
            times = measure(axis.make(value), 1 if quick else 3)
            for name in (OURS, BASELINE):
                record[name].append(statistics.median(times.each[name]))
        record["slopes"] = {name: slope(values, record[name]) for name in (OURS, BASELINE)}
        keep(axis.letter, record)
        told = ", ".join(f"{name} {found:.2f}" for name, found in record["slopes"].items())
        print(f"time against {axis.letter} ({axis.what}): slope {told}", flush=True)


def slope(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """The exponent of a power law, by least squares of logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def _profile(
    *, nodes: int = NODES, edges: int = EDGES, features: int = FEATURES, points: int = POINTS, controls: int = 2
) -> Bench:
    def data() -> graphs.Data:
        return graphs.csbm(nodes, edges, features)

    ready = Case(data, data, "gcn", networks.gcn, epochs=2).ready(False)
    grid = np.linspace(0, 1, points)

    def ours(modes: list[Weights]) -> Any:
        path = gnnmc.BezierPath(*modes)
        return gnnmc.profile(ready.ours, ready.problem, path, points=points, engine="stacked", device="cpu").values

    def baseline(modes: list[Weights]) -> Any:
        degree = len(modes) - 1
        shares = [[math.comb(degree, j) * t**j * (1 - t) ** (degree - j) for j in range(controls)] for t in grid]
        curve = (
            {name: sum(c * mode[name] for c, mode in zip(row, modes, strict=True)) for name in modes[0]}
            for row in shares
        )
        return along(ready.theirs, ready.task, curve)

    return Bench(lambda repeat: ready.modes(repeat, controls), {BASELINE: baseline, OURS: ours}, lambda *_: {})


def _train(seeds: int) -> Bench:
    ready = Case(graphs.csbm, graphs.csbm, "gcn", networks.gcn).ready(False)
    return Bench(
        lambda repeat: range(seeds * repeat, seeds * (repeat + 1)),
        {
            BASELINE: lambda chosen: train_all(ready.theirs, ready.task, chosen, EPOCHS),
            OURS: lambda chosen: gnnmc.train(ready.ours, ready.problem, chosen, epochs=EPOCHS, device="cpu"),
        },
        lambda *_: {},
    )


AXES = (
    Axis("T", "points of a line", (9, 17, 33, 65, 129), lambda value: _profile(points=value)),
    Axis("J", "control points of a curve, 25 points", (2, 3, 5, 9), lambda value: _profile(controls=value)),
    Axis("K", f"modes trained, {EPOCHS} epochs", (1, 2, 4, 8, 16), _train),
    Axis("N", "nodes, 30,000 edges, 25 points", (1500, 3000, 6000, 12_000), lambda value: _profile(nodes=value)),
    Axis("E", "edges, 3,000 nodes, 25 points", (15_000, 30_000, 60_000, 120_000), lambda value: _profile(edges=value)),
    Axis("F", "features, dense, 25 points", (32, 128, 512, 2048), lambda value: _profile(features=value)),
)
