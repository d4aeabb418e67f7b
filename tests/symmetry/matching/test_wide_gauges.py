"""Matching by weights never moves b away from a, however far γ of the norms is from 1, and keeps what b computes."""

import pytest
import torch
from torch import nn

import gnnmc
from gnnmc.data.images import load_images
from gnnmc.engine import ModelFunction
from gnnmc.symmetry import SymmetryClass, align, align_many
from gnnmc.weights import distance
from tests.symmetry.zoo import problem_of

NOT_SEMI = [kind for kind in SymmetryClass if kind is not SymmetryClass.SEMI]
COMBINATIONS = [
    ["permutation"],
    ["orthogonal"],
    ["permutation", "orthogonal"],
    ["permutation", "signed", "orthogonal"],
    ["permutation", "scaling", "orthogonal"],
    ["permutation", "invertible"],
    ["permutation", "orthogonal", "invertible"],
    NOT_SEMI,
]


class Stream(nn.Module):
    """A residual stream, a head of attention and an MLP, each behind a norm."""

    def __init__(self, norm, width=8):
        super().__init__()
        self.enter = nn.Linear(8, width)
        self.first, self.second, self.third = norm(width), norm(width), norm(width)
        self.queries, self.keys, self.values = (nn.Linear(width, 4) for _ in range(3))
        self.out = nn.Linear(4, width)
        self.up, self.down = nn.Linear(width, 12), nn.Linear(12, width)
        self.leave = nn.Linear(width, 3)

    def forward(self, x):
        h = self.enter(x)
        z = self.first(h)
        scores = torch.softmax(self.queries(z) @ self.keys(z).T / 2, -1)
        h = h + self.out(scores @ self.values(z))
        h = h + self.down(torch.relu(self.up(self.second(h))))
        return self.leave(self.third(h))


NORMS = {"layer": nn.LayerNorm, "rms": nn.RMSNorm}
GAMMAS = ["first.weight", "second.weight", "third.weight"]


def drawn(function, seed, spread):
    """Weights near the model's own, γ spread around 1."""
    generator = torch.Generator().manual_seed(seed)
    found = {name: v + 0.3 * torch.randn(v.shape, generator=generator) for name, v in function.reference.items()}
    return found | {name: 1 + spread * torch.randn(found[name].shape, generator=generator) for name in GAMMAS}


@pytest.mark.parametrize("classes", COMBINATIONS, ids=" ".join)
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("spread", [0.4, 1.0])
def test_it_never_falls_and_outputs_stay(norm, classes, spread):
    torch.manual_seed(0)
    model, problem = Stream(NORMS[norm]), problem_of("nodes")
    function = ModelFunction(model, problem, "cpu")
    pairs = [(drawn(function, 2 * k, spread), drawn(function, 2 * k + 1, spread)) for k in range(2)]
    for (a, b), one in zip(pairs, align_many(model, problem, pairs, classes=classes, device="cpu"), strict=True):
        moved = one.apply(b)
        assert distance(a, moved) == pytest.approx(one.after)
        assert one.after <= one.before
        before = function(b)
        torch.testing.assert_close(function(moved), before, rtol=1e-4, atol=1e-4 * float(before.abs().max()))


@pytest.mark.parametrize("norm", NORMS)
def test_more_classes_are_no_worse_than_permutations_alone(norm):
    torch.manual_seed(0)
    model, problem = Stream(NORMS[norm]), problem_of("nodes")
    function = ModelFunction(model, problem, "cpu")
    pairs = [(drawn(function, 2 * k, 0.4), drawn(function, 2 * k + 1, 0.4)) for k in range(4)]

    def after(classes):
        return [one.after for one in align_many(model, problem, pairs, classes=classes, device="cpu")]

    alone, turned, every = after(["permutation"]), after(["permutation", "orthogonal"]), after(NOT_SEMI)
    assert all(more <= less for more, less in zip(turned, alone, strict=True))
    assert all(more <= less for more, less in zip(every, alone, strict=True))
    assert sum(turned) < 0.97 * sum(alone)


def test_a_gauge_of_exactly_zero_is_no_reason_to_give_up():
    torch.manual_seed(0)
    model, problem = Stream(nn.LayerNorm), problem_of("nodes")
    function = ModelFunction(model, problem, "cpu")
    a, b = drawn(function, 0, 0.4), drawn(function, 1, 0.4)
    b["first.weight"][3] = 0
    alone, turned = (align(model, problem, a, b, classes=one, device="cpu") for one in COMBINATIONS[:3:2])
    assert turned.after <= alone.after < alone.before
    torch.testing.assert_close(function(turned.apply(b)), function(b), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("norm", NORMS)
def test_a_planted_rotation_is_found_behind_wide_gauges(norm):
    # b is a in another basis, and with each γ of its own.
    torch.manual_seed(0)
    model, problem = Stream(NORMS[norm]), problem_of("nodes")
    function = ModelFunction(model, problem, "cpu")
    a = drawn(function, 0, 0.4)
    a |= {name: torch.zeros_like(value) for name, value in a.items() if name.replace("bias", "weight") in GAMMAS} | {
        name: a[name] for name in GAMMAS
    }
    symmetry = gnnmc.find_symmetry(model, problem, device="cpu")
    moved = gnnmc.symmetry.random_element(symmetry, torch.Generator().manual_seed(1), ["orthogonal"])
    b = moved.apply(symmetry, a)
    factors = {name: 0.3 + torch.rand(8, generator=torch.Generator().manual_seed(2)).double() for name in GAMMAS}
    scales = {s: factors[tensor] for group in symmetry.groups.values() for s, tensor in group.gauges}
    b = gnnmc.symmetry.Element(scales=scales).apply(symmetry, b)
    found = align(model, problem, a, b, classes=["permutation", "orthogonal"], device="cpu")
    assert found.before > 5
    assert found.after < 1e-4 * found.before


def test_rotations_bring_trained_vits_nearer_than_orders_alone():
    images = load_images("digits", limit=400)
    problem = gnnmc.Problem.arrays(images.x, images.y, images.splits)
    model = gnnmc.build_model("vit", problem, hidden=64, layers=2, dropout=0)
    a, b = gnnmc.train(model, problem, seeds=[0, 1], epochs=5, lr=0.003, batch_size=64, device="cpu")
    alone, turned = (align(model, problem, a, b, classes=one, device="cpu") for one in COMBINATIONS[:3:2])
    assert turned.after < 0.95 * alone.after
