"""The adjacency matrix of a graph as layers multiply by it."""

from typing import Any

import torch
from torch import Tensor

from gnnmc.models.sparse import SparseMatrix, Structure, compressed, linear, product, row_starts


class Adjacency(SparseMatrix):
    """A weighted adjacency matrix (N, N): row = target of an edge, column = its source.

    An edge that is listed twice counts twice. `targets`, `sources` (E,) are the ends of the edges in the order of the
    matrix, which is also that of the values `weighted_sum` takes.

    Shapes: edge_index (2, E), weight (E,), num_nodes N.
    """

    def __init__(self, edge_index: Tensor, weight: Tensor, num_nodes: int) -> None:
        order = torch.argsort(edge_index[1] * num_nodes + edge_index[0])
        self.sources, self.targets = edge_index[0][order], edge_index[1][order]
        structure = Structure(row_starts(self.targets, num_nodes), self.sources, (num_nodes, num_nodes))
        super().__init__(structure, weight[order])


def propagate(adjacency: Adjacency, x: Tensor) -> Tensor:
    """Sum over the incoming edges of every node of weight · x[source]. Shapes: x (N, F) → (N, F)."""
    return product(adjacency, x)


def weighted_sum(adjacency: Adjacency, values: Tensor, x: Tensor) -> Tensor:
    """`propagate` with a value for each edge that has a gradient, as attention has. Shapes: (E,), (N, F) → (N, F)."""
    return _ValuedProduct.apply(values, x, adjacency.structure)


def propagated_linear(
    adjacency: Adjacency, x: Tensor | SparseMatrix, weight: Tensor, bias: Tensor | None = None
) -> Tensor:
    """A·x·Wᵀ + b in the order that multiplies less; the same up to rounding.

    Shapes: x (N, F), weight (H, F), bias (H,) → (N, H).
    """
    if isinstance(x, Tensor) and weight.shape[0] > weight.shape[1]:
        return linear(propagate(adjacency, x), weight, bias)
    out = propagate(adjacency, linear(x, weight))
    return out if bias is None else out + bias


class _ValuedProduct(torch.autograd.Function):
    """A(v)·x; gradients Aᵀ(v)·g for x and, for the value of an edge, the product of the rows at its ends."""

    @staticmethod
    def forward(values: Tensor, x: Tensor, structure: Structure) -> Tensor:
        return compressed(structure, values.contiguous()) @ x.contiguous()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        values, x, ctx.structure = inputs
        ctx.save_for_backward(values, x)
        ctx.save_for_forward(values, x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        (values, x), structure = ctx.saved_tensors, ctx.structure
        for_values = for_x = None
        if ctx.needs_input_grad[0] and (torch.is_grad_enabled() or len(values) > structure.shape[0] * x.shape[0]):
            # Somebody differentiates twice, which the fast product below does not allow; or edges are listed so often
            # that there are more of them than entries, which it does not allow either.
            for_values = (gradient[structure.rows] * x[structure.columns]).sum(1)
        elif ctx.needs_input_grad[0]:
            matrix = compressed(structure, values.detach().contiguous())
            for_values = torch.sparse.sampled_addmm(
                matrix, gradient.contiguous(), x.contiguous().t(), beta=0.0
            ).values()
        if ctx.needs_input_grad[1]:
            turned, order = structure.turn
            for_x = _ValuedProduct.apply(values[order], gradient, turned)
        return for_values, for_x, None

    @staticmethod
    def jvp(ctx: Any, for_values: Tensor | None, for_x: Tensor | None, _: None) -> Tensor:
        values, x = ctx.saved_tensors
        parts = [] if for_values is None else [_ValuedProduct.apply(for_values, x, ctx.structure)]
        parts += [] if for_x is None else [_ValuedProduct.apply(values, for_x, ctx.structure)]
        return torch.stack(parts).sum(0)

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[int | None, int | None, None], values: Tensor, x: Tensor, structure: Structure
    ) -> tuple[Tensor, int]:
        many = [
            [given] * info.batch_size if axis is None else given.unbind(axis)
            for given, axis in zip((values, x), in_dims, strict=False)
        ]
        return torch.stack([_ValuedProduct.apply(*one, structure) for one in zip(*many, strict=True)]), 0
