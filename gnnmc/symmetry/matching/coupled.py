"""A group on two axes of one tensor (residual layers, GCNII): the objective is quadratic in its order.

An assignment on the gradient lowers it about half of the time (science 3). So: the assignment where it helps, else
Frank–Wolfe over doubly stochastic matrices and the assignment nearest to where that leads, then swaps of two units. A
step is taken only if the exact objective rises.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gnnmc.symmetry.matching.assignment import assign

# Steps of Frank–Wolfe: more bring less than 1 % of the objective (residual GCN of width 64).
STEPS = 30
_TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Coupled:
    """Σ linear[i, j]·P[i, j] + Σ over pairs (A, B) of ⟨A, B moved by P on both axes⟩.

    Shapes: linear (n, n); pairs of (n, n, r), r whatever else the tensor has.
    """

    linear: Tensor
    pairs: Sequence[tuple[Tensor, Tensor]]

    def value(self, order: Tensor) -> float:
        """At an order."""
        rows = torch.arange(len(order))
        total = float(self.linear[rows, order].sum())
        return total + sum(float((a * b[order][:, order]).sum()) for a, b in self.pairs)

    def relaxed(self, matrix: Tensor) -> float:
        """At a doubly stochastic matrix."""
        total = float((self.linear * matrix).sum())
        for a, b in self.pairs:
            total += float((a * torch.einsum("ij,kl,jlr->ikr", matrix, matrix, b)).sum())
        return total

    def gradient(self, matrix: Tensor) -> Tensor:
        """In P, at a matrix."""
        total = self.linear.clone()
        for a, b in self.pairs:
            total += torch.einsum("ikr,kl,jlr->ij", a, matrix, b) + torch.einsum("kir,kl,ljr->ij", a, matrix, b)
        return total

    def swap_gains(self, order: Tensor) -> Tensor:
        """What the objective gains where two units change places, for every two. Shape (n, n)."""
        rows = torch.arange(len(order))
        moved = self.linear[:, order]
        own = moved.diagonal()
        gains = moved + moved.T - own[:, None] - own[None, :]
        for a, whole in self.pairs:
            b = whole[order][:, order]
            for x, y in ((a, b), (a.transpose(0, 1), b.transpose(0, 1))):
                cross = x.flatten(1) @ y.flatten(1).T
                same = cross.diagonal()
                gains = gains + cross + cross.T - same[:, None] - same[None, :]
                # Entries between the two units themselves and on the diagonal are moved on both axes at once.
                xii, yii = x[rows, rows], y[rows, rows]
                at_i = torch.einsum("ijr->ijr", x)
                kept = (xii[:, None] - at_i.transpose(0, 1)) * (y.transpose(0, 1) - yii[:, None])
                kept = kept + (at_i - xii[None, :]) * (yii[None, :] - y)
                gains = gains - kept.sum(-1)
            aii, bii = a[rows, rows], b[rows, rows]
            gains = gains + ((aii[:, None] - aii[None, :]) * (bii[None, :] - bii[:, None])).sum(-1)
            gains = gains + ((a - a.transpose(0, 1)) * (b.transpose(0, 1) - b)).sum(-1)
        return gains


def raised(problem: Coupled, order: Tensor) -> Tensor:
    """An order at which the objective is higher, or the same order. Shapes: (n,) → (n,)."""
    best = problem.value(order)
    scale = _TINY * max(1.0, abs(best))
    for propose in (_assigned, _frank_wolfe, _swapped):
        found = propose(problem, order)
        value = problem.value(found)
        if value > best + scale:
            return raised(problem, found) if propose is not _swapped else found
    return order


def matrix_of(order: Tensor) -> Tensor:
    """The permutation matrix that puts old unit order[i] at i. Shapes: (n,) → (n, n) float64."""
    return torch.eye(len(order), dtype=torch.float64)[order]


def _assigned(problem: Coupled, order: Tensor) -> Tensor:
    return assign(problem.gradient(matrix_of(order)))


def _frank_wolfe(problem: Coupled, order: Tensor) -> Tensor:
    if not problem.pairs:
        return order
    matrix = matrix_of(order)
    for _ in range(STEPS):
        gradient = problem.gradient(matrix)
        toward = matrix_of(assign(gradient)) - matrix
        slope = float((gradient * toward).sum())
        if slope <= _TINY * max(1.0, float(gradient.abs().max())):
            break
        bend = sum(float((a * torch.einsum("ij,kl,jlr->ikr", toward, toward, b)).sum()) for a, b in problem.pairs)
        # The objective along the line is slope·s + bend·s²: its exact maximum on [0, 1].
        step = 1.0 if bend >= 0 else min(1.0, -slope / (2 * bend))
        matrix = matrix + step * toward
    return assign(matrix)


def _swapped(problem: Coupled, order: Tensor) -> Tensor:
    """Swaps as long as one of them raises the objective, the best first."""
    if not problem.pairs:
        return order
    order = order.clone()
    for _ in range(len(order)):
        gains = problem.swap_gains(order)
        at = int(gains.argmax())
        i, j = divmod(at, len(order))
        if float(gains[i, j]) <= _TINY * max(1.0, abs(problem.value(order))):
            break
        order[i], order[j] = order[j].clone(), order[i].clone()
    return order
