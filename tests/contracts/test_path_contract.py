"""What every path keeps: its ends bit by bit, coefficients that sum to 1, its inputs, and itself in a file."""

import numpy as np
import pytest
import torch

from gnnmc.connectivity import PATHS, BezierPath, LinearPath, PolygonalPath, load_path, profile
from gnnmc.errors import InputError
from gnnmc.problem import Problem
from gnnmc.weights import Mode, digest, save_weights


def point(seed, shape=(3, 2)):
    generator = torch.Generator().manual_seed(seed)
    return {
        "w": torch.randn(shape, generator=generator),
        "b": torch.randn(2, generator=generator) * 1e-7,
        "half": torch.randn(2, generator=generator).half(),
        "running_mean": torch.randn(2, generator=generator, dtype=torch.float64),
        "num_batches_tracked": torch.tensor(100 + seed),
        "mask": torch.rand(4, generator=generator) < 0.5,
    }


IMPLEMENTATIONS = [
    (LinearPath, 2),
    (PolygonalPath, 2),
    (PolygonalPath, 3),
    (PolygonalPath, 6),
    (BezierPath, 2),
    (BezierPath, 3),
    (BezierPath, 4),
    (BezierPath, 12),
]


def test_every_registered_path_is_run_here():
    assert {cls for cls, _ in IMPLEMENTATIONS} == {PATHS[name] for name in PATHS}


@pytest.mark.parametrize("cls, count", IMPLEMENTATIONS)
class TestPathContract:
    def make(self, cls, count, **more):
        return cls(*(point(seed) for seed in range(count)), **more)

    def test_ends_are_bit_equal_buffers_included(self, cls, count):
        path = self.make(cls, count)
        for found, given in ((path.point(0.0), point(0)), (path.point(1.0), point(count - 1))):
            assert digest(found) == digest(given)
        assert digest(path.ends[0]) == digest(point(0))
        assert digest(path.ends[1]) == digest(point(count - 1))

    def test_ends_are_bit_equal_even_where_another_point_is_not_finite(self, cls, count):
        first, last = point(0), point(1)
        broken = {n: torch.full_like(v, torch.inf) if v.is_floating_point() else v for n, v in point(9).items()}
        path = cls(first, *[broken] * (count - 2), last)
        assert digest(path.point(0.0)) == digest(first)
        assert digest(path.point(1.0)) == digest(last)

    @pytest.mark.parametrize("t", [0.0, 0.2, 0.5, 0.500001, 0.9, 1.0])
    def test_entries_that_are_not_floating_point_are_those_of_the_nearer_end(self, cls, count, t):
        found, end = self.make(cls, count).point(t), point(0 if t <= 0.5 else count - 1)
        for name in ("num_batches_tracked", "mask"):
            assert torch.equal(found[name], end[name])
            assert found[name].dtype == end[name].dtype

    def test_types_and_shapes_stay(self, cls, count):
        for name, value in self.make(cls, count).point(0.3).items():
            assert value.dtype == point(0)[name].dtype
            assert value.shape == point(0)[name].shape

    def test_coefficients_sum_to_one_and_have_their_shape(self, cls, count):
        path, grid = self.make(cls, count), np.linspace(0, 1, 101)
        coefficients = path.coefficients(grid)
        assert coefficients.shape == (101, count)
        assert coefficients.dtype == np.float64
        np.testing.assert_allclose(coefficients.sum(1), 1, atol=1e-12)
        assert (coefficients >= 0).all()  # every basis here stays in the convex hull of its points
        assert path.coefficients([]).shape == (0, count)
        np.testing.assert_array_equal(coefficients[[0, -1]], np.eye(count)[[0, -1]])

    def test_a_point_is_its_basis_times_the_control_points(self, cls, count):
        path = self.make(cls, count)
        for t in (0.0, 0.17, 0.5, 0.83, 1.0):
            expected = sum(c * point(j)["w"].double() for j, c in enumerate(path.coefficients([t])[0]))
            torch.testing.assert_close(path.point(t)["w"].double(), expected, rtol=1e-6, atol=1e-6)

    def test_equal_control_points_stay_where_they_are(self, cls, count):
        path = cls(*[point(4)] * count)
        torch.testing.assert_close(path.point(0.37)["w"], point(4)["w"])
        np.testing.assert_allclose(path.arc_length(np.linspace(0, 1, 5)), 0, atol=1e-7)

    def test_inputs_are_neither_changed_nor_shared(self, cls, count):
        given = [point(seed) for seed in range(count)]
        path = cls(*given)
        for t in (0.0, 0.4, 1.0):
            for value in path.point(t).values():
                value.zero_()
        path.arc_length([0, 0.5, 1])
        assert [digest(p) for p in given] == [digest(point(seed)) for seed in range(count)]
        assert [digest(p) for p in path.control_points] == [digest(point(seed)) for seed in range(count)]
        for p in given:
            p["w"].zero_()
        assert digest(path.point(0.0)) == digest(point(0))

    def test_modes_and_state_dicts_are_accepted(self, cls, count):
        modes = [Mode(last=point(seed), best=point(50), seed=seed, unused=["b", str(seed)]) for seed in range(count)]
        path = cls(*modes)
        assert digest(path.point(1.0)) == digest(point(count - 1))
        assert path.unused == ["b"]  # unused at both ends
        assert cls(modes[0], *(mode.last for mode in modes[1:-1]), modes[-1]).unused == ["b"]
        assert cls(modes[0].last, *modes[1:]).unused == []

    def test_a_round_trip_through_a_file_is_bit_equal(self, cls, count, tmp_path):
        path = self.make(cls, count, record={"lr": 0.1, "loss": [0.1 + 0.2, 1e-17]})
        path.unused = ["b"]
        file = tmp_path / "path.safetensors"
        path.save(file)
        read = load_path(file)
        assert type(read) is cls
        assert [digest(p) for p in read.control_points] == [digest(p) for p in path.control_points]
        assert read.record == path.record
        assert read.unused == ["b"]
        assert digest(read.point(0.3)) == digest(path.point(0.3))

    def test_with_other_points_all_else_stays(self, cls, count):
        path = self.make(cls, count, record={"lr": 0.1})
        path.unused = ["b"]
        given = [point(seed) for seed in range(20, 20 + count)]
        moved = path.with_points(given)
        assert type(moved) is cls
        assert [digest(p) for p in moved.control_points] == [digest(p) for p in given]
        assert (moved.record, moved.unused) == ({"lr": 0.1}, ["b"])
        moved.record["lr"], moved.control_points[0]["w"] = 2, torch.zeros(1)
        moved.unused.append("w")
        assert (path.record, path.unused) == ({"lr": 0.1}, ["b"])
        assert [digest(p) for p in path.control_points] == [digest(point(seed)) for seed in range(count)]
        assert digest(given[0]) == digest(point(20))
        with pytest.raises(InputError, match=rf"the path has {count} control points; got {count + 1}: pass as many"):
            path.with_points([*given, point(99)])
        with pytest.raises(InputError, match=rf"in control point 0, \(5, 2\) in control point {count - 1}"):
            path.with_points([*given[:-1], point(9, shape=(5, 2))])

    def test_points_that_do_not_match_are_named_with_both_shapes(self, cls, count):
        points = [point(seed) for seed in range(count - 1)]
        with pytest.raises(InputError, match=rf"w: \(3, 2\) in control point 0, \(5, 2\) in control point {count - 1}"):
            cls(*points, point(9, shape=(5, 2)))
        missing = point(9)
        del missing["b"]
        with pytest.raises(InputError, match="b only in control point 0"):
            cls(*points, missing)

    def test_too_few_points_are_refused(self, cls, count):
        with pytest.raises((InputError, TypeError)):
            cls(point(0))

    @pytest.mark.parametrize("t", [-0.01, 1.01, float("nan")])
    def test_coordinates_lie_in_the_unit_interval(self, cls, count, t):
        path = self.make(cls, count)
        with pytest.raises(InputError, match=r"expected a list of numbers in \[0, 1\]"):
            path.point(t)
        with pytest.raises(InputError, match="path coordinates"):
            path.coefficients([[0.0, 1.0]])

    def test_arc_length_increases_and_leaves_out_what_is_unused(self, cls, count):
        path, grid = self.make(cls, count), np.linspace(0, 1, 9)
        length = path.arc_length(grid)
        assert length[0] == 0
        assert (np.diff(length) >= 0).all()
        assert path.arc_length(grid, ["w"])[-1] < length[-1]
        path.unused = ["w"]
        np.testing.assert_array_equal(path.arc_length(grid, ["w"]), 0)

    def test_it_says_what_it_is(self, cls, count):
        assert repr(self.make(cls, count)) == f"{cls.__name__}({count} control points)"


class Knotted(PolygonalPath):
    """Pieces of unequal share of t: a path with state of its own, which its constructor asks for."""

    kind = "knotted"

    def __init__(self, *points, knots, record=None):
        super().__init__(*points, record=record)
        self.knots = list(knots)

    def coefficients(self, coords):
        even = np.linspace(0, 1, len(self.control_points))
        return super().coefficients(np.interp(coords, self.knots, even))


@pytest.fixture
def knotted(monkeypatch):
    monkeypatch.setitem(PATHS._entries, "knotted", Knotted)
    return Knotted(point(0), point(1), point(2), knots=[0.0, 0.25, 1.0])


def test_a_path_with_knots_keeps_them_through_other_points_and_its_file(knotted, tmp_path):
    assert torch.equal(knotted.point(0.25)["w"], point(1)["w"])
    knotted.unused = ["b"]
    file = tmp_path / "path.safetensors"
    knotted.save(file)
    for other in (knotted.with_points(knotted.control_points), load_path(file)):
        assert type(other) is Knotted
        assert (other.knots, other.unused) == ([0.0, 0.25, 1.0], ["b"])
        for t in (0.0, 0.1, 0.25, 0.7, 1.0):
            assert digest(other.point(t)) == digest(knotted.point(t))
        np.testing.assert_array_equal(other.arc_length([0, 0.3, 1]), knotted.arc_length([0, 0.3, 1]))


def test_a_profile_goes_along_the_knots():
    x = torch.ones(4, 2)
    problem = Problem.arrays(x, torch.zeros(4), {"train": torch.arange(4)})
    model = torch.nn.Linear(2, 1, bias=False)
    points = [{"weight": torch.full((1, 2), value / 2)} for value in (0.0, 3.0, 1.0)]
    path = Knotted(*points, knots=[0.0, 0.25, 1.0])
    found = profile(model, problem, path, points=[0, 0.25, 0.5, 1], device="cpu")
    # outputs 0, 3, 3 - 2/3, 1 against targets 0: the square
    np.testing.assert_allclose(found.along("loss"), [0, 9, (3 - 2 / 3) ** 2, 1], rtol=1e-6)


def test_a_class_that_a_file_could_not_bring_back_is_not_written(tmp_path):
    path = Knotted(point(0), point(1), point(2), knots=[0.0, 0.25, 1.0])
    with pytest.raises(InputError, match="Knotted is not the registered path 'knotted'"):
        path.save(tmp_path / "path.safetensors")
    assert not list(tmp_path.iterdir())


def test_a_line_has_exactly_two_points():
    with pytest.raises(InputError, match="a linear path has exactly 2 control points, ends included; got 3"):
        LinearPath.check_count(3)


def test_a_file_of_another_origin_is_no_path(tmp_path):
    file = save_weights(tmp_path / "w.safetensors", point(0))
    with pytest.raises(InputError, match=r"holds no path: write one with path\.save\(file\)"):
        load_path(file)
    with pytest.raises(InputError, match="no such file"):
        load_path(tmp_path / "absent.safetensors")
