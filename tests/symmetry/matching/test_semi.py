"""Semi-permutations at equal width: dead units make room for shares of live ones."""

import pytest
import torch
from torch import nn

from gnnmc.engine import ModelFunction
from gnnmc.problem import Problem
from gnnmc.symmetry import align
from gnnmc.weights import digest, distance


class Hidden(nn.Module):
    def __init__(self):
        super().__init__()
        self.enter, self.leave = nn.Linear(6, 5), nn.Linear(5, 3)

    def forward(self, x):
        return self.leave(torch.relu(self.enter(x)))


X = torch.randn(60, 6, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def points():
    return Problem.arrays(X, torch.arange(60) % 3, {"train": torch.arange(40), "test": torch.arange(40, 60)})


@pytest.fixture
def pair():
    """a has two units of one kind, of which b has one with both their readers, and a dead unit."""
    torch.manual_seed(0)
    a = {name: value.clone() for name, value in Hidden().state_dict().items()}
    a["enter.weight"][1], a["enter.bias"][1] = a["enter.weight"][0], a["enter.bias"][0]
    a["leave.weight"][:, 1] = 0.5 * a["leave.weight"][:, 0]
    b = {name: value.clone() for name, value in a.items()}
    b["leave.weight"][:, 0] *= 1.5
    b["enter.weight"][1], b["enter.bias"][1] = 0.1, -9.0
    return a, b


def test_a_merged_unit_is_split_again(points, pair):
    a, b = pair
    model = Hidden()
    function = ModelFunction(model, points, "cpu")
    before = digest(a), digest(b)
    found = align(model, points, a, b, method="semi", start=None, device="cpu")
    moved = found.apply(b)
    assert distance(a, moved) < 1e-5 < 5 < distance(a, b)
    assert torch.allclose(function(moved), function(b), atol=1e-5)
    assert torch.allclose(found.element.shares["enter.weight[0]"].sort().values[:2], torch.tensor([1, 2]).double() / 3)
    assert (digest(a), digest(b)) == before


def test_a_unit_that_lives_on_one_item_of_any_split_is_not_dead(points, pair):
    a, b = pair
    b["enter.weight"][1], b["enter.bias"][1] = X[-1], -0.9 * float(X[-1] @ X[-1])
    assert int((X @ X[-1] > 0.9 * float(X[-1] @ X[-1])).sum()) == 1
    function = ModelFunction(Hidden(), points, "cpu")
    found = align(Hidden(), points, a, b, method="semi", start=None, device="cpu")
    assert not found.element.shares
    assert torch.equal(function(found.apply(b)), function(b))


def test_without_the_class_or_the_need_the_start_stays(points, pair):
    a, b = pair
    for classes, moving in ((["permutation"], b), (["permutation", "semi"], a)):
        found = align(Hidden(), points, a, moving, method="semi", classes=classes, device="cpu")
        assert not found.element.shares


def test_it_can_be_what_learned_matching_starts_from(points, pair):
    a, b = pair
    function = ModelFunction(Hidden(), points, "cpu")
    found = align(Hidden(), points, a, b, method="learned", start="semi", steps=20, lr=0.01, device="cpu")
    assert found.element.shares
    assert torch.allclose(function(found.apply(b)), function(b), atol=1e-5)
