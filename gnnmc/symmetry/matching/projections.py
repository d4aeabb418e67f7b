"""Nearest permutations, doubly stochastic matrices and rotations, with the derivatives that descent needs."""

from typing import Any

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from gnnmc.symmetry.centered import centered_basis, keeping_ones

# Rounds of normalizing rows and columns; how far a sum may be from 1 to stop before, and every how many that is seen.
ROUNDS, CLOSE, LOOK = 200, 1e-5, 8


def assigned(profits: Tensor) -> Tensor:
    """The orders of greatest total profit: unit j in place i is worth profits[…, i, j] (Hungarian algorithm).

    Shapes: (…, n, n) → (…, n) int64, on the same device.
    """
    flat = profits.detach().double().cpu().reshape(-1, *profits.shape[-2:]).numpy()
    orders = np.stack([linear_sum_assignment(one, maximize=True)[1] for one in np.nan_to_num(flat)])
    return torch.from_numpy(orders).reshape(profits.shape[:-1]).to(profits.device)


def permutation(latent: Tensor) -> Tensor:
    """The permutation matrix nearest to each latent one; its gradient is passed on as it is (straight through).

    Shapes: (…, n, n) → the same. Source: Bengio et al. 2013; Theus et al. 2025.
    """
    hard = torch.nn.functional.one_hot(assigned(latent), latent.shape[-1]).to(latent)
    return hard + (latent - latent.detach())


def sign(latent: Tensor) -> Tensor:
    """1 or −1, the gradient passed on as it is. Shapes: (…, n) → the same."""
    hard = torch.where(latent >= 0, 1.0, -1.0).to(latent)
    return hard + (latent - latent.detach())


def doubly_stochastic(logits: Tensor) -> Tensor:
    """The matrix exp(logits[i, j] + u[i] + v[j]) all of whose rows and columns sum to 1 (Sinkhorn & Knopp 1967).

    The gradient is that of the limit, by the implicit function theorem: exact whatever number of rounds it took, and
    without keeping any of them. Shapes: (…, n, n) → the same.

    Source: Peña et al. 2023 (implicit differentiation as Eisenberger et al. 2022).
    """
    return _Sinkhorn.apply(logits)


def rotation(matrix: Tensor, *, centered: bool = False) -> Tensor:
    """The orthogonal matrix nearest to each, which is the O of largest ⟨matrix, O⟩ (Procrustes): U·Vᵀ of its singular
    vectors. It can be differentiated.

    centered: among those that leave the vector of ones where it is. Shapes: (…, n, n) → the same.
    Source: Schönemann 1966; Theus et al. 2025.
    """
    if centered:
        basis = centered_basis(matrix.shape[-1]).to(matrix)
        return keeping_ones(rotation(basis.mT @ matrix @ basis))
    return _Polar.apply(matrix)


class _Sinkhorn(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor) -> Tensor:
        # Scaled by factors, which is much faster than with logarithms of sums. Entries below exp(−300) of the largest
        # are nothing in double precision either way.
        logs = logits.double()
        kernel = (logs - logs.amax(-1, keepdim=True)).clamp(min=-300).exp()
        columns = torch.ones_like(kernel[..., :1])
        for done in range(ROUNDS):
            rows = (kernel @ columns).reciprocal()
            sums = columns * (kernel.mT @ rows)
            columns = columns / sums
            # Looked at now and then: it takes as long as a round.
            if done % LOOK == 0 and bool(((sums - 1).abs() < CLOSE).all()):
                break
        matrix = rows * kernel * columns.mT
        ctx.save_for_backward(matrix)
        return matrix.to(logits)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """P∘(G − α·1ᵀ − 1·βᵀ), with the α and β that leave no change of any row's or column's sum."""
        (p,) = ctx.saved_tensors
        weighted = p * gradient.double()
        rows, columns = weighted.sum(-1), weighted.sum(-2)
        # α and β up to one constant, which the outer product of ones fixes. Sums are 1 up to CLOSE.
        size = p.shape[-1]
        system = torch.diag_embed(p.sum(-2)) - p.mT @ (p / p.sum(-1, keepdim=True)) + 1 / size
        beta = torch.linalg.solve(system, columns - (p.mT @ (rows / p.sum(-1))[..., None])[..., 0])
        alpha = (rows - (p @ beta[..., None])[..., 0]) / p.sum(-1)
        return (weighted - p * (alpha[..., :, None] + beta[..., None, :])).to(gradient)


class _Polar(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, latent: Tensor) -> Tensor:
        u, s, vh = torch.linalg.svd(latent)
        ctx.save_for_backward(u, s, vh)
        return u @ vh

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Divides by sums of singular values, where the derivative of the factors would divide by differences."""
        u, s, vh = ctx.saved_tensors
        inner = u.mT @ gradient @ vh.mT
        sums = (s[..., :, None] + s[..., None, :]).clamp(min=torch.finfo(s.dtype).eps)
        return u @ ((inner - inner.mT) / sums) @ vh
