"""The orthogonal Procrustes problem."""

import torch
from torch import Tensor

from gnnmc.symmetry.random import centered_basis


def rotation(gains: Tensor, *, centered: bool = False) -> Tensor:
    """The orthogonal matrix O with the largest ⟨gains, O⟩: U·Vᵀ of its singular vectors.

    centered: among those that leave the vector of ones where it is. Shapes: (…, n, n) → (…, n, n), float64.
    Source: Schönemann 1966.
    """
    gains = gains.double()
    if centered:
        basis = centered_basis(gains.shape[-1]).to(gains.device)
        inner = rotation(basis.T @ gains @ basis)
        return basis @ inner @ basis.T + 1 / gains.shape[-1]
    left, _, right = torch.linalg.svd(gains)
    return left @ right
