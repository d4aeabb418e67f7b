"""γ of the norms and the factors of ReLU units, against planted elements."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from gnnmc.engine import ModelFunction
from gnnmc.models import build_model
from gnnmc.problem import Problem
from gnnmc.seeding import torch_generator
from gnnmc.symmetry import Element, SymmetryClass, random_element
from gnnmc.symmetry.find import read
from gnnmc.symmetry.matching.scaling import match_gauge_signs, match_scales, nearest_factors
from gnnmc.weights import distance


def jittered(function, seed):
    """Weights in general position: γ of both signs are left to the tests that want them."""
    generator = torch_generator("test", seed)
    return {
        name: value + 0.2 * torch.randn(value.shape, generator=generator) if value.is_floating_point() else value
        for name, value in function.reference.items()
    }


class Normed(nn.Module):
    """A residual stream with two norms of one kind, and linear maps."""

    def __init__(self, norm, heads=4):
        super().__init__()
        self.enter = nn.Linear(8, 12)
        self.first, self.second = norm(12), norm(12)
        self.inner = nn.Linear(12, 12)
        self.leave = nn.Linear(12, 3)

    def forward(self, x):
        x = self.enter(x)
        x = x + self.inner(self.first(x))
        return self.leave(self.second(x))


@pytest.fixture(scope="module")
def points():
    generator = torch.Generator().manual_seed(5)
    y = torch.arange(40) % 3
    splits = {name: torch.arange(40) for name in ("train", "val", "test")}
    return Problem.arrays(torch.randn(40, 8, generator=generator), y, splits)


def of(model, problem):
    found = read(ModelFunction(model, problem, "cpu"))
    return found.function, found.symmetry


@pytest.mark.parametrize("norm", [nn.LayerNorm, nn.RMSNorm])
def test_gauges_alone_are_undone_and_outputs_stay(points, norm):
    torch.manual_seed(0)
    function, symmetry = of(Normed(norm), points)
    a = jittered(function, 1)
    gauges = [scaling for group in symmetry.groups.values() for scaling, _ in group.gauges]
    assert len(gauges) == 2
    scales = {name: 0.5 + torch.rand(12, generator=torch_generator("s", 0)).double() for name in gauges}
    b = Element(scales=scales).apply(symmetry, a)
    before = {name: value.clone() for name, value in b.items()}
    element = match_scales(symmetry, a, b, counted(function), scalings=gauges)
    moved = element.apply(symmetry, b)
    assert distance(a, moved) < 1e-5 < distance(a, b)
    assert torch.allclose(function(moved), function(b), rtol=1e-4, atol=1e-5)
    assert all(torch.equal(b[name], before[name]) for name in b)


def test_gauges_near_zero_give_no_factor_without_end(points):
    function, symmetry = of(Normed(nn.LayerNorm), points)
    a, b = jittered(function, 1), jittered(function, 2)
    a["first.weight"][2] = 1e-9
    b["first.weight"][5] = 0.0
    b["second.weight"][7] = -1e-4
    moved = match_scales(symmetry, a, b, counted(function)).apply(symmetry, b)
    assert float(moved["first.weight"][5]) == 0.0
    assert all(bool(value.isfinite().all()) for value in moved.values())
    assert distance(a, moved) <= distance(a, b)
    assert float((function(moved) - function(b)).abs().max()) < 1e-4


def test_a_gauge_of_the_other_sign_is_turned_where_signs_may_be_and_left_where_not(points):
    function, symmetry = of(Normed(nn.LayerNorm), points)
    a = jittered(function, 1)
    b = dict(a)
    for name in ("first.weight", "first.bias"):
        b[name] = a[name].clone()
        b[name][3] *= -1
    b["inner.weight"] = a["inner.weight"].clone()
    b["inner.weight"][:, 3] *= -1
    element = match_gauge_signs(symmetry, a, b, counted(function))
    (sign,) = element.signs.values()
    assert sign.tolist() == [1, 1, 1, -1, *[1] * 8]
    assert distance(a, element.apply(symmetry, b)) == 0 < distance(a, b)
    without = symmetry.restricted([SymmetryClass.SCALING, SymmetryClass.ORTHOGONAL])
    assert not match_gauge_signs(without, a, b, counted(function)).signs


def test_where_nothing_is_rotated_no_gauge_is_touched(points):
    function, symmetry = of(Normed(nn.LayerNorm), points)
    a, b = jittered(function, 1), jittered(function, 2)
    alone = symmetry.restricted([SymmetryClass.PERMUTATION])
    assert not match_scales(alone, a, b, counted(function)).scales
    assert not match_gauge_signs(alone, a, b, counted(function)).signs


def counted(function):
    return [name for name in function.parameter_names if name not in function.tied]


@pytest.mark.parametrize("name", ["gcn", "sage", "gat", "mlp"])
def test_planted_factors_are_undone(toy_graph, name):
    problem = Problem.node_classification(toy_graph)
    function, symmetry = of(build_model(name, problem, hidden=16, layers=3), problem)
    assert symmetry.scalings
    a = jittered(function, 1)
    b = random_element(symmetry, torch_generator("plant", 0), ["scaling"]).apply(symmetry, a)
    before = {key: value.clone() for key, value in b.items()}
    found = match_scales(symmetry, a, b, counted(function), rounds=200)
    moved = found.apply(symmetry, b)
    assert max(float((moved[key] - a[key]).abs().max()) for key in a) < 1e-4
    assert all(torch.equal(b[key], before[key]) for key in b)


@pytest.mark.parametrize("name", ["gcn", "gat", "gcnii"])
def test_factors_never_take_a_mode_farther_away_and_leave_its_outputs(toy_graph, name):
    problem = Problem.node_classification(toy_graph)
    function, symmetry = of(build_model(name, problem, hidden=16, layers=3), problem)
    for seed in range(6):
        a, b = jittered(function, seed), jittered(function, seed + 10)
        # Far apart in size as well: where a scaling is on both axes of a tensor, whole steps go too far.
        b = {key: value * (1 + seed) for key, value in b.items()}
        found = match_scales(symmetry, a, b, counted(function))
        moved = found.apply(symmetry, b)
        assert distance(a, moved, counted(function)) <= distance(a, b, counted(function))
        assert bool(found.scales) == bool(symmetry.scalings)
        assert float((function(moved) - function(b)).abs().max()) < 1e-4 * float(function(b).abs().max())


def test_whole_steps_that_go_too_far_are_halved(toy_graph):
    # The factors of GCNII's stream are on both axes of its matrices. Where these join one half of the units to the
    # other only, and little else holds the factors, all at once go twice as far as they should.
    problem = Problem.node_classification(toy_graph)
    function, symmetry = of(build_model("gcnii", problem, hidden=16, layers=3), problem)
    half = torch.arange(16) < 8
    joined = (half[:, None] != half[None, :]).float()
    a = {name: value * (joined if "weight1" in name else 0.001) for name, value in jittered(function, 1).items()}
    b = random_element(symmetry, torch_generator("plant", 0), ["scaling"]).apply(symmetry, a)
    reached = [
        distance(a, match_scales(symmetry, a, b, counted(function), rounds=rounds).apply(symmetry, b))
        for rounds in range(12)
    ]
    assert all(later <= before for before, later in pairwise(reached))
    assert reached[-1] < 0.5 * reached[0]


def test_factors_solve_the_polynomial():
    # One unit, written by 2·a and read by a / 2: the factor is 1/2. Then one that only is written, one that nothing is.
    inner = [torch.tensor([1.0, 3.0, 0.0]).double(), torch.tensor([1.0, 0.0, 0.0]).double()]
    squares = [torch.tensor([2.0, 4.0, 0.0]).double(), torch.tensor([0.5, 0.0, 0.0]).double()]
    assert nearest_factors(inner, squares, [1, -1]).tolist() == pytest.approx([0.5, 0.75, 1.0])


@pytest.mark.parametrize("exponents", [[1, -1], [1, -2], [2, -1], [1, 2, -3]])
def test_factors_are_the_best_of_a_fine_grid(exponents):
    generator = torch.Generator().manual_seed(3)
    inner = [torch.randn(30, generator=generator).double() for _ in exponents]
    squares = [torch.rand(30, generator=generator).double() + 0.1 for _ in exponents]

    def value(s):
        return sum(-2 * c * s**e + g * s ** (2 * e) for c, g, e in zip(inner, squares, exponents))

    reached = value(nearest_factors(inner, squares, exponents))
    grid = torch.logspace(-3, 3, 4000, dtype=torch.float64)
    best = torch.stack([value(s) for s in grid]).min(0).values
    assert bool((reached <= best + 1e-9).all())
