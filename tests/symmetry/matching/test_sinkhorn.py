"""Matching by doubly stochastic relaxations: planted orders, nested and not, and the objectives of the paper."""

import pytest
import torch

from gnnmc.engine import ModelFunction
from gnnmc.models import build_model
from gnnmc.seeding import torch_generator
from gnnmc.symmetry import align, align_many, find_symmetry, random_element
from gnnmc.training import train
from gnnmc.weights import distance

OPTIONS = {
    "gcn": {"hidden": 12},
    "gat": {"hidden": 12, "heads": 3},
    "gcn with BatchNorm": {"hidden": 8, "layers": 3, "norm": "batch", "residual": True},
    "mlp": {"hidden": 10, "layers": 3},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_a_planted_order_is_recovered_by_distance(name, toy_problem):
    model = build_model(name.split()[0], toy_problem, **OPTIONS[name])
    a = train(model, toy_problem, seeds=[0], epochs=30, device="cpu")[0].weights
    symmetry = find_symmetry(model, toy_problem, device="cpu")
    b = random_element(symmetry, torch_generator(3), ["permutation"]).apply(symmetry, a)
    assert distance(a, b) > 3
    found = align(model, toy_problem, a, b, method="sinkhorn", distance=True, steps=60, device="cpu")
    moved = found.apply(b)
    # Running statistics are moved with the rest.
    assert all(torch.equal(moved[name], a[name]) for name in a)
    assert not found.element.matrices


@pytest.mark.parametrize("between", [(0.5, 0.5), (0.0, 1.0)])
def test_the_loss_on_the_line_falls(between, toy_problem):
    model = build_model("gcn", toy_problem, hidden=12)
    function = ModelFunction(model, toy_problem, "cpu")
    modes = train(model, toy_problem, seeds=[0, 1, 2], epochs=60, device="cpu")
    pairs = [(modes[0], modes[1]), (modes[0], modes[2])]
    found = align_many(model, toy_problem, pairs, method="sinkhorn", between=between, steps=80, device="cpu")

    def loss(a, b):
        middle = {name: (a[name] + b[name]) / 2 for name in a}
        return float(function.loss(middle, toy_problem.splits["train"]))

    for one, (a, b) in zip(found, pairs):
        assert loss(a.weights, one.apply(b.weights)) < 0.5 * loss(a.weights, b.weights)


def test_matrices_start_near_a_start_that_is_given_and_even_without(toy_problem):
    # With a rate that moves nothing, what is rounded at the end is the start.
    model = build_model("gcn", toy_problem, hidden=12)
    function = ModelFunction(model, toy_problem, "cpu")
    symmetry = find_symmetry(model, toy_problem, device="cpu")
    first = random_element(symmetry, torch_generator(3), ["permutation"])
    a, b = (
        {n: v + torch.randn(v.shape, generator=torch_generator(k)) for n, v in function.reference.items()}
        for k in (0, 1)
    )
    options = {"steps": 1, "lr": 1e-6, "distance": True, "method": "sinkhorn", "device": "cpu"}
    near = align(model, toy_problem, a, b, start=first, **options)
    assert torch.equal(near.element.orders["layers.0.lin.weight[0]"], first.orders["layers.0.lin.weight[0]"])
    even = align(model, toy_problem, a, b, **options)
    assert not torch.equal(even.element.orders["layers.0.lin.weight[0]"], torch.arange(12))
    assert even.after < even.before
