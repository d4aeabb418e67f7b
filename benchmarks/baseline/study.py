"""Every cell of a study's config, one after another: part PART of two, each a process of its own.

    python -m benchmarks.baseline.study CONFIG FOLDER PART

The graphs, their statistics and the list of cells are gnnmc's, so that both sides do the same; training, fitting,
profiles and planes are the loops of this package. Weights and rows are written to FOLDER.
"""

import itertools
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import gnnmc
from benchmarks.baseline import networks
from benchmarks.baseline.fit import fit
from benchmarks.baseline.profile import along, bezier, frame, line, plane
from benchmarks.baseline.task import of_graph
from benchmarks.baseline.train import train_all
from gnnmc.commands.run import load_study
from gnnmc.config import read_config
from gnnmc.studies.sources.csbm import generator_seed

PROCESSES = 2
MAKE: dict[str, Any] = {"gcn": networks.gcn, "sage": networks.sage, "gat": networks.gat, "mlp": networks.mlp}


def main() -> None:
    """The cells of this part."""
    config_file, folder, part = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(1)
    config: Any = load_study(read_config(config_file))[1]
    blocks = [block for entry in config.graphs for block in entry.expand()]
    rows: list[dict[str, Any]] = []
    shown = {round(i * (len(blocks) - 1) / max(1, config.planes.graphs - 1)) for i in range(config.planes.graphs)}
    for number in range(part, len(blocks), PROCESSES):
        data = gnnmc.csbm(**blocks[number].model_dump() | {"seed": generator_seed(blocks[number])})
        gnnmc.graph_stats(data).frame().to_csv(folder / f"statistics-{number}.csv")
        for place, model in enumerate(config.models):
            surface = config.planes.points if place == 0 and number in shown else None
            rows += _cells(data, number, model, config, folder, surface)
    pd.DataFrame(rows).to_csv(folder / f"rows-{part}.csv", index=False)


def _cells(data: Any, graph: int, model: Any, config: Any, folder: Path, surface: int | None) -> list[dict[str, Any]]:
    """Modes of one graph and model, lines between all of them, a curve, and a plane where one is wanted."""
    task = of_graph(data)
    heads = {"heads": model.heads} if model.heads else {}
    module = MAKE[model.name](data.x.shape[1], int(data.y.max()) + 1, hidden=model.hidden, **heads)
    if model.name == "mlp":
        task.inputs = task.inputs[:1]
    trained = train_all(module, task, [100 * graph + seed for seed in config.seeds], config.train.epochs)
    torch.save([(run.last, run.best, run.log) for run in trained], folder / f"modes-{graph}-{model.name}.pt")
    rows = [
        {"graph": graph, "model": model.name, "what": "end", "train": run.log[-1][0][0], "test": run.log[-1][2][1]}
        for run in trained
    ]
    grid = np.linspace(0, 1, config.profile.points).tolist()
    for path in config.paths:
        for a, b in list(itertools.combinations([run.last for run in trained], 2))[: path.pairs]:
            if path.kind == "linear":
                curve = line(a, b)
            else:
                middle = fit(module, task, a, b, graph, path.steps, decay=config.train.weight_decay)
                curve = bezier(a, middle, b)
            values = along(module, task, map(curve, grid))
            rows.append({"graph": graph, "model": model.name, "what": path.kind, "train": _barrier(grid, values)})
            if path.kind != "linear" and surface:
                over = along(module, task, map(plane(a, b, middle), frame(a, b, middle, surface)))
                np.save(folder / f"plane-{graph}.npy", over)
    return rows


def _barrier(grid: list[float], values: np.ndarray[Any, Any]) -> float:
    """The largest excess of the train loss over the chord between the ends."""
    t, loss = np.array(grid), values[:, 0, 0]
    return float((loss - (1 - t) * loss[0] - t * loss[-1]).max())


if __name__ == "__main__":
    main()
