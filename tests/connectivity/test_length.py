"""Lengths: closed forms and quadrature, whatever the grid; the chord; what counts."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from gnnmc.connectivity import BezierPath, LinearPath, PolygonalPath, profile
from gnnmc.models import build_model
from gnnmc.problem import Problem
from gnnmc.training import train
from gnnmc.weights import distance


def at(*values):
    return {"w": torch.tensor(values, dtype=torch.float64)}


def test_a_parabola_has_its_length_in_closed_form():
    # Control points (0, 0), (1, 2), (2, 0): x = 2t, y = 4t(1−t), so y = 2x − x², of length ∫₀² sqrt(1 + (2−2x)²) dx
    exact = (2 * math.sqrt(5) + math.asinh(2)) / 2
    curve = BezierPath(at(0.0, 0.0), at(1.0, 2.0), at(2.0, 0.0))
    for grid in ([0, 1], [0, 0.5, 1], np.linspace(0, 1, 25)):
        assert curve.arc_length(grid)[-1] == pytest.approx(exact, rel=1e-6)
    assert curve.arc_length([0, 0.5, 1])[1] == pytest.approx(exact / 2, rel=1e-6)
    assert curve.chord_length() == 2.0


@pytest.mark.parametrize("seed", range(5))
def test_a_bezier_curve_of_any_degree_has_the_length_of_quadrature(seed):
    points = np.random.default_rng(seed).normal(size=(3 + seed, 6))
    degree = len(points) - 1
    moves = degree * np.diff(points, axis=0)

    def speed(t):
        j = np.arange(degree)
        basis = [math.comb(degree - 1, k) * t**k * (1 - t) ** (degree - 1 - k) for k in j]
        return float(np.linalg.norm(basis @ moves))

    curve = BezierPath(*(at(*row) for row in points))
    assert curve.arc_length([0, 0.3, 1])[1] == pytest.approx(quad(speed, 0, 0.3, epsabs=1e-11)[0], rel=1e-6)
    assert curve.arc_length([0, 1])[-1] == pytest.approx(quad(speed, 0, 1, epsabs=1e-11)[0], rel=1e-6)


def test_a_curve_that_turns_back_is_as_long_as_both_ways():
    assert BezierPath(at(0.0), at(1.0), at(0.0)).arc_length([0, 1])[-1] == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize("count", [3, 4, 8])
def test_a_polygon_is_exact_on_any_grid(count):
    points = np.random.default_rng(count).normal(size=(count, 5))
    path = PolygonalPath(*(at(*row) for row in points))
    exact = np.linalg.norm(np.diff(points, axis=0), axis=1).sum()
    for grid in ([0, 1], [0, 0.37, 1], np.linspace(0, 1, 25)):
        assert path.arc_length(grid)[-1] == pytest.approx(exact, rel=1e-12)


def test_a_coordinate_has_its_own_length_whatever_is_asked_beside_it():
    line = LinearPath(at(0.0, 0.0), at(3.0, 4.0))
    np.testing.assert_allclose(line.arc_length([0.2, 0.5]), [1.0, 2.5], rtol=1e-12)
    assert line.chord_length() == 5.0


def test_a_profile_tells_both_lengths_over_the_parameters_that_count(toy_problem):
    model = build_model("gcn", toy_problem, norm="batch")
    a, b = train(model, toy_problem, seeds=[0, 1], epochs=3, device="cpu")
    middle = {name: value + 0.5 if value.is_floating_point() else value for name, value in a.last.items()}
    curve = BezierPath(a, middle, b)
    found, coarse = (profile(model, toy_problem, curve, points=n, device="cpu") for n in (9, 2))
    names = [name for name, _ in model.named_parameters()]
    assert found.chord_length == pytest.approx(distance(a.last, b.last, names), rel=1e-9)
    assert found.length == found.arc_length[-1] == pytest.approx(coarse.length, rel=1e-12)
    assert found.length > 1.2 * found.chord_length
    curve.unused = [names[0]]
    fewer = profile(model, toy_problem, curve, points=2, device="cpu")
    assert fewer.chord_length == pytest.approx(distance(a.last, b.last, names[1:]), rel=1e-9)
    assert fewer.length < found.length


def test_the_mean_excess_is_weighed_by_the_true_length():
    # On the polygon 0 → 3 → 1 with loss w² the piece of length 3 counts for 3/5, though both take half of t.
    problem = Problem.arrays(torch.ones(2, 1).double(), torch.zeros(2).double(), {"train": torch.arange(2)})
    model = torch.nn.Linear(1, 1, bias=False, dtype=torch.float64)
    path = PolygonalPath(*({"weight": torch.tensor([[w]], dtype=torch.float64)} for w in (0.0, 3.0, 1.0)))
    found = profile(model, problem, path, points=4001, device="cpu")

    def excess(t):
        w = 6 * t if t <= 0.5 else 3 - 4 * (t - 0.5)
        return w**2 - t

    exact = (quad(excess, 0, 0.5)[0] * 6 + quad(excess, 0.5, 1)[0] * 4) / 5
    assert found.barrier("integral") == pytest.approx(exact, rel=1e-6)
