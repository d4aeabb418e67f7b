"""Landscapes known in closed form: barriers along a line, a curve that must go around a hill, a tiny seeded run."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from gnnmc.connectivity import LinearPath, PolygonalPath, fit_path, profile
from gnnmc.models import build_model
from gnnmc.problem import Problem
from gnnmc.training import train

ONE = Problem.arrays(torch.ones(2, 1), torch.zeros(2), {"train": torch.tensor([0]), "test": torch.tensor([1])})


class Landscape(nn.Module):
    """A weight vector whose squared output is the loss: `height` gives the square root of the landscape."""

    def __init__(self, size):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(size, dtype=torch.float64))

    def forward(self, x):
        return self.height(self.w).expand(len(x)).to(x.dtype)


class DoubleWell(Landscape):
    """L(w) = (w² − 1)²: minima at ±1, a barrier of 1 between them at 0."""

    def height(self, w):
        return w[0] ** 2 - 1


class Hill(Landscape):
    """A hill of height 4 at the origin of the plane, exp-shaped, 0 far away: exp(−2‖w‖²)·4."""

    def height(self, w):
        return 2 * torch.exp(-(w**2).sum())


def at(*values):
    return {"w": torch.tensor(values, dtype=torch.float64)}


def test_a_double_well_has_a_barrier_of_one():
    found = profile(DoubleWell(1), ONE, LinearPath(at(-1.0), at(1.0)), points=25, device="cpu")
    exact = ((2 * found.t - 1) ** 2 - 1) ** 2
    for split in ("train", "test"):
        np.testing.assert_allclose(found.along("loss", split), exact, atol=1e-6)
        for kind in ("chord", "midpoint", "max_minus_mean_ends", "max_minus_max_ends", "chord_at_argmax"):
            assert found.barrier(kind, split=split) == pytest.approx(1.0, abs=1e-6)
    # ∫₀¹ ((2t−1)² − 1)² dt = 8/15; trapezoids on 241 points come close
    fine = profile(DoubleWell(1), ONE, LinearPath(at(-1.0), at(1.0)), points=241, device="cpu")
    assert fine.barrier("integral") == pytest.approx(8 / 15, abs=1e-4)
    assert found.barrier(metric="rmse") == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(found.arc_length, 2 * found.t, atol=1e-12)


def test_a_double_well_between_unequal_ends():
    # From the minimum at −1 to w = 2 with L(2) = 9: at t = 1/3 (w = 0) the chord is at 3 and the loss at 1.
    found = profile(DoubleWell(1), ONE, LinearPath(at(-1.0), at(2.0)), points=31, device="cpu")
    assert found.barrier() == pytest.approx(max(((3 * t - 1) ** 2 - 1) ** 2 - 9 * t for t in found.t), abs=1e-5)
    assert found.barrier("midpoint") == pytest.approx((0.5**2 - 1) ** 2 - 4.5, abs=1e-6)
    assert found.barrier("max_minus_max_ends") == pytest.approx(0.0, abs=1e-6)


def test_an_affine_loss_has_no_barrier():
    class Ramp(Landscape):
        def height(self, w):
            return torch.sqrt(w[0])

    found = profile(Ramp(1), ONE, LinearPath(at(1.0), at(3.0)), points=25, device="cpu")
    np.testing.assert_allclose(found.along(), 1 + 2 * found.t, atol=1e-6)
    for kind in ("chord", "midpoint", "integral"):
        assert found.barrier(kind) == pytest.approx(0.0, abs=1e-6)


def test_a_bowl_has_no_barrier():
    class Bowl(Landscape):
        def height(self, w):
            return torch.sqrt((w**2).sum())

    found = profile(Bowl(2), ONE, LinearPath(at(-3.0, 1.0), at(2.0, 2.0)), points=25, device="cpu")
    assert found.barrier() == 0.0
    assert found.barrier("midpoint") < -1


def test_the_line_over_a_hill_has_its_height():
    a, b = at(-2.0, 0.0), at(2.0, 0.0)
    found = profile(Hill(2), ONE, LinearPath(a, b), points=25, device="cpu")
    exact = 4 * np.exp(-2 * (4 * found.t - 2) ** 2)
    np.testing.assert_allclose(found.along(), exact, atol=1e-5)
    assert found.barrier() == pytest.approx(4 - 4 * math.exp(-8), abs=1e-5)


@pytest.mark.parametrize("kind, most", [("bezier", 0.2), ("polygonal", 0.4)])
def test_a_fitted_curve_goes_around_the_hill(kind, most):
    a, b = at(-2.0, 0.05), at(2.0, 0.05)  # a little off the axis, so that there is a downhill side
    line = profile(Hill(2), ONE, LinearPath(a, b), points=61, device="cpu")
    curve = fit_path(Hill(2), ONE, a, b, kind=kind, points=3, steps=600, lr=0.05, l2=0.0, device="cpu")
    around = profile(Hill(2), ONE, curve, points=61, device="cpu")
    assert line.barrier() > 3.9
    assert around.barrier() < most
    assert curve.control_points[1]["w"][1] > 1
    assert around.arc_length[-1] > line.arc_length[-1] + 0.5
    assert curve.record["loss"][-1] < 1.0


def test_weight_decay_pulls_the_curve_back_onto_the_hill():
    a, b = at(-2.0, 0.05), at(2.0, 0.05)
    heavy = fit_path(Hill(2), ONE, a, b, steps=600, lr=0.05, l2=100.0, device="cpu")
    assert profile(Hill(2), ONE, heavy, points=25, device="cpu").barrier() > 3.5
    assert abs(float(heavy.control_points[1]["w"][1])) < 0.5


def test_a_chain_over_known_points_is_known_piece_by_piece():
    path = PolygonalPath(at(-1.0), at(0.0), at(1.0))
    found = profile(DoubleWell(1), ONE, path, points=5, device="cpu")
    np.testing.assert_allclose(found.along(), [0, 0.5625, 1, 0.5625, 0], atol=1e-6)


# A tiny seeded run; the numbers were computed once by this code and are the same on every machine up to rounding.
GOLDEN = {
    "last train loss": [0.16785, 0.16126],
    "last test accuracy": [0.97778, 1.0],
    "best epoch": [15, 11],
    "line": {"train": 0.12821, "val": 0.11114, "test": 0.13217},
    "bezier": {"train": -0.0658, "val": -0.06414, "test": -0.06699},
}


def tiny_run(graph):
    problem = Problem.node_classification(graph)
    model = build_model("gcn", problem, hidden=8, dropout=0.2)
    modes = train(model, problem, seeds=[0, 1], epochs=15, lr=0.03, device="cpu")
    last = [mode.metrics[mode.metrics.endpoint == "last"].set_index("split") for mode in modes]
    line = profile(model, problem, LinearPath(*modes), points=11, device="cpu")
    curve = profile(model, problem, fit_path(model, problem, *modes, steps=60, device="cpu"), points=11, device="cpu")
    return {
        "last train loss": [float(rows.loc["train", "loss"]) for rows in last],
        "last test accuracy": [float(rows.loc["test", "accuracy"]) for rows in last],
        "best epoch": [int(mode.metrics[mode.metrics.endpoint == "best_val"].epoch.iloc[0]) for mode in modes],
        "line": {split: line.barrier(split=split) for split in line.splits},
        "bezier": {split: curve.barrier("midpoint", split=split) for split in curve.splits},
    }


def test_a_tiny_seeded_run_gives_the_committed_numbers(toy_graph):
    found = tiny_run(toy_graph)
    for name, expected in GOLDEN.items():
        assert found[name] == pytest.approx(expected, rel=1e-3, abs=1e-4), name


def test_the_tiny_run_repeats_bit_by_bit(toy_graph):
    assert tiny_run(toy_graph) == tiny_run(toy_graph)


def test_the_toy_data_is_the_one_the_numbers_were_computed_on(toy_graph):
    assert (toy_graph.edge_index.shape[1], round(float(toy_graph.x.sum()), 3)) == (804, 180.243)
