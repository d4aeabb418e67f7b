"""Rotations that bring two sets of blocks together, also behind factors and where a group is on both axes of a tensor.

Behind a norm a rotation R of the units acts as D·R·D⁻¹ with the factors D = γᵉ, which is no rotation: the length of
what is moved changes with R, and one singular value decomposition does not give the best. What R changes of the length
is written as a constant less w ∘ (…)² with w = max D² − D² ≥ 0. That is convex in R: the rotation nearest to its
gradient never lowers it.

Source: Schönemann 1966; weighted, by majorization, Koschat & Swayne 1991 and Kiers 1990; both axes are ours.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from gnnmc.symmetry.matching.coupled import TINY
from gnnmc.symmetry.matching.projections import rotation

# Steps where the best is not known at once, and how often the damping of a step is doubled.
STEPS, DOUBLINGS = 20, 12


@dataclass(frozen=True, eq=False)
class Block:
    """Of a and of b, the axes that R acts on: one, then all else as one; or the last two.

    factors: D of each of these axes, None where it is 1. Shapes: a, b (n, p) or (r, n, n), float64; factors (n,).
    """

    a: Tensor
    b: Tensor
    factors: tuple[Tensor | None, ...]


@dataclass(frozen=True, eq=False)
class Procrustes:
    """−½·Σ‖A − moved B‖² of a rotation R, but for a constant:

    ⟨linear, R⟩ + ½·Σ wᵢ·(R·G·Rᵀ)ᵢᵢ over `grams` (w, G) + Σ (⟨A, R·B·Rᵀ⟩ + ½·Σ w ∘ (R·B·Rᵀ)²) over `pairs` (A, B, w).

    Shapes: linear (n, n); grams of (n,), (n, n); pairs of (r, n, n), (r, n, n), (n, n). All float64.
    """

    linear: Tensor
    grams: tuple[tuple[Tensor, Tensor], ...] = ()
    pairs: tuple[tuple[Tensor, Tensor, Tensor], ...] = ()

    @classmethod
    def of(cls, size: int, blocks: Iterable[Block]) -> "Procrustes":
        """From blocks of both modes."""
        linear = torch.zeros(size, size, dtype=torch.float64)
        grams, pairs = [], []
        for block in blocks:
            factors = [torch.ones(size, dtype=torch.float64) if one is None else one for one in block.factors]
            if len(factors) == 1:
                factor = factors[0][:, None]
                plain = block.b / factor
                linear = linear + (factor * block.a) @ plain.mT
                lack = _lack(factors[0])
                if bool(lack.any()):
                    grams.append((lack, plain @ plain.mT))
            else:
                both = factors[0][:, None] * factors[1][None, :]
                pairs.append((both * block.a, block.b / both, _lack(both)))
        return cls(linear, tuple(grams), tuple(pairs))

    @property
    def is_linear(self) -> bool:
        """Whether one decomposition gives the best rotation."""
        return not self.grams and not self.pairs

    def value(self, matrix: Tensor) -> float:
        """At a rotation."""
        total = (self.linear * matrix).sum()
        for lack, gram in self.grams:
            total = total + (lack * ((matrix @ gram) * matrix).sum(1)).sum() / 2
        for a, b, lack in self.pairs:
            moved = matrix @ b @ matrix.mT
            total = total + (moved * (a + lack * moved / 2)).sum()
        return float(total)

    def gradient(self, matrix: Tensor) -> Tensor:
        """In R. Shapes: (n, n) → (n, n), float64."""
        total = self.linear.clone()
        for lack, gram in self.grams:
            total += lack[:, None] * (matrix @ gram)
        for a, b, lack in self.pairs:
            slope = a + lack * (matrix @ b @ matrix.mT)
            total += (slope @ matrix @ b.mT).sum(0) + (slope.mT @ matrix @ b).sum(0)
        return total


def raised_rotation(problem: Procrustes, *, centered: bool = False) -> Tensor:
    """A rotation at which the objective is at least that at the identity; the best where it is linear.

    centered: among those that leave the vector of ones. Shape (n, n), float64.
    """
    matrix = torch.eye(len(problem.linear), dtype=torch.float64)
    best = problem.value(matrix)
    for _ in range(STEPS):
        gradient = problem.gradient(matrix)
        # Damped, a step goes less far, and at last uphill.
        damping = 0.0
        for attempt in range(DOUBLINGS):
            found = rotation(gradient + damping * matrix, centered=centered)
            value = problem.value(found)
            if value > best + TINY * max(1.0, abs(best)):
                break
            damping = float(torch.linalg.matrix_norm(gradient, 2)) * 2.0 ** (attempt - 4)
        else:
            break
        matrix, best = found, value
        if problem.is_linear:
            break
    return matrix


def _lack(factors: Tensor) -> Tensor:
    """What the square of each lacks of the largest, none of it negative."""
    squares = factors.square()
    return squares.max() - squares
