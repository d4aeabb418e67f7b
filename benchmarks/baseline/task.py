"""Tensors to train and evaluate on, with what a user computes once: the rows and labels of every split."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional


class Task:
    """inputs: what a module is called with. splits: name → numbers of items."""

    def __init__(self, inputs: tuple[Tensor, ...], y: Tensor, splits: Mapping[str, Tensor]) -> None:
        self.inputs = inputs
        self.parts = [(index, y[index]) for index in splits.values()]
        self.train, self.train_y = self.parts[list(splits).index("train")]
        self.val = list(splits).index("val")

    def measure(self, outputs: Tensor) -> list[list[float]]:
        """[loss, accuracy] of every split."""
        rows = []
        for index, y in self.parts:
            given = outputs[index]
            hits = (given.argmax(dim=1) == y).sum()
            rows.append([functional.cross_entropy(given, y).item(), hits.item() / len(y)])
        return rows

    def loss(self, outputs: Tensor) -> Tensor:
        """Of the training items."""
        return functional.cross_entropy(outputs[self.train], self.train_y)


def of_graph(data: object) -> Task:
    """A task on a graph with masks."""
    masks = {name: getattr(data, f"{name}_mask") for name in ("train", "val", "test")}
    splits = {name: torch.nonzero(mask)[:, 0] for name, mask in masks.items()}
    x, edge_index, y = (getattr(data, name) for name in ("x", "edge_index", "y"))
    return Task((x, edge_index), y, splits)
