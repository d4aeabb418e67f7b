"""Ends trained by the published recipes (science 1.5) beside the accuracy that is stated for them.

    python benchmarks/recipes.py gcn/Cora gcn/Photo --seeds 2 --out recipes.csv

Splits: a set's own masks where it has some (seed k takes fold k), else random ones on the stream of the seed. Raw files
are found as `gnnmc.load_graph` does. One row per recipe and seed; the test metric at the best validation epoch and at
the last one.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch_geometric.data import Data

import gnnmc
from gnnmc.data.splits import random_split, set_masks
from gnnmc.models import Recipe, recipe


def main() -> None:
    """Train what the command line names and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recipes", nargs="+")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--epochs", type=int, help="instead of the recipe's: to try whether all of it runs")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for name in asked.recipes:
        for row in _rows(recipe(name), asked.seeds, asked.device, asked.epochs):
            rows.append(row)
            print("  ".join(f"{key} {value}" for key, value in row.items()), flush=True)
            if asked.out:
                pd.DataFrame(rows).to_csv(asked.out, index=False)


def _rows(chosen: Recipe, seeds: int, device: str, epochs: int | None) -> Iterator[dict[str, Any]]:
    for seed in range(seeds):
        data = _data(chosen, seed)
        problem = gnnmc.Problem.node_classification(data, metrics=(chosen.metric,), absent_classes=True)
        model = gnnmc.build_model(chosen.model, problem, recipe=chosen.name)
        start = time.monotonic()
        training = dict(chosen.training) | ({"epochs": epochs} if epochs else {})
        (mode,) = gnnmc.train(model, problem, [seed], device=device, **training)
        ends = mode.metrics[mode.metrics["split"] == "test"].set_index("endpoint")
        yield {
            "recipe": chosen.name,
            "seed": seed,
            f"{chosen.metric} at best_val": round(float(ends.loc["best_val", chosen.metric]), 4),
            "epoch": int(ends.loc["best_val", "epoch"]),
            "at last": round(float(ends.loc["last", chosen.metric]), 4),
            "expected": chosen.expected,
            "device": device,
            "seconds": round(time.monotonic() - start),
        }


def _data(chosen: Recipe, seed: int) -> Data:
    if not chosen.split:
        return gnnmc.load_graph(chosen.graph, features=chosen.features, fold=seed)
    data = gnnmc.load_graph(chosen.graph, features=chosen.features, layout="sparse")
    asked = dict(chosen.split)
    train = asked.pop("train", None)
    set_masks(data, random_split(data.y, train_fraction=train, seed=seed, **asked))
    return data


if __name__ == "__main__":
    main()
