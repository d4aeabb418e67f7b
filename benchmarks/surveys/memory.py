"""What a profile of a large graph takes in memory, beside the graph: each way in a process of its own."""

import argparse
import ctypes
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

import gnnmc
from benchmarks import graphs
from benchmarks.baseline import networks
from benchmarks.baseline.profile import along, line
from benchmarks.baseline.task import of_graph
from benchmarks.machine import ROOT
from benchmarks.measure import BASELINE, OURS

NODES, EDGES, FEATURES, POINTS = 200_000, 4_000_000, 64, 25
LOOP = "ours, engine loop"
# More would take minutes and no more memory.
POINTS_OF = {OURS: POINTS, LOOP: 2, BASELINE: 2}


def memory(quick: bool, keep: Callable[[str, dict[str, Any]], None]) -> None:
    """One record per way: extra bytes over the loaded graph, seconds, points."""
    sizes = (2000, 20_000) if quick else (NODES, EDGES)
    for way in POINTS_OF:
        words = [sys.executable, "-W", "ignore", "-m", "benchmarks.surveys.memory", way, *map(str, sizes)]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{way}: {done.stderr.strip().splitlines()[-1:]}")
        record = json.loads(done.stdout.splitlines()[-1])
        keep(way, record)
        print(f"memory, {way}: {record['extra'] / 2**30:.2f} GiB extra, {record['seconds']:.1f} s", flush=True)


def main() -> None:
    """Profile in this process and print what it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("way", choices=tuple(POINTS_OF))
    parser.add_argument("nodes", type=int)
    parser.add_argument("edges", type=int)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    data = graphs.csbm(asked.nodes, asked.edges, FEATURES)
    problem = gnnmc.Problem.node_classification(data)
    model = gnnmc.build_model("gcn", problem, hidden=64)
    theirs = networks.gcn(FEATURES, problem.num_outputs)
    ends = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        networks.reset(model)
        ends.append({name: value.detach().clone() for name, value in model.state_dict().items()})
    points, task = POINTS_OF[asked.way], of_graph(data)
    _settle()
    loaded = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts from here
    start = time.perf_counter()
    if asked.way == BASELINE:
        along(theirs, task, map(line(*ends), np.linspace(0, 1, points).tolist()))
    else:
        engine = "loop" if asked.way == LOOP else "stacked"
        gnnmc.profile(model, problem, gnnmc.LinearPath(*ends), points=points, engine=engine, device="cpu")
    seconds = time.perf_counter() - start
    edges = data.edge_index.shape[1] // 2
    sizes = {"nodes": asked.nodes, "edges": edges, "features": FEATURES, "points": points}
    print(json.dumps(sizes | {"loaded": loaded, "extra": _status("VmHWM") - loaded, "seconds": seconds}))


def _settle() -> None:
    """Give back what making the graph has left over."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


def _status(name: str) -> int:
    """Bytes, as Linux counts them for this process."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    main()
