"""Orthogonal maps that leave the vector of ones where it is: those of a stream that LayerNorm takes the mean from."""

import torch
from torch import Tensor


def keeping_ones(inner: Tensor) -> Tensor:
    """The matrix that acts as `inner` on what has mean 0, in `centered_basis`, and leaves the vector of ones.

    Shapes: (…, n − 1, n − 1) → (…, n, n).
    """
    size = inner.shape[-1] + 1
    basis = centered_basis(size).to(inner)
    return basis @ inner @ basis.mT + 1 / size


def centered_basis(size: int) -> Tensor:
    """An orthonormal basis of what has mean 0. Shape (n, n − 1), float64."""
    columns = torch.cat([torch.ones(size, 1, dtype=torch.float64), torch.eye(size, dtype=torch.float64)[:, :-1]], 1)
    return torch.linalg.qr(columns)[0][:, 1:]
