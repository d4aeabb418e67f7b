"""Graphs of a million nodes and ten million edges: drawn, rewired, measured; networkx beside it where it can.

    python -m benchmarks.scale                                        1,000,000 nodes, mean degree 20
    python -m benchmarks.scale --nodes 100000 --repeats 5 --out rows.json

One thread. Every row is seconds over the repeats, inputs of a new seed in each; where networkx can do the same, both in
turn in one process, at a fiftieth of the nodes, with the median of the ratios. The peak is of a process of its own that
does this work once (with the graph it needs), imports included.
"""

import argparse
import gc
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import torch

import gnnmc
from gnnmc.graphstats import STATISTICS

Row = dict[str, Any]
Call = Callable[[int], Any]

CLASSES, FEATURES, HOMOPHILY = 5, 16, 0.3
PROPORTIONS = [0.4, 0.3, 0.15, 0.1, 0.05]
EXPONENT = 2.5
BESIDE_NETWORKX = 0.02  # of the nodes: its block model goes through every pair of nodes, one by one


def rows(nodes: int = 1_000_000, degree: float = 20.0, repeats: int = 3) -> Iterator[Row]:
    """work, nodes, edges, least and median seconds, peak GiB; with `networkx` its median seconds and the `ratio`."""
    for name, (prepare, call) in works(nodes, degree).items():
        times = _timed({"ours": call}, prepare, repeats)["ours"]
        yield {**_row(name, nodes, degree, times), "peak GiB": _peak(name, nodes, degree)}
    few = int(nodes * BESIDE_NETWORKX)
    for name, (ours, theirs) in beside(few, degree).items():
        both = _timed({"ours": ours, "networkx": theirs}, lambda seed: seed, repeats)
        ratios = [b / a for a, b in zip(both["ours"], both["networkx"], strict=True)]
        beside_it = {"networkx": statistics.median(both["networkx"]), "ratio": statistics.median(ratios)}
        yield {**_row(name, few, degree, both["ours"]), **beside_it}


def works(nodes: int, degree: float) -> dict[str, tuple[Call, Callable[[Any], Any]]]:
    """name → (seed → inputs, not timed; inputs → what is timed)."""

    def draw(**more: Any) -> tuple[Call, Callable[[Any], Any]]:
        return lambda seed: seed, lambda seed: csbm(nodes, degree, seed, **more)

    def measured(cost: Any) -> tuple[Call, Callable[[Any], Any]]:
        return lambda seed: csbm(nodes, degree, seed), lambda data: gnnmc.graph_stats(data, cost=cost)

    def rewired(homophily: float) -> tuple[Call, Callable[[Any], Any]]:
        return lambda seed: csbm(nodes, degree, seed), lambda data: gnnmc.rewire(data, homophily=homophily)

    heavy = [name for name in STATISTICS if STATISTICS[name].cost == "heavy"]
    return {
        "csbm": draw(),
        "csbm, unequal classes": draw(class_proportions=PROPORTIONS),
        "csbm, degree-corrected": draw(degree_exponent=EXPONENT),
        "csbm, degree-corrected, unequal classes": draw(degree_exponent=EXPONENT, class_proportions=PROPORTIONS),
        "statistics of cost linear": measured("linear"),
        **{f"  {name}": _one_statistic(name, nodes, degree) for name in heavy},
        "rewire to homophily .5": rewired(0.5),
        "rewire to homophily .1": rewired(0.1),
    }


def _one_statistic(name: str, nodes: int, degree: float) -> tuple[Call, Callable[[Any], Any]]:
    return lambda seed: csbm(nodes, degree, seed), lambda data: gnnmc.graph_stats(data, names=[name])


def beside(nodes: int, degree: float) -> dict[str, tuple[Call, Call]]:
    """name → (ours, networkx's), seed → graph: the same law of edges, but that networkx draws their number too.

    Of the planted partition, classes of one size; `expected_degree_graph` (Chung & Lu) for given degrees, with no
    classes: a degree-corrected model of classes networkx does not have. Features are not drawn by either.
    """
    # Of its two entries for the same law the one that says the blocks: planted_partition_graph calls it.
    inside = HOMOPHILY * degree * CLASSES / nodes
    outside = (1 - HOMOPHILY) * degree * CLASSES / ((CLASSES - 1) * nodes)
    weights = (np.arange(nodes) + 0.5) ** (-1 / (EXPONENT - 1))
    degrees = (weights * nodes * degree / weights.sum()).tolist()

    def given_degrees(seed: int) -> Any:
        return nx.expected_degree_graph(degrees, seed=seed, selfloops=False)

    def blocks(seed: int) -> Any:
        chance = np.full((CLASSES, CLASSES), outside) + np.eye(CLASSES) * (inside - outside)
        return nx.stochastic_block_model([nodes // CLASSES] * CLASSES, chance.tolist(), seed=seed, sparse=True)

    def plain(seed: int) -> Any:
        return csbm(nodes, degree, seed, num_features=CLASSES - 1)

    def corrected(seed: int) -> Any:
        return csbm(nodes, degree, seed, num_features=CLASSES - 1, degree_exponent=EXPONENT)

    return {
        "csbm beside stochastic_block_model": (plain, blocks),
        "csbm, degree-corrected, beside expected_degree_graph": (corrected, given_degrees),
    }


def csbm(nodes: int, degree: float, seed: int, num_features: int = FEATURES, **more: Any) -> Any:
    """A graph of these sizes."""
    return gnnmc.csbm(
        num_nodes=nodes,
        mean_degree=degree,
        num_classes=CLASSES,
        homophily=HOMOPHILY,
        num_features=num_features,
        seed=seed,
        **more,
    )


def _timed(calls: dict[str, Callable[[Any], Any]], prepare: Call, repeats: int) -> dict[str, list[float]]:
    """Seconds of each call, in turn, the first one to go another in every repeat."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    names = list(calls)
    for repeat in range(repeats):
        inputs = prepare(repeat)
        turn = repeat % len(names)
        for name in names[turn:] + names[:turn]:
            gc.collect()
            start = time.perf_counter()
            calls[name](inputs)
            seconds[name].append(time.perf_counter() - start)
    return seconds


def _row(name: str, nodes: int, degree: float, seconds: list[float]) -> Row:
    size = {"work": name, "nodes": nodes, "edges": round(nodes * degree / 2), "repeats": len(seconds)}
    return {**size, "least": min(seconds), "median": statistics.median(seconds)}


def _peak(name: str, nodes: int, degree: float) -> float:
    """GiB of a process of its own that does this work once."""
    command = [sys.executable, "-m", "benchmarks.scale", "--peak", name, "--nodes", str(nodes), "--degree", str(degree)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def _show(row: Row) -> str:
    numbers = f"{row['least']:7.2f} {row['median']:7.2f} s"
    peak = f"  peak {row['peak GiB']:.2f} GiB" if "peak GiB" in row else ""
    other = f"  networkx {row['networkx']:.2f} s = {row['ratio']:.1f}x" if "ratio" in row else ""
    return f"{row['work']:55} {row['nodes']:>9,} nodes {row['edges']:>10,} edges  {numbers}{peak}{other}"


def main() -> None:
    """Measure and print; write JSON where asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=1_000_000)
    parser.add_argument("--degree", type=float, default=20.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", help="write the rows here as JSON")
    parser.add_argument("--peak", metavar="WORK", help="do this work once and print the peak of memory in GiB")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.peak is not None:
        prepare, call = works(asked.nodes, asked.degree)[asked.peak]
        call(prepare(0))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
        return
    found = []
    for row in rows(asked.nodes, asked.degree, asked.repeats):
        found.append(row)
        print(_show(row), flush=True)
    if asked.out:
        Path(asked.out).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
