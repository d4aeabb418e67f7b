"""Sparse products as a trace has them: one operation each, of values with any number of further axes."""

from torch import Tensor

from gnnmc.sparse import SparseMatrix, Structure, additive_attention, pairwise_attention, product
from gnnmc.sparse import valued_product as product_of_values

__all__ = ["additive_attention", "pairwise_attention", "sparse_product", "valued_product"]


def sparse_product(matrix: SparseMatrix, x: Tensor) -> Tensor:
    """A·x over the first axis, of a matrix of constants. Shapes: matrix (M, K), x (K, …) → (M, …)."""
    return product(matrix, x.flatten(1)).unflatten(1, x.shape[1:]) if x.dim() > 2 else product(matrix, x)


def valued_product(structure: Structure, values: Tensor, x: Tensor) -> Tensor:
    """A(values)·x of a matrix whose entries depend on the weights or are drawn; or B such products.

    Shapes: (E,), (K, F) → (M, F); (B, E), (B, K, F) → (B, M, F).
    """
    return product_of_values(structure, values, x)
