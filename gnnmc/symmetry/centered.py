"""Orthogonal maps that leave the vector of ones where it is: those of a stream that LayerNorm takes the mean from."""

from torch import Tensor

from gnnmc.symmetry.random import centered_basis


def keeping_ones(inner: Tensor) -> Tensor:
    """The matrix that acts as `inner` on what has mean 0, in `centered_basis`, and leaves the vector of ones.

    Shapes: (…, n − 1, n − 1) → (…, n, n).
    """
    size = inner.shape[-1] + 1
    basis = centered_basis(size).to(inner)
    return basis @ inner @ basis.mT + 1 / size
