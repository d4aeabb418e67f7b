"""Splits of a graph's nodes as the boolean masks that torch_geometric uses."""

import torch
from torch import Tensor
from torch_geometric.data import Data

from gnnmc.problem.splits import standard_split


def random_split(
    y: Tensor,
    train_per_class: int = 20,
    train_fraction: float | None = None,
    seed: int = 0,
    val: float | None = None,
    test: float | None = None,
) -> dict[str, Tensor]:
    """The rule of science 1.2, on labels: see `gnnmc.problem.splits.standard_split`, which this is.

    Shapes:
        y: (N,) integer labels, negative where unlabeled
        returns: `train`, `val`, `test` → (M,) int64 indices

    Raises:
        InputError: a class with fewer labeled nodes than asked for, or no node left for validation and test.
    """
    return standard_split(y, train_per_class, train_fraction, seed, val, test)


def set_masks(data: Data, splits: dict[str, Tensor]) -> None:
    """Write `{name}_mask` into `data` for every split; only for a Data that the caller made itself.

    Shapes:
        splits: name → (M,) indices; the masks are (N,) booleans
    """
    for name, index in splits.items():
        mask = torch.zeros(int(data.num_nodes or 0), dtype=torch.bool)
        mask[index] = True
        data[f"{name}_mask"] = mask
