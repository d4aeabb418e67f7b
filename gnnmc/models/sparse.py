"""Sparse matrices as networks multiply by them, with derivatives of every kind.

On a CPU a sparse product is several times faster than gathering a row per edge, and than a dense product with features
that are mostly zeros. torch's own backward pass transposes the matrix every time, and its function transforms refuse
sparse tensors: here both directions are prepared once, and the matrix is no argument that is differentiated.
"""

from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from gnnmc.problem import compressed_rows


class Structure:
    """Where the entries of an (M, K) matrix are, row by row.

    Shapes: starts (M + 1,) first entry of every row, columns (E,).
    """

    def __init__(self, starts: Tensor, columns: Tensor, shape: tuple[int, int]) -> None:
        self.starts, self.columns, self.shape = starts, columns, shape

    @cached_property
    def rows(self) -> Tensor:
        """The row of every entry. Shapes: → (E,)."""
        return torch.repeat_interleave(torch.arange(self.shape[0]), self.starts.diff())

    @cached_property
    def turn(self) -> tuple["Structure", Tensor]:
        """The transposed matrix's structure, and the entries of this one in its order (E,)."""
        order = torch.argsort(self.columns, stable=True)
        starts = row_starts(self.columns, self.shape[1])
        return Structure(starts, self.rows[order], (self.shape[1], self.shape[0])), order


class SparseMatrix:
    """An (M, K) matrix of constants in compressed rows; entries at one place add up.

    Shapes: values (E,) in the order of the structure.
    """

    def __init__(self, structure: Structure, values: Tensor) -> None:
        self.structure, self.values = structure, values

    @staticmethod
    def of(matrix: Tensor) -> "SparseMatrix":
        """A torch.sparse_csr tensor's entries."""
        structure = Structure(matrix.crow_indices(), matrix.col_indices(), (matrix.shape[0], matrix.shape[1]))
        return SparseMatrix(structure, matrix.values())

    def __len__(self) -> int:
        return self.structure.shape[0]

    @property
    def dtype(self) -> torch.dtype:
        """Of the values."""
        return self.values.dtype

    @cached_property
    def tensor(self) -> Tensor:
        """The same as a torch.sparse_csr tensor. Shapes: → (M, K)."""
        return compressed(self.structure, self.values)

    @cached_property
    def transposed(self) -> "SparseMatrix":
        """What gradients are multiplied by."""
        structure, order = self.structure.turn
        return SparseMatrix(structure, self.values[order])

    def with_values(self, values: Tensor) -> "SparseMatrix":
        """Other values at the same places."""
        return SparseMatrix(self.structure, values)


def product(matrix: SparseMatrix, x: Tensor) -> Tensor:
    """matrix · x. Shapes: (M, K), (K, F) → (M, F)."""
    return _Product.apply(x, matrix)


def linear(x: Tensor | SparseMatrix, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x·Wᵀ + b. Shapes: x (N, F), weight (H, F), bias (H,) → (N, H)."""
    if isinstance(x, Tensor):
        return functional.linear(x, weight, bias)
    out = product(x, weight.t())
    return out if bias is None else out + bias


def dense(x: Tensor | SparseMatrix) -> Tensor:
    """The same numbers as a dense tensor."""
    return x if isinstance(x, Tensor) else x.tensor.to_dense()


def row_starts(rows: Tensor, count: int) -> Tensor:
    """Where each row begins when entries are sorted by row. Shapes: rows (E,) → (count + 1,)."""
    starts = torch.zeros(count + 1, dtype=torch.long)
    starts[1:] = torch.bincount(rows, minlength=count).cumsum(0)
    return starts


def compressed(structure: Structure, values: Tensor) -> Tensor:
    """A torch.sparse_csr tensor."""
    return compressed_rows(structure.starts, structure.columns, values, structure.shape, checked=False)


class _Product(torch.autograd.Function):
    """A·x; the gradient is Aᵀ·g, the same operation again, so that it can be differentiated any number of times."""

    @staticmethod
    def forward(x: Tensor, matrix: SparseMatrix) -> Tensor:
        return matrix.tensor @ x.contiguous()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.matrix = inputs[1]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Product.apply(gradient, ctx.matrix.transposed), None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, _: None) -> Tensor:
        return _Product.apply(tangent, ctx.matrix)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, None], x: Tensor, matrix: SparseMatrix) -> tuple[Tensor, int]:
        # One product for all models: their axis is folded into the features.
        x = x.movedim(in_dims[0] or 0, 1)
        return _Product.apply(x.flatten(1), matrix).unflatten(1, x.shape[1:]), 1
