"""Refinement at the maximum: known landscapes, what is added, what is not, wrong use."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from torch import nn

from gnnmc.connectivity import BezierPath, LinearPath, profile
from gnnmc.connectivity.refine import REFINEMENTS, TOLERANCE, refine_grid
from gnnmc.errors import InputError
from gnnmc.models import build_model
from gnnmc.problem import Problem
from gnnmc.training import train
from gnnmc.weights import digest


class Shape(nn.Module):
    """One weight w in [0, 1]; the loss of item i is height(w)[i]²."""

    def __init__(self, height):
        super().__init__()
        self.w = nn.Parameter(torch.zeros((), dtype=torch.float64))
        self.height = height

    def forward(self, x):
        return self.height(self.w)


def problem(items=1):
    splits = {name: torch.tensor([i]) for i, name in enumerate(("train", "val", "test")[:items])}
    return Problem.arrays(torch.ones(items, 1).double(), torch.zeros(items).double(), splits)


LINE = LinearPath({"w": torch.tensor(0.0).double()}, {"w": torch.tensor(1.0).double()})


def bump(place, width):
    """Loss 1 + t + 2·exp(−((t − place)/width)²): the excess over the chord is the bump, less its ends."""
    return lambda w: (1 + w + 2 * torch.exp(-(((w - place) / width) ** 2))).sqrt().reshape(1)


def both(w):
    return torch.cat([bump(0.3137, 0.1)(w), bump(0.7, 0.15)(w)])


@pytest.mark.parametrize("place", [0.1234, 0.31, 0.5, 0.777])
@pytest.mark.parametrize("width", [0.04, 0.1, 0.3])
def test_the_maximum_of_a_known_landscape_is_found(place, width):
    def excess(t):
        height = [2 * np.exp(-(((s - place) / width) ** 2)) for s in (t, 0.0, 1.0)]
        return height[0] - (1 - t) * height[1] - t * height[2]

    around = (max(place - 1 / 24, 0), min(place + 1 / 24, 1))
    exact = minimize_scalar(lambda t: -excess(t), bounds=around, method="bounded", options={"xatol": 1e-10})
    grid, fine = (profile(Shape(bump(place, width)), problem(), LINE, refine=r, device="cpu") for r in (False, True))
    assert fine.peak() == pytest.approx(exact.x, abs=TOLERANCE)
    error, before = -exact.fun - fine.barrier(), -exact.fun - grid.barrier()
    assert -1e-12 <= error < 1e-4 * min(1, (0.02 / width) ** 2)
    assert error < before / 50 or before < 1e-6
    assert len(fine.t) == len(grid.t) + len(fine.refined)
    assert 0 < len(fine.refined) <= REFINEMENTS


def test_each_split_is_refined_at_its_own_maximum_and_all_have_all_points():
    found = profile(Shape(both), problem(2), LINE, points=11, refine=True, device="cpu")
    assert found.peak(split="train") == pytest.approx(0.3137, abs=2e-3)
    assert found.peak(split="val") == pytest.approx(0.7, abs=2e-3)
    for split, place, width in (("train", 0.3137, 0.1), ("val", 0.7, 0.15)):
        exact = 1 + found.t + 2 * np.exp(-(((found.t - place) / width) ** 2))
        np.testing.assert_allclose(found.along(split=split), exact, rtol=1e-12)
    assert (np.diff(found.t) > 0).all()
    np.testing.assert_allclose(found.arc_length, found.t, atol=1e-12)
    frame = found.frame()
    assert set(frame.t[frame.refined]) == set(found.refined)
    assert set(np.round(frame.t[~frame.refined], 12)) == set(np.round(np.linspace(0, 1, 11), 12))
    assert np.isfinite(found.barriers().barrier).all()


def test_what_the_grid_says_stays_bit_by_bit(toy_problem):
    model = build_model("gcn", toy_problem, norm="batch")
    path = BezierPath(*train(model, toy_problem, seeds=[0, 1, 2], epochs=5, device="cpu"))
    before = [digest(p) for p in path.control_points]
    plain, fine = (profile(model, toy_problem, path, points=7, refine=r, device="cpu") for r in (0, 3))
    grid = ~np.isin(fine.t, fine.refined)
    np.testing.assert_array_equal(fine.t[grid], plain.t)
    np.testing.assert_array_equal(fine.values[grid], plain.values)
    np.testing.assert_allclose(fine.arc_length[grid], plain.arc_length, rtol=1e-7)
    assert 0 < len(fine.refined) <= 9
    for split in fine.splits:
        assert fine.barrier(split=split) >= plain.barrier(split=split)
    # a refined point is as any other: its statistics are measured anew
    asked = profile(model, toy_problem, path, points=fine.t, device="cpu")
    np.testing.assert_allclose(fine.values, asked.values, atol=1e-7)
    assert [digest(p) for p in path.control_points] == before


@pytest.mark.parametrize("height", [lambda w: (1 + w).sqrt(), lambda w: w - 0.5, lambda w: 0 * w + 1])
def test_without_a_peak_nothing_is_added(height):
    found = profile(Shape(lambda w: height(w).reshape(1)), problem(), LINE, refine=True, device="cpu")
    assert len(found.refined) == 0
    assert found.barrier() == 0.0


def test_a_split_that_is_not_finite_is_left_as_it_is():
    def height(w):
        return torch.cat([bump(0.4, 0.1)(w), torch.where(w > 0.6, torch.nan, w).reshape(1)])

    found = profile(Shape(height), problem(2), LINE, refine=True, device="cpu")
    assert found.peak() == pytest.approx(0.4, abs=1e-3)
    assert np.isnan(found.barrier(split="val"))
    assert 0 < len(found.refined) <= REFINEMENTS


def test_a_value_that_is_not_finite_between_grid_points_is_no_maximum():
    t, added = np.linspace(0, 1, 5), []

    def measure(coords):
        added.extend(coords)
        return np.array([[[np.nan if 0.52 < c < 0.7 else 1 - (c - 0.45) ** 2]] for c in coords])

    found, values = refine_grid(t, np.array([[0.7], [0.9], [0.9975], [0.8], [0.6]]), 16, measure)
    assert min(abs(found - 0.45)) < 0.05
    assert found.tolist() == added
    assert len(values) == len(found)


def test_the_count_is_kept_and_a_finer_grid_needs_fewer():
    def added(**options):
        return len(profile(Shape(bump(0.31, 0.1)), problem(), LINE, device="cpu", **options).refined)

    assert [added(refine=n) for n in (False, 0, 1, 5, np.int64(5))] == [0, 0, 1, 5, 5]
    assert 0 < added(refine=True, points=201) < added(refine=True, points=25) <= REFINEMENTS
    assert added(refine=1000) < 20  # it ends where the maximum is known


@pytest.mark.parametrize("refine", [-1, 2.5, "yes", None, [1]])
def test_wrong_use_is_one_clear_line(refine):
    with pytest.raises(InputError, match=r"refine=.*: allowed: True, False, or how many points") as error:
        profile(Shape(bump(0.3, 0.1)), problem(), LINE, refine=refine, device="cpu")
    assert "\n" not in str(error.value)


curves = st.lists(st.floats(0.1, 10), min_size=3, max_size=12)


@settings(max_examples=60)
@given(curves, st.integers(0, 12), st.integers(3, 12))
def test_a_refined_barrier_is_never_lower(heights, most, points):
    knots = torch.linspace(0, 1, len(heights), dtype=torch.float64)

    def height(w):
        hats = (1 - (w - knots).abs() * (len(heights) - 1)).clamp(min=0)
        return (hats @ torch.tensor(heights, dtype=torch.float64)).sqrt().reshape(1)

    plain, fine = (profile(Shape(height), problem(), LINE, points=points, refine=r, device="cpu") for r in (0, most))
    assert fine.barrier() >= plain.barrier()
    assert fine.barrier("max_minus_max_ends") >= plain.barrier("max_minus_max_ends")
    assert len(fine.refined) <= most
    assert (np.diff(fine.t) > 0).all()
