"""The invertible map that moves the inside of one circuit nearest to that of another: query–key, value–output.

Units that are only written by linear maps and read by linear maps may be mixed by any invertible M: what writes them
becomes M·W, what reads them M⁻ᵀ·V. The product Wᵀ·V, the circuit, stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

# Of what is added to Gram matrices, and of the first damping, beside the mean of the eigenvalues.
RIDGE = 1e-9
DAMPING = 1e-3
# ‖M‖·‖M⁻¹‖ (Frobenius) for each unit: in single precision more would be seen in the outputs.
CONDITION = 1e2
STEPS = 60
SCREENING = 4

# Writers of a, writers of b, readers of a, readers of b: each (…, n, entries of one unit).
Circuit: TypeAlias = tuple[Tensor, Tensor, Tensor, Tensor]


def solve_invertible(
    writers_a: Tensor, writers_b: Tensor, readers_a: Tensor, readers_b: Tensor, *, steps: int = STEPS
) -> Tensor:
    """M that makes ‖A_w − M·B_w‖² + ‖A_r − M⁻ᵀ·B_r‖² small, one for each copy (head).

    Never larger than without M, nor than with the best rotation. Starts: the identity, orthogonal Procrustes, least
    squares on the writers and on the readers alone; then Levenberg–Marquardt on M ← exp(X)·M, whose normal equations
    are of Sylvester's kind, X·G_w + G_r·X = … with Gram matrices G, and are solved exactly. A local minimum: the
    problem is not convex. M is well-conditioned: ‖M‖·‖M⁻¹‖ ≤ 100·n.

    Shapes: writers (…, n, p), readers (…, n, q), units first, the leading sizes broadcast → (…, n, n), float64.
    Source: invertible class of Theus et al. 2025; the solver is ours.
    """
    grams = _Grams.of(writers_a, writers_b, readers_a, readers_b)
    starts = _starts(grams)
    state = _State.at(grams, starts)
    for _ in range(min(SCREENING, steps)):
        state = state.stepped()
    state = state.best()
    for _ in range(steps - SCREENING):
        state = state.stepped()
        if bool(state.done.all()):
            break
    return state.matrix


def head_costs(circuits: Sequence[Circuit]) -> Tensor:
    """How far each head of a is from each head of b, whatever the bases inside heads: Σ ‖WᵀV of a − WᵀV of b‖².

    The products have one row and one column for each entry that the units are written and read by; they are never
    formed: ⟨W_aᵀV_a, W_bᵀV_b⟩ = Σ (W_a·W_bᵀ) ∘ (V_a·V_bᵀ), a sum over pairs of units. Each circuit counts relative to
    the mean square of its products: query–key and value–output products are of different sizes.

    Shapes: (heads, n, entries) in each circuit → (heads of a, heads of b), float64.
    Source: head assignment of Theus et al. 2025 (products); that circuits count relative to their sizes is ours.
    """
    total: Tensor | None = None
    for circuit in circuits:
        writers_a, writers_b, readers_a, readers_b = (one.double() for one in circuit)
        own_a = _inner(writers_a, writers_a, readers_a, readers_a)
        own_b = _inner(writers_b, writers_b, readers_b, readers_b)
        cross = _inner(writers_a.unsqueeze(1), writers_b.unsqueeze(0), readers_a.unsqueeze(1), readers_b.unsqueeze(0))
        size = (own_a.mean() + own_b.mean()) / 2
        if not float(size) > 0:
            continue
        cost = ((own_a[:, None] + own_b[None, :] - 2 * cross) / size).clamp(min=0)
        total = cost if total is None else total + cost
    if total is None:
        heads_a, heads_b = (len(circuits[0][0]), len(circuits[0][1])) if circuits else (0, 0)
        return torch.zeros(heads_a, heads_b, dtype=torch.float64)
    return total


def _inner(writers_a: Tensor, writers_b: Tensor, readers_a: Tensor, readers_b: Tensor) -> Tensor:
    """⟨W_aᵀV_a, W_bᵀV_b⟩."""
    return ((writers_a @ writers_b.mT) * (readers_a @ readers_b.mT)).sum((-2, -1))


@dataclass(frozen=True, eq=False)
class _Grams:
    """All that the distance depends on. Shapes: size (…), the others (…, n, n)."""

    size: Tensor
    writers: Tensor
    writers_cross: Tensor
    readers: Tensor
    readers_cross: Tensor

    @classmethod
    def of(cls, writers_a: Tensor, writers_b: Tensor, readers_a: Tensor, readers_b: Tensor) -> "_Grams":
        a, b, c, d = (one.double() for one in (writers_a, writers_b, readers_a, readers_b))
        size = a.square().sum((-2, -1)) + c.square().sum((-2, -1))
        crosses = a @ b.mT, c @ d.mT
        batch = torch.broadcast_shapes(crosses[0].shape, crosses[1].shape)
        grams = (b @ b.mT, crosses[0], d @ d.mT, crosses[1])
        return cls(size.expand(batch[:-2]), *(one.expand(batch) for one in grams))

    def distance(self, matrix: Tensor, dual: Tensor) -> Tensor:
        of_writers = matrix * (matrix @ self.writers - 2 * self.writers_cross)
        of_readers = dual * (dual @ self.readers - 2 * self.readers_cross)
        return (self.size + (of_writers + of_readers).sum((-2, -1))).clamp(min=0)

    def rate(self) -> Tensor:
        """Mean eigenvalue of both Gram matrices, positive. Shape (…)."""
        trace = (self.writers + self.readers).diagonal(dim1=-2, dim2=-1).mean(-1)
        return torch.where(trace > 0, trace, torch.ones_like(trace))


def _starts(grams: _Grams) -> Tensor:
    """The identity first. Shape (starts, …, n, n)."""
    one = torch.eye(grams.writers.shape[-1], dtype=torch.float64, device=grams.writers.device)
    left, _, right = torch.linalg.svd(grams.writers_cross + grams.readers_cross)
    ridge = RIDGE * grams.rate()[..., None, None] * one
    by_writers = torch.linalg.solve(grams.writers + ridge, (grams.writers_cross + ridge).mT).mT
    by_readers = torch.linalg.solve(grams.readers + ridge, (grams.readers_cross + ridge).mT).mT
    dual, failed = torch.linalg.inv_ex(by_readers)
    by_readers = torch.where((failed == 0)[..., None, None], dual.mT, one)
    return torch.stack([one.expand_as(by_writers), left @ right, by_writers, by_readers])


@dataclass(frozen=True, eq=False)
class _State:
    """Where each copy stands. dual: M⁻ᵀ, kept beside M so that nothing need be inverted. done: no step helps more."""

    grams: _Grams
    matrix: Tensor
    dual: Tensor
    value: Tensor
    damping: Tensor
    done: Tensor

    @classmethod
    def at(cls, grams: _Grams, matrix: Tensor) -> "_State":
        inverse, failed = torch.linalg.inv_ex(matrix)
        dual = inverse.mT
        value = torch.where((failed == 0) & is_conditioned(matrix, dual), grams.distance(matrix, dual), torch.inf)
        # What cannot be used stands at the identity, which is the first of the starts.
        usable = value.isfinite()[..., None, None]
        matrix, dual = (torch.where(usable, one, matrix[:1]) for one in (matrix, dual))
        value = grams.distance(matrix, dual)
        damping = (DAMPING * grams.rate()).expand_as(value)
        return cls(grams, matrix, dual, value, damping, torch.zeros_like(value, dtype=torch.bool))

    def best(self) -> "_State":
        """The best of the starts, for each copy by itself."""
        place = self.value.argmin(0, keepdim=True)

        def chosen(values: Tensor) -> Tensor:
            index = place.reshape(place.shape + (1,) * (values.dim() - place.dim()))
            return torch.gather(values, 0, index.expand(1, *values.shape[1:])).squeeze(0)

        return _State(
            self.grams,
            chosen(self.matrix),
            chosen(self.dual),
            chosen(self.value),
            chosen(self.damping),
            chosen(self.done),
        )

    def stepped(self) -> "_State":
        """One step, taken where it lowers the distance."""
        # W Wᵀ and V Vᵀ of the writers W and readers V as they are moved now.
        grams = self.grams
        of_writers = self.matrix @ grams.writers @ self.matrix.mT
        of_readers = self.dual @ grams.readers @ self.dual.mT
        slope = grams.writers_cross @ self.matrix.mT - of_writers - self.dual @ grams.readers_cross.mT + of_readers
        step = _sylvester(of_readers, of_writers, slope, self.damping)
        matrix = torch.linalg.matrix_exp(step) @ self.matrix
        dual = torch.linalg.matrix_exp(-step.mT) @ self.dual
        value = grams.distance(matrix, dual)
        better = (value < self.value) & is_conditioned(matrix, dual)
        gain = torch.where(better, self.value - value, 0)
        small = step.square().sum((-2, -1)) < 1e-20 * step.shape[-1]
        # In a large step the model of the distance may be wrong, in a small one with a small gain there is none.
        done = self.done | (better & (gain <= 1e-10 * grams.size)) | small
        pick = better[..., None, None]
        return _State(
            grams,
            torch.where(pick, matrix, self.matrix),
            torch.where(pick, dual, self.dual),
            torch.where(better, value, self.value),
            torch.where(better, self.damping / 5, self.damping * 10),
            done,
        )


def is_conditioned(matrix: Tensor, dual: Tensor) -> Tensor:
    """Whether ‖M‖·‖M⁻¹‖ is small enough, for each copy. Shapes: (…, n, n) and the inverse, or its transpose → (…)."""
    sizes = matrix.square().sum((-2, -1)) * dual.square().sum((-2, -1))
    return sizes <= (CONDITION * matrix.shape[-1]) ** 2


def _sylvester(left: Tensor, right: Tensor, given: Tensor, damping: Tensor) -> Tensor:
    """X with left·X + X·right + damping·X = given, for symmetric left and right. Shapes: (…, n, n), damping (…)."""
    values, basis = torch.linalg.eigh(left)
    others, other_basis = torch.linalg.eigh(right)
    sums = values.clamp(min=0)[..., :, None] + others.clamp(min=0)[..., None, :] + damping[..., None, None]
    return basis @ ((basis.mT @ given @ other_basis) / sums) @ other_basis.mT
