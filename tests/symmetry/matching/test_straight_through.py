"""Matching by a straight-through estimator: planted orders, and losses below those of matching by weights."""

import pytest
import torch

from gnnmc.engine import ModelFunction
from gnnmc.models import build_model
from gnnmc.seeding import torch_generator
from gnnmc.symmetry import align, align_many, find_symmetry, random_element
from gnnmc.symmetry.matching.straight_through import _give
from gnnmc.training import train
from gnnmc.weights import distance

OPTIONS = {"gcn": {"hidden": 12}, "gat": {"hidden": 12, "heads": 3}, "mlp": {"hidden": 10, "layers": 3}}


def midpoint_loss(function, a, b):
    middle = {name: (a[name] + b[name]) / 2 if a[name].is_floating_point() else a[name] for name in a}
    return float(function.loss(middle, function.problem.splits["train"], training=True, dropout=False))


@pytest.mark.parametrize("name", OPTIONS)
def test_a_planted_order_is_found_and_left_only_for_a_lower_loss(name, toy_problem):
    model = build_model(name, toy_problem, **OPTIONS[name])
    function = ModelFunction(model, toy_problem, "cpu")
    a = train(model, toy_problem, seeds=[0], epochs=30, device="cpu")[0].weights
    symmetry = find_symmetry(model, toy_problem, device="cpu")
    b = random_element(symmetry, torch_generator(3), ["permutation"]).apply(symmetry, a)
    assert distance(a, b) > 3
    assert distance(a, align(model, toy_problem, a, b, method="ste", steps=1, device="cpu").apply(b)) == 0
    first = random_element(symmetry, torch_generator(4), ["permutation"])
    assert distance(a, align(model, toy_problem, a, b, method="ste", start=first, steps=1, device="cpu").apply(b)) == 0
    found = align(model, toy_problem, a, b, method="ste", steps=20, device="cpu").apply(b)
    assert midpoint_loss(function, a, found) <= midpoint_loss(function, a, a) + 1e-6


def test_the_loss_falls_below_that_of_matching_by_weights(toy_problem):
    model = build_model("gcn", toy_problem, hidden=8, layers=3, norm="batch", residual=True)
    function = ModelFunction(model, toy_problem, "cpu")
    modes = train(model, toy_problem, seeds=[0, 1, 2], epochs=60, device="cpu")
    pairs = [(modes[0], modes[1]), (modes[0], modes[2])]
    losses = {}
    for method in ("weights", "ste"):
        found = align_many(model, toy_problem, pairs, method=method, device="cpu")
        moved = [(a.weights, one.apply(b.weights)) for one, (a, b) in zip(found, pairs)]
        losses[method] = [midpoint_loss(function, *ends) for ends in moved]
    assert all(ours <= theirs + 1e-6 for ours, theirs in zip(losses["ste"], losses["weights"]))
    assert losses["ste"][0] < 0.8 * losses["weights"][0]


def test_latent_weights_of_a_lost_pair_stay_where_they_are():
    latents = [{"w": torch.ones(2)}, {"w": torch.ones(2)}]
    gradients = [{"w": torch.full((2,), 3.0)}, {"w": torch.full((2,), torch.nan)}]
    _give(latents, gradients, torch.tensor([0.5, torch.inf]))
    assert latents[0]["w"].grad.tolist() == [3, 3]
    assert latents[1]["w"].grad.tolist() == [0, 0]
