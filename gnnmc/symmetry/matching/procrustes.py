"""Rotations that bring two sets of blocks together, also where a group is on both axes of a tensor."""

import torch
from torch import Tensor

from gnnmc.symmetry.matching.coupled import TINY, Coupled
from gnnmc.symmetry.matching.rotation import rotation

# Steps where the group is on both axes of a tensor, and how often the damping of a step is doubled.
STEPS, DOUBLINGS = 20, 12


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
            if value > best + TINY * max(1.0, abs(best)):
                break
            damping = float(torch.linalg.matrix_norm(gradient, 2)) * 2.0 ** (attempt - 4)
        else:
            break
        matrix, best = found, value
        if not problem.pairs:
            break
    return matrix
