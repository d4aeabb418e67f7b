"""What an epoch, a step of a fit and a point of a profile cost: the table that a run's estimate of time scales.

    python benchmarks/costs.py

Processor time on one thread, of models that stand for their kind, at sizes of graphs far apart; then a least-squares
fit, with no negative share, of seconds = call + products·N·F·H + neighbors·E·H + elements·N·(F + H), each residual
relative to its measurement. Printed: the coefficients as they stand in `gnnmc/studies/costs/table.py`, and the largest
ratio of fit to measurement.
"""

import time

import numpy as np
import torch
from scipy.optimize import nnls

import gnnmc
from gnnmc.studies.costs.size import Work

# nodes, mean degree, features, hidden
SIZES = (
    (200, 10, 8, 16),
    (800, 10, 32, 32),
    (800, 10, 512, 64),
    (2000, 30, 64, 64),
    (2000, 4, 1024, 32),
    (8000, 10, 64, 64),
    (8000, 4, 256, 128),
)
MODELS = ("gcn", "gat", "mlp")
CLASSES = 5


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    for model in MODELS:
        measured: dict[str, list[float]] = {"epoch": [], "step": [], "point": []}
        rows = []
        for nodes, degree, features, hidden in SIZES:
            rows.append(Work(nodes, nodes * degree, nodes * features, features, CLASSES, hidden, 2).terms())
            for act, seconds in _seconds(model, nodes, degree, features, hidden).items():
                measured[act].append(seconds)
        for act, seconds in measured.items():
            y, terms = np.array(seconds), np.array(rows)
            found = nnls(terms / y[:, None], np.ones(len(y)))[0]
            ratios = terms @ found / y
            numbers = ", ".join(f"{value:.2g}" for value in found)
            print(f'("{model}", "{act}"): ({numbers}),  # {ratios.min():.2f} to {ratios.max():.2f}', flush=True)


def _seconds(name: str, nodes: int, degree: int, features: int, hidden: int) -> dict[str, float]:
    data = gnnmc.csbm(num_nodes=nodes, num_classes=CLASSES, mean_degree=degree, num_features=features, seed=0)
    problem = gnnmc.Problem.node_classification(data)
    model = gnnmc.build_model(name, problem, hidden=hidden, **({"heads": 1} if name == "gat" else {}))
    count = 4 if nodes > 1000 else 20
    gnnmc.train(model, problem, seeds=[0], epochs=1)
    spent = {}
    start = time.process_time()
    a, b = gnnmc.train(model, problem, seeds=[0, 1], epochs=count)
    spent["epoch"] = (time.process_time() - start) / (2 * count)
    start = time.process_time()
    curve = gnnmc.fit_path(model, problem, a, b, kind="bezier", points=3, steps=count)
    spent["step"] = (time.process_time() - start) / count
    start = time.process_time()
    gnnmc.profile(model, problem, curve, points=count + 1)
    spent["point"] = (time.process_time() - start) / (count + 1)
    return spent


if __name__ == "__main__":
    main()
