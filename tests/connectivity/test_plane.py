"""The plane through three points: its frame, its points, paths on it, and known landscapes over it."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gnnmc.connectivity import BezierPath, LinearPath, Plane, PolygonalPath, plane
from gnnmc.engine import ModelFunction, reestimate_batchnorm
from gnnmc.errors import InputError
from gnnmc.models import build_model
from gnnmc.problem import Problem
from gnnmc.training import train
from gnnmc.weights import Mode, digest, distance

seeds, numbers = st.integers(0, 2**32), st.floats(-3, 3)
ONE = Problem.arrays(
    torch.ones(2, 1).double(), torch.zeros(2).double(), {"train": torch.tensor([0]), "test": torch.tensor([1])}
)


class Bowl(nn.Module):
    """Loss ‖w‖² on the train item and 4‖w‖² on the test item."""

    def __init__(self, size=3):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(size, dtype=torch.float64))

    def forward(self, x):
        return (self.w**2).sum().sqrt() * torch.tensor([1.0, 2.0], dtype=torch.float64)


def at(*values):
    return {"w": torch.tensor(values, dtype=torch.float64)}


def weights(seed, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return {
        "w": torch.randn(4, 3, generator=generator, dtype=dtype),
        "running_var": torch.rand(2, generator=generator, dtype=dtype),
        "steps": torch.tensor(seed),
    }


def trio(seed, dtype=torch.float32):
    return [weights((seed + j) % 2**32, dtype) for j in range(3)]


@given(seeds, st.sampled_from([torch.float32, torch.float64]))
def test_the_three_points_are_reproduced_bit_by_bit_buffers_included(seed, dtype):
    three = trio(seed, dtype)
    surface = Plane(*three)
    np.testing.assert_array_equal(surface.coefficients(surface.positions), np.eye(3))
    for position, point in zip(surface.positions, three, strict=True):
        assert digest(surface.point(position)) == digest(point)
        for name, value in surface.point(position).items():
            assert (value.dtype, value.shape) == (point[name].dtype, point[name].shape)


@given(seeds, st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6))
def test_coefficients_sum_to_one_and_coordinates_are_distances(seed, coords):
    surface = Plane(*trio(seed, torch.float64))
    np.testing.assert_allclose(surface.coefficients(coords).sum(1), 1, atol=1e-12)
    points = [surface.point(pair) for pair in coords]
    for pair, point in zip(coords, points, strict=True):
        assert distance(points[0], point) == pytest.approx(np.linalg.norm(np.subtract(coords[0], pair)), abs=1e-9)


@given(seeds, st.lists(numbers, min_size=2, max_size=2))
def test_projection_finds_what_is_on_the_plane_and_how_far_off_the_rest_is(seed, pair):
    surface = Plane(*trio(seed, torch.float64), names=["w"])
    off = weights((seed + 9) % 2**32, torch.float64)
    (on, away), left = surface.project([surface.point(pair), off])
    np.testing.assert_allclose(on, pair, atol=1e-9)
    assert left[0, 0] < 1e-18
    # by least squares instead: what no combination of the two directions reaches
    a, b, c = (point["w"].flatten().numpy() for point in surface.control_points)
    directions, target = np.stack([b - a, c - a], axis=1), off["w"].flatten().numpy() - a
    rest = target - directions @ np.linalg.lstsq(directions, target, rcond=None)[0]
    assert left[1, 1] == pytest.approx(float(rest @ rest), rel=1e-9)
    assert distance(surface.point(away), off, ["w"]) ** 2 == pytest.approx(float(rest @ rest), rel=1e-9)


def test_a_frame_by_hand():
    surface = Plane(at(1.0, 1.0, 5.0), at(1.0, 5.0, 5.0), at(4.0, 3.0, 5.0))
    np.testing.assert_allclose(surface.positions, [[0, 0], [4, 0], [2, 3]], rtol=1e-15)
    torch.testing.assert_close(surface.point((1.0, -6.0))["w"], torch.tensor([-5.0, 2.0, 5.0]).double())


def test_entries_that_are_not_floating_point_are_those_of_the_nearest_point():
    surface = Plane(*trio(0))
    for j, (x, y) in enumerate(surface.positions):
        assert surface.point((x + 0.1, y - 0.1))["steps"] == j
    assert surface.point((surface.positions[1, 0] / 2, 0.0))["steps"] == 0 or surface.positions[2, 1] < 1


@pytest.mark.parametrize(
    "three, message",
    [
        ((at(1.0, 2.0), at(1.0, 2.0), at(0.0, 0.0)), "the first and second points of the plane are equal"),
        ((at(1.0, 2.0), at(0.0, 0.0), at(1.0, 2.0)), "the first and third points of the plane are equal"),
        ((at(1.0, 2.0), at(0.0, 0.0), at(0.0, 0.0)), "the last two points of the plane are equal"),
        ((at(0.0, 0.0), at(1.0, 1.0), at(3.0, 3.0)), "lie on one line: give a third point off the line"),
        ((at(0.0, 0.0), at(1.0, 1.0), at(0.5, 0.50001)), "lie on one line"),
        ((at(0.0, 0.0), at(1.0, np.nan), at(3.0, 3.0)), "the second point has weights that are not finite"),
        ((at(0.0, 0.0), at(1.0, 1.0), at(3.0)), r"w: \(2,\) in the first point, \(1,\) in the third point"),
        (({}, at(1.0, 1.0), at(3.0)), "expected a Mode or a non-empty state_dict"),
    ],
)
def test_three_points_that_span_no_plane_are_refused(three, message):
    with pytest.raises(InputError, match=message) as error:
        Plane(*three)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("coords", [[0.0, 1.0], [[0.0, 1.0, 2.0]], [[0.0, np.nan]]])
def test_coordinates_are_pairs(coords):
    with pytest.raises(InputError, match=r"expected finite \(x, y\), shape \(T, 2\)"):
        Plane(*trio(0)).coefficients(coords)
    with pytest.raises(InputError, match="a plane has 3 points; got 2"):
        Plane(*trio(0)).with_points(trio(0)[:2])


def test_the_values_over_a_bowl_are_those_of_the_closed_form():
    a, b, c = at(-2.0, 0.0, 1.0), at(2.0, 0.0, 1.0), at(0.5, 3.0, 1.0)
    found = plane(Bowl(), ONE, a, b, c, points=7, margin=0.5, device="cpu")
    np.testing.assert_allclose(found.x, np.linspace(-2, 6, 7))  # from −2 to 2 is 4 long, half of it beyond
    np.testing.assert_allclose(found.y, np.linspace(-1.5, 4.5, 7))
    exact = (found.x[None, :] - 2) ** 2 + found.y[:, None] ** 2 + 1
    np.testing.assert_allclose(found.over("loss", "train"), exact, rtol=1e-12)
    np.testing.assert_allclose(found.over("loss", "test"), 4 * exact, rtol=1e-12)
    np.testing.assert_allclose(found.over("rmse", "test"), 2 * np.sqrt(exact), rtol=1e-12)
    frame = found.frame()
    assert list(frame) == ["x", "y", "split", "loss", "rmse"]
    assert len(frame) == 7 * 7 * 2
    scale = frame["split"].map({"train": 1.0, "test": 4.0})
    np.testing.assert_allclose(frame.loss, scale * ((frame.x - 2) ** 2 + frame.y**2 + 1), rtol=1e-12)
    assert found.marks().label.tolist() == ["first mode", "second mode", "third point"]
    assert (len(found.path), found.path_distance) == (0, 0.0)


def test_a_quadratic_curve_lies_in_its_plane_exactly():
    a, b = at(0.1, 0.2, 0.3), at(2.3, 0.7, 0.2)
    curve = BezierPath(a, at(0.9, 3.1, -0.4), b)
    found = plane(Bowl(), ONE, a, b, curve, points=3, device="cpu")
    assert found.path_distance == 0.0
    assert found.third == "control point"
    surface = Plane(a, b, curve.control_points[1])
    for t, position in zip((0.0, 0.25, 1.0), found.path[[0, 50, -1]], strict=True):
        assert distance(surface.point(position), curve.point(t)) < 1e-12


def test_a_polygon_through_many_points_is_drawn_with_its_corners_and_its_distance_told():
    # In the (x, y) plane but for one point that is 2 above it.
    corners = [at(0.0, 0.0, 0.0), at(1.0, 4.0, 0.0), at(2.0, 1.0, 2.0), at(3.0, 0.5, 0.0), at(4.0, 0.0, 0.0)]
    path = PolygonalPath(*corners)
    found = plane(Bowl(), ONE, corners[0], corners[-1], path, points=3, device="cpu")
    assert found.third == "path at t = 0.25"  # the farthest from the line
    np.testing.assert_allclose(found.positions, [[0, 0], [4, 0], [1, 4]], atol=1e-12)
    assert found.path_distance == pytest.approx(2.0, rel=1e-12)
    for corner in ((1, 4), (2, 1), (3, 0.5)):
        assert np.abs(found.path - corner).sum(1).min() < 1e-12


def test_a_path_that_spans_no_plane_or_leads_elsewhere_is_refused():
    a, b, c = at(0.0, 0.0, 0.0), at(1.0, 0.0, 0.0), at(0.0, 1.0, 0.0)
    with pytest.raises(InputError, match="lie on one line"):
        plane(Bowl(), ONE, a, b, LinearPath(a, b), device="cpu")
    with pytest.raises(InputError, match=r"the path's end is 1\.41 away from the second point: give the path's own"):
        plane(Bowl(), ONE, a, b, BezierPath(a, at(5.0, 5.0, 1.0), c), device="cpu")
    with pytest.raises(InputError, match="the path's start is 1 away from the first point"):
        plane(Bowl(), ONE, a, b, BezierPath(b, at(5.0, 5.0, 1.0), a), device="cpu")


@pytest.mark.parametrize(
    "options, message",
    [
        ({"points": 1}, "points=1: at least 2"),
        ({"points": 2.5}, r"points=2\.5 is a float"),
        ({"margin": -1}, "margin=-1: allowed"),
        ({"batchnorm": "store"}, "unknown batchnorm rule 'store': did you mean 'stored'"),
    ],
)
def test_wrong_settings_are_one_clear_line(options, message):
    with pytest.raises(InputError, match=message):
        plane(Bowl(), ONE, at(0.0, 0.0, 0.0), at(1.0, 0.0, 0.0), at(0.0, 1.0, 0.0), device="cpu", **options)
    with pytest.raises(InputError, match=r"w: \(2,\) in the first point, \(3,\) in the model"):
        plane(Bowl(), ONE, at(0.0, 0.0), at(1.0, 0.0), at(0.0, 1.0), device="cpu")


def test_unknown_names_are_explained():
    found = plane(Bowl(), ONE, at(0.0, 0.0, 0.0), at(1.0, 0.0, 0.0), at(0.0, 1.0, 0.0), points=2, device="cpu")
    with pytest.raises(InputError, match="unknown split 'tran': did you mean 'train'"):
        found.plot(split="tran")
    with pytest.raises(InputError, match="unknown metric 'los': did you mean 'loss'"):
        found.over("los")


def test_transforms_see_the_place_along_the_line_and_the_ends():
    a, b, c = at(0.0, 0.0, 0.0), at(2.0, 0.0, 0.0), at(0.0, 1.0, 0.0)
    seen = []

    def zero(t, point, ends):
        seen.append(t)
        assert (float(ends[0]["w"][0]), float(ends[1]["w"][0])) == (0.0, 2.0)
        return {"w": 0 * point["w"]}

    found = plane(Bowl(), ONE, a, b, c, points=3, margin=0.5, transforms=[zero], device="cpu")
    assert seen == [0.0, 0.5, 1.0] * 3
    assert (found.values == 0).all()


@settings(max_examples=3)
@given(st.integers(0, 100))
def test_a_network_is_measured_at_every_point_and_nothing_is_changed(seed):
    generator = torch.Generator().manual_seed(seed)
    problem = Problem.arrays(
        torch.randn(30, 3, generator=generator),
        torch.arange(30) % 2,
        {"train": torch.arange(20), "val": torch.arange(20, 30)},
    )
    model = build_model("mlp", problem, hidden=4, norm="batch")
    a, b, c = train(model, problem, seeds=[seed, seed + 1, seed + 2], epochs=3, device="cpu")
    curve = BezierPath(a, c, b)
    before = [digest(w) for w in (a.last, b.last, c.last, model.state_dict(), *curve.control_points)]
    rng = torch.random.get_rng_state()
    found = plane(model, problem, a, b, curve, points=5, margin=0.0, device="cpu")
    names = [name for name, _ in model.named_parameters()]
    surface, function = Plane(a, b, c, names), ModelFunction(model, problem, "cpu")
    for i, j in ((0, 0), (2, 3), (4, 1)):
        point = reestimate_batchnorm(function, surface.point((found.x[j], found.y[i])))
        np.testing.assert_allclose(found.values[i, j], problem.measure(function(point)), atol=1e-5)
    stored = plane(model, problem, a, b, curve, points=2, margin=0.0, batchnorm="stored", device="cpu")
    point = surface.point((stored.x[1], stored.y[0]))
    np.testing.assert_allclose(stored.values[0, 1], problem.measure(function(point)), atol=1e-5)
    assert found.positions[1, 0] == pytest.approx(distance(a.last, b.last, names), rel=1e-9)
    assert found.values.shape == (5, 5, 2, 2)
    assert np.isfinite(found.values).all()
    assert [digest(w) for w in (a.last, b.last, c.last, model.state_dict(), *curve.control_points)] == before
    assert torch.equal(torch.random.get_rng_state(), rng)


def test_unused_parameters_count_in_no_distance():
    class TwoParts(Bowl):
        def __init__(self):
            super().__init__()
            self.idle = nn.Parameter(torch.zeros(1, dtype=torch.float64))

    points = [at(*row) | {"idle": torch.tensor([float(j)]).double()} for j, row in enumerate(np.eye(3))]
    a, b = (Mode(last=p, best=p, seed=j, unused=["idle"]) for j, p in enumerate(points[:2]))
    for third in (points[2], BezierPath(a, points[2], b)):
        assert plane(TwoParts(), ONE, a, b, third, points=2, device="cpu").positions[1, 0] == pytest.approx(2**0.5)
        assert plane(TwoParts(), ONE, points[0], points[1], points[2], points=2, device="cpu").positions[1, 0] > 1.5


def test_the_plot_shows_what_was_measured():
    a, b = at(-2.0, 0.0, 1.0), at(2.0, 0.0, 1.0)
    found = plane(Bowl(), ONE, a, b, BezierPath(a, at(0.5, 3.0, 1.0), b), points=5, device="cpu")
    axes = found.plot(split="test")
    assert axes.get_title(loc="left") == "test split"
    drawn = [line.get_xydata() for line in axes.lines if len(line.get_xdata()) == len(found.path)]
    np.testing.assert_array_equal(drawn[0], found.path)
    assert {text.get_text() for text in axes.texts} == set(found.marks().label)
