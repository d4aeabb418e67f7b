"""Projections of latent matrices and their derivatives, against finite differences and slow definitions."""

import itertools

import pytest
import torch

from gnnmc.symmetry.matching import projections
from gnnmc.symmetry.matching.projections import assigned, doubly_stochastic, permutation, rotation, sign


@pytest.fixture
def latent():
    return torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_the_assignment_is_the_best_of_all_orders(latent):
    orders = assigned(latent)
    assert orders.shape == (2, 3, 4)
    for matrix, order in zip(latent.flatten(0, 1), orders.flatten(0, 1)):
        totals = {one: float(matrix[range(4), one].sum()) for one in itertools.permutations(range(4))}
        assert tuple(order.tolist()) == max(totals, key=totals.get)


def test_a_permutation_is_hard_and_passes_its_gradient_through(latent):
    latent.requires_grad_()
    made = permutation(latent)
    assert torch.equal(made.detach().argmax(-1), assigned(latent))
    assert torch.equal(made.detach().sum(-1), torch.ones(2, 3, 4, dtype=torch.float64))
    weights = torch.arange(16.0, dtype=torch.float64).reshape(4, 4)
    (made * weights).sum().backward()
    assert torch.equal(latent.grad, weights.expand_as(latent))


def test_a_sign_is_hard_and_passes_its_gradient_through():
    latent = torch.tensor([0.3, -0.1, 0.0], requires_grad=True)
    made = sign(latent)
    assert made.tolist() == [1.0, -1.0, 1.0]
    (made * torch.tensor([2.0, 3.0, 4.0])).sum().backward()
    assert latent.grad.tolist() == [2.0, 3.0, 4.0]


@pytest.mark.parametrize("size", [1.0, 3.0])
def test_rows_and_columns_of_a_doubly_stochastic_matrix_sum_to_one(latent, size):
    made = doubly_stochastic(size * latent)
    assert bool((made > 0).all())
    assert made.sum(-1).sub(1).abs().max() < 1e-3
    assert made.sum(-2).sub(1).abs().max() < 1e-4


def test_its_gradient_is_that_of_the_limit(latent, monkeypatch):
    monkeypatch.setattr(projections, "ROUNDS", 5000)
    monkeypatch.setattr(projections, "CLOSE", 1e-13)
    assert torch.autograd.gradcheck(doubly_stochastic, latent.requires_grad_())


def test_huge_logits_give_numbers(latent):
    latent = (1e4 * latent).requires_grad_()
    made = doubly_stochastic(latent)
    made.square().sum().backward()
    assert bool(made.isfinite().all()) and bool(latent.grad.isfinite().all())


def test_the_nearest_rotation_is_orthogonal_and_its_gradient_exact(latent):
    made = rotation(latent)
    assert torch.allclose(made @ made.mT, torch.eye(4, dtype=torch.float64).expand_as(made))
    u, _, vh = torch.linalg.svd(latent)
    assert torch.allclose(made, u @ vh)
    assert torch.autograd.gradcheck(rotation, latent.requires_grad_())
    # Where all singular values are equal, as at every start: the derivative of the factors would be infinite.
    assert torch.autograd.gradcheck(rotation, torch.eye(4, dtype=torch.float64).requires_grad_())
