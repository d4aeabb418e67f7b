"""Learned matching: planted rotations, invertible maps, factors and orders, from near and from matching by weights."""

import pytest
import torch
from torch import nn

from gnnmc.engine import ModelFunction
from gnnmc.models import build_model
from gnnmc.problem import Problem
from gnnmc.seeding import torch_generator
from gnnmc.symmetry import Element, SymmetryClass, align, find_symmetry, random_element
from gnnmc.symmetry.centered import centered_basis
from gnnmc.symmetry.matching.latents import latents_of
from gnnmc.symmetry.matching.projections import permutation
from gnnmc.training import train
from gnnmc.weights import distance


class Stream(nn.Module):
    def __init__(self, norm):
        super().__init__()
        self.enter, self.one, self.up, self.down = nn.Linear(6, 8), norm(8), nn.Linear(8, 9), nn.Linear(9, 8)
        self.two, self.leave = norm(8), nn.Linear(8, 3)

    def forward(self, x):
        h = self.enter(x)
        h = h + self.down(torch.relu(self.up(self.one(h))))
        return self.leave(self.two(h))


class Product(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.leave = nn.Linear(6, 5, bias=False), nn.Linear(5, 8), nn.Linear(8, 3)

    def forward(self, x):
        return self.leave(torch.tanh(self.second(self.first(x))))


MODELS = {
    "RMSNorm": (lambda: Stream(nn.RMSNorm), SymmetryClass.ORTHOGONAL),
    "LayerNorm": (lambda: Stream(nn.LayerNorm), SymmetryClass.ORTHOGONAL),
    "product": (Product, SymmetryClass.INVERTIBLE),
}


@pytest.fixture(autouse=True)
def seed():
    with torch.random.fork_rng():
        torch.manual_seed(0)  # of models as they are made
        yield


@pytest.fixture(scope="module")
def points():
    x, y = torch.randn(60, 6, generator=torch.Generator().manual_seed(0)), torch.arange(60) % 3
    x[torch.arange(60), y] += 1
    return Problem.arrays(x, y, {"train": torch.arange(60)})


def near_identity(symmetry, kind, size):
    """A small rotation, or invertible map, of every group that has them."""
    matrices = {}
    for group in symmetry.moving(kind):
        change = size * torch.randn(group.size, group.size, generator=torch_generator(2), dtype=torch.float64)
        if kind is SymmetryClass.ORTHOGONAL:
            change = change - change.T
        if group.centered:
            basis = centered_basis(group.size)
            change = basis @ (basis.T @ change @ basis) @ basis.T
        matrices[group.name] = torch.matrix_exp(change)
    return Element(matrices=matrices)


@pytest.mark.parametrize("name", MODELS)
def test_a_planted_matrix_is_recovered_from_near(name, points):
    make, kind = MODELS[name]
    model = make()
    function = ModelFunction(model, points, "cpu")
    a = train(make, points, seeds=[0], epochs=20, device="cpu")[0].weights
    symmetry = find_symmetry(model, points, device="cpu")
    planted = random_element(symmetry, torch_generator(1), [kind])
    b = planted.apply(symmetry, a)
    first = planted.inverse(symmetry).then(near_identity(symmetry, kind, 0.05), symmetry)
    assert distance(a, first.apply(symmetry, b)) > 0.2
    options = {"distance": True, "lr": 0.01, "steps": 300, "weight_decay": 0.0, "classes": [kind]}
    found = align(model, points, a, b, method="learned", start=first, device="cpu", **options)
    moved = found.apply(b)
    assert distance(a, moved) < 1e-4
    assert float((function(moved) - function(b)).abs().max()) < 1e-4


@pytest.mark.parametrize("name", MODELS)
def test_the_loss_falls_by_matrices_and_outputs_stay(name, points):
    make, kind = MODELS[name]
    model = make()
    function = ModelFunction(model, points, "cpu")
    a, b = (mode.weights for mode in train(make, points, seeds=[0, 1], epochs=60, device="cpu"))
    found = align(model, points, a, b, method="learned", start=None, classes=[kind], lr=0.03, device="cpu")
    moved = found.apply(b)

    def loss(b):
        middle = {name: (a[name] + b[name]) / 2 for name in a}
        return float(function.loss(middle, points.splits["train"]))

    assert loss(moved) < 0.9 * loss(b)
    assert float((function(moved) - function(b)).abs().max()) < 1e-3
    assert all(float(torch.linalg.cond(one)) < 500 for one in found.element.matrices.values())


def test_planted_factors_and_orders_are_recovered(toy_problem):
    model = build_model("gcn", toy_problem, hidden=10)
    a = train(model, toy_problem, seeds=[0], epochs=20, device="cpu")[0].weights
    symmetry = find_symmetry(model, toy_problem, device="cpu")
    planted = random_element(symmetry, torch_generator(5), ["permutation", "scaling"])
    assert planted.scales
    b = planted.apply(symmetry, a)
    options = {"distance": True, "lr": 0.03, "steps": 400, "weight_decay": 0.0, "start": None}
    found = align(model, toy_problem, a, b, method="learned", device="cpu", **options)
    assert distance(a, found.apply(b)) < 1e-4 < distance(a, b)


def test_the_start_is_matching_by_weights(toy_problem):
    model = build_model("gcn", toy_problem, hidden=10)
    a = train(model, toy_problem, seeds=[0], epochs=20, device="cpu")[0].weights
    symmetry = find_symmetry(model, toy_problem, device="cpu")
    b = random_element(symmetry, torch_generator(5), ["permutation"]).apply(symmetry, a)
    options = {"classes": ["permutation"], "device": "cpu", "steps": 1, "lr": 1e-6}
    assert distance(a, align(model, toy_problem, a, b, method="learned", **options).apply(b)) == 0


@pytest.mark.parametrize("name", MODELS)
def test_latents_stand_for_the_identity_at_first_and_cannot_degenerate(name, points):
    make, _ = MODELS[name]
    model = make()
    symmetry = find_symmetry(model, points, device="cpu")
    latents = latents_of(symmetry, 2, torch.device("cpu"), permutation, lambda size: 0.03)
    weights = model.state_dict()
    for element in latents.exact_elements():
        moved = element.apply(symmetry, weights)
        assert all(torch.allclose(moved[name], weights[name], atol=1e-6) for name in weights)
    with torch.no_grad():
        for leaf in latents.leaves:
            leaf += 100 * torch.randn(leaf.shape, generator=torch_generator(3))
    # Relaxed and exact elements are the same: the former for gradients, the latter to keep.
    for soft, exact in zip(latents.elements(), latents.exact_elements()):
        ours, theirs = soft.apply(latents.relaxed, weights), exact.apply(symmetry, weights)
        assert all(torch.allclose(ours[name], theirs[name], rtol=1e-3, atol=1e-3) for name in weights)
        assert all(float(torch.linalg.cond(one)) < 500 for one in exact.matrices.values())
        assert all(float(one.min()) > 0.04 and float(one.max()) < 25 for one in exact.scales.values())
