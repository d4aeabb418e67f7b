"""Products with a sparse matrix of constants.

On a CPU a sparse product is several times faster than gathering a row per edge, and than a dense product with features
that are mostly zeros. torch's own backward pass transposes the matrix every time, and its function transforms refuse
sparse tensors: here both directions are prepared once, and the matrix is no argument that is differentiated.
"""

from typing import Any

from torch import Tensor

from gnnmc.sparse.differentiable import Differentiable
from gnnmc.sparse.matrix import SparseMatrix
from gnnmc.sparse.operator import sparse_mm


def product(matrix: SparseMatrix, x: Tensor) -> Tensor:
    """matrix · x, or · each of B of them. Shapes: (M, K), (K, F) → (M, F), or (B, K, F) → (B, M, F)."""
    return _Product.apply(x, matrix)


class _Product(Differentiable):
    """A·x; the gradient is Aᵀ·g, the same operation again, so that it can be differentiated any number of times."""

    @staticmethod
    def forward(x: Tensor, matrix: SparseMatrix) -> Tensor:
        structure = matrix.structure
        return sparse_mm(structure.starts, structure.columns, matrix.values, structure.shape[1], x)

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
        x = x.movedim(in_dims[0] or 0, -2)
        return _Product.apply(x.flatten(-2), matrix).unflatten(-1, x.shape[-2:]), x.dim() - 2
