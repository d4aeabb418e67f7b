"""Two runs of everything by deterministic kernels on a real accelerator; prints a digest of each.

Run as a script in a process of its own, which is told of cuBLAS's workspace before it starts: `python repeated.py MODEL
DEVICE`.
"""

import hashlib
import sys

import torch
from pipeline import problem_for

import gnnmc
from gnnmc.weights import digest


def run(name: str, engine: str) -> str:
    problem = problem_for(name)
    model = gnnmc.build_model(name, problem, hidden=16, dropout=0.5)
    settings = {"device": sys.argv[2], "engine": engine}
    with gnnmc.deterministic():
        modes = gnnmc.train(model, problem, seeds=[0, 1], epochs=10, **settings)
        curve = gnnmc.fit_path(model, problem, *modes, steps=10, device=sys.argv[2])
        values = gnnmc.profile(model, problem, curve, points=7, **settings).values
    total = hashlib.sha256(values.tobytes())
    for weights in (*(mode.weights for mode in modes), *curve.control_points):
        total.update(digest(weights).encode())
    return total.hexdigest()


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(*(run(sys.argv[1], engine) for engine in ("loop", "stacked") for _ in range(2)))
