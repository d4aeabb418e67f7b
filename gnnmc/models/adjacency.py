"""The adjacency matrix of a graph as layers multiply by it."""

import torch
from torch import Tensor

from gnnmc.sparse import SparseMatrix, Structure, linear, product, row_starts


class Adjacency(SparseMatrix):
    """A weighted adjacency matrix (N, N): row = target of an edge, column = its source.

    An edge that is listed twice counts twice.

    Shapes: edge_index (2, E), weight (E,), num_nodes N.
    """

    def __init__(self, edge_index: Tensor, weight: Tensor, num_nodes: int) -> None:
        order = torch.argsort(edge_index[1] * num_nodes + edge_index[0])
        sources, targets = edge_index[:, order]
        super().__init__(Structure(row_starts(targets, num_nodes), sources, (num_nodes, num_nodes)), weight[order])


def propagated_linear(
    adjacency: Adjacency, x: Tensor | SparseMatrix, weight: Tensor, bias: Tensor | None = None
) -> Tensor:
    """A·x·Wᵀ + b in the order that multiplies less; the same up to rounding.

    Shapes: x (N, F), weight (H, F), bias (H,) → (N, H).
    """
    if isinstance(x, Tensor) and weight.shape[0] > weight.shape[1]:
        return linear(product(adjacency, x), weight, bias)
    out = product(adjacency, linear(x, weight))
    return out if bias is None else out + bias
