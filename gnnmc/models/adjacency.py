"""The adjacency matrix of a graph as layers multiply by it: sparse products with gradients.

On a CPU a sparse product is several times faster than gathering a row per edge, with the same result up to rounding.
torch's own backward pass transposes the matrix every time; here both directions are prepared once per graph.
"""

import warnings
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


class Adjacency:
    """A weighted adjacency matrix (N, N) in compressed rows: row = target of an edge, column = its source.

    An edge that is listed twice counts twice. `targets`, `sources` (E,) are the ends of the edges in the order of the
    matrix, which is also that of the values `weighted_sum` takes.

    Shapes: edge_index (2, E), weight (E,), num_nodes N.
    """

    def __init__(self, edge_index: Tensor, weight: Tensor, num_nodes: int) -> None:
        order = torch.argsort(edge_index[1] * num_nodes + edge_index[0])
        self.sources, self.targets = edge_index[0][order], edge_index[1][order]
        starts = torch.zeros(num_nodes + 1, dtype=torch.long)
        starts[1:] = torch.bincount(self.targets, minlength=num_nodes).cumsum(0)
        self.matrix = _csr(starts, self.sources, weight[order])
        self._order = order
        self._transposed: Adjacency | None = None

    @property
    def transposed(self) -> "Adjacency":
        """The same edges turned round: what gradients are multiplied by."""
        if self._transposed is None:
            turned = torch.stack([self.targets, self.sources])
            self._transposed = Adjacency(turned, self.matrix.values(), len(self.matrix))
        return self._transposed

    def turned(self, values: Tensor) -> Tensor:
        """Values of edges in the order of `transposed`."""
        return values[self.transposed._order]

    def with_values(self, values: Tensor) -> Tensor:
        """The matrix with other values (E,), in the order of `sources` and `targets`."""
        return _csr(self.matrix.crow_indices(), self.matrix.col_indices(), values)


def propagate(adjacency: Adjacency, x: Tensor) -> Tensor:
    """Sum over the incoming edges of every node of weight · x[source]. Shapes: x (N, F) → (N, F)."""
    return _Product.apply(x, adjacency)


def weighted_sum(adjacency: Adjacency, values: Tensor, x: Tensor) -> Tensor:
    """`propagate` with a value for each edge that has a gradient, as attention has. Shapes: (E,), (N, F) → (N, F)."""
    return _ValuedProduct.apply(values, x, adjacency)


def propagated_linear(adjacency: Adjacency, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """A·x·Wᵀ + b in the order that multiplies less; the same up to rounding. Sparse x is made dense by the weight.

    Shapes: x (N, F), weight (H, F), bias (H,) → (N, H).
    """
    if x.layout == torch.strided and weight.shape[0] > weight.shape[1]:
        return functional.linear(propagate(adjacency, x), weight, bias)
    out = propagate(adjacency, functional.linear(x, weight))
    return out if bias is None else out + bias


class _Product(torch.autograd.Function):
    """A·x; the gradient is Aᵀ·g, the same operation again, so that it can be differentiated any number of times."""

    @staticmethod
    def forward(x: Tensor, adjacency: Adjacency) -> Tensor:
        return adjacency.matrix @ x

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.adjacency = inputs[1]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Product.apply(gradient, ctx.adjacency.transposed), None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, _: None) -> Tensor:
        return _Product.apply(tangent, ctx.adjacency)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, None], x: Tensor, adjacency: Adjacency) -> tuple[Tensor, int]:
        # One product for all models: their axis is folded into the features.
        x = x.movedim(in_dims[0] or 0, 1)
        return _Product.apply(x.flatten(1), adjacency).unflatten(1, x.shape[1:]), 1


class _ValuedProduct(torch.autograd.Function):
    """A(v)·x; gradients Aᵀ(v)·g for x and, for the value of an edge, the product of the rows at its ends."""

    @staticmethod
    def forward(values: Tensor, x: Tensor, adjacency: Adjacency) -> Tensor:
        return adjacency.with_values(values) @ x

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        values, x, ctx.adjacency = inputs
        ctx.save_for_backward(values, x)
        ctx.save_for_forward(values, x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        (values, x), adjacency = ctx.saved_tensors, ctx.adjacency
        for_values = for_x = None
        if ctx.needs_input_grad[0] and torch.is_grad_enabled():
            # Somebody differentiates twice, which the fast product below does not allow.
            for_values = (gradient[adjacency.targets] * x[adjacency.sources]).sum(1)
        elif ctx.needs_input_grad[0]:
            matrix = adjacency.with_values(values.detach())
            for_values = torch.sparse.sampled_addmm(matrix, gradient.contiguous(), x.t(), beta=0.0).values()
        if ctx.needs_input_grad[1]:
            for_x = _ValuedProduct.apply(adjacency.turned(values), gradient, adjacency.transposed)
        return for_values, for_x, None

    @staticmethod
    def jvp(ctx: Any, for_values: Tensor | None, for_x: Tensor | None, _: None) -> Tensor:
        values, x = ctx.saved_tensors
        parts = [] if for_values is None else [_ValuedProduct.apply(for_values, x, ctx.adjacency)]
        parts += [] if for_x is None else [_ValuedProduct.apply(values, for_x, ctx.adjacency)]
        return torch.stack(parts).sum(0)

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[int | None, int | None, None], values: Tensor, x: Tensor, adjacency: Adjacency
    ) -> tuple[Tensor, int]:
        many = [
            [given] * info.batch_size if axis is None else given.unbind(axis)
            for given, axis in zip((values, x), in_dims, strict=False)
        ]
        return torch.stack([_ValuedProduct.apply(*one, adjacency) for one in zip(*many, strict=True)]), 0


def _csr(starts: Tensor, columns: Tensor, values: Tensor) -> Tensor:
    size = len(starts) - 1
    with warnings.catch_warnings():
        # torch says once per process that CSR is in beta and that invariants are not checked: both are known here.
        warnings.simplefilter("ignore")
        return torch.sparse_csr_tensor(starts, columns, values, (size, size), check_invariants=False)
