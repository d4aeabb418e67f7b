"""Orthogonal maps that bring two sets of blocks together."""

import torch
from torch import Tensor

from gnnmc.symmetry.matching.coupled import Coupled
from gnnmc.symmetry.random import centered_basis

# Steps where the group is on both axes of a tensor, and how often the damping of a step is doubled.
STEPS, DOUBLINGS = 20, 12
_TINY = 1e-12


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


def raised_rotation(problem: Coupled, *, centered: bool = False) -> Tensor:
    """A rotation at which the objective is at least that at the identity; the best where it is linear. Shape (n, n)."""
    matrix = torch.eye(len(problem.linear), dtype=torch.float64, device=problem.linear.device)
    best = problem.relaxed(matrix)
    for _ in range(STEPS):
        gradient = problem.gradient(matrix)
        # Damped, a step goes less far, and at last uphill.
        damping = 0.0
        for attempt in range(DOUBLINGS):
            found = rotation(gradient + damping * matrix, centered=centered)
            value = problem.relaxed(found)
            if value > best + _TINY * max(1.0, abs(best)):
                break
            damping = float(torch.linalg.matrix_norm(gradient, 2)) * 2.0 ** (attempt - 4)
        else:
            break
        matrix, best = found, value
        if not problem.pairs:
            break
    return matrix
