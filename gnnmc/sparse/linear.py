"""A linear map of features that may be a sparse matrix."""

from torch import Tensor
from torch.nn import functional

from gnnmc.sparse.matrix import SparseMatrix
from gnnmc.sparse.product import product


def linear(x: Tensor | SparseMatrix, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x·Wᵀ + b. Shapes: x (N, F), weight (H, F), bias (H,) → (N, H)."""
    if isinstance(x, Tensor):
        return functional.linear(x, weight, bias)
    out = product(x, weight.t())
    return out if bias is None else out + bias


def dense(x: Tensor | SparseMatrix) -> Tensor:
    """The same numbers as a dense tensor."""
    return x if isinstance(x, Tensor) else x.tensor.to_dense()
