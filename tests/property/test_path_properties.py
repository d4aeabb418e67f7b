"""Properties of weights, paths and profiles over generated cases."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gnnmc.connectivity import PATHS, BezierPath, LinearPath, PolygonalPath, fit_path, profile
from gnnmc.models import build_model
from gnnmc.problem import Problem
from gnnmc.training import train
from gnnmc.weights import combine, digest, distance

KINDS = [LinearPath, PolygonalPath, BezierPath]
seeds = st.integers(0, 2**32)
unit = st.floats(0, 1)
numbers = st.floats(-3, 3)


def points(seed, count):
    generator = torch.Generator().manual_seed(seed)
    return [
        {
            "w": torch.randn(4, 3, generator=generator, dtype=torch.float64),
            "b": torch.randn(2, generator=generator, dtype=torch.float64),
            "n": torch.tensor(j),
        }
        for j in range(count)
    ]


@st.composite
def paths(draw):
    cls = draw(st.sampled_from(KINDS))
    count = 2 if cls is LinearPath else draw(st.integers(2, 6))
    given_points = points(draw(seeds), count)
    return cls(*given_points)


@given(seeds, st.lists(st.tuples(numbers, numbers), min_size=1, max_size=4), numbers, numbers)
def test_combine_is_linear_in_its_coefficients(seed, pairs, p, q):
    stack = points(seed, len(pairs))
    first, second = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    mixed = combine(stack, [p * a + q * b for a, b in pairs], nearest=0)
    a, b = combine(stack, first, nearest=0), combine(stack, second, nearest=0)
    for name in ("w", "b"):
        torch.testing.assert_close(mixed[name], p * a[name] + q * b[name], rtol=1e-9, atol=1e-9)
    assert mixed["n"] == stack[0]["n"]


@given(seeds, st.lists(numbers, min_size=2, max_size=4), numbers)
def test_combine_is_linear_in_its_points(seed, coefficients, p):
    a, b = points(seed, len(coefficients)), points(seed + 1, len(coefficients))
    both = [{name: x[name] + p * y[name] for name in ("w", "b")} for x, y in zip(a, b, strict=True)]
    left, right = combine(a, coefficients, 0), combine(b, coefficients, 0)
    for name, value in combine(both, coefficients, 0).items():
        torch.testing.assert_close(value, left[name] + p * right[name], rtol=1e-9, atol=1e-9)


def de_casteljau(control, t):
    """The point of a Bézier curve by repeated linear interpolation."""
    while len(control) > 1:
        control = [(1 - t) * a + t * b for a, b in itertools.pairwise(control)]
    return control[0]


@given(seeds, st.integers(2, 15), unit)
def test_a_bezier_point_is_that_of_de_casteljau(seed, count, t):
    control = points(seed, count)
    found = BezierPath(*control).point(t)
    for name in ("w", "b"):
        torch.testing.assert_close(found[name], de_casteljau([p[name] for p in control], t), rtol=1e-9, atol=1e-9)


@given(seeds, st.integers(2, 6), unit)
def test_a_polygonal_point_lies_on_its_piece(seed, count, t):
    control = points(seed, count)
    piece = min(int(t * (count - 1)), count - 2)
    local = t * (count - 1) - piece
    found = PolygonalPath(*control).point(t)["w"]
    torch.testing.assert_close(found, (1 - local) * control[piece]["w"] + local * control[piece + 1]["w"])


@given(paths(), st.lists(unit, max_size=12), st.sampled_from([None, ["w"]]))
def test_arc_length_is_the_sum_of_many_small_distances_whatever_is_asked(path, inner, names):
    grid = sorted({0.0, 1.0, *inner})
    fine = np.union1d(np.linspace(0, 1, 241), grid)  # with the corners of all polygons here
    along = [path.point(t) for t in fine]
    slow = np.cumsum([0.0] + [distance(a, b, names) for a, b in itertools.pairwise(along)])[np.searchsorted(fine, grid)]
    found = path.arc_length(grid, names)
    np.testing.assert_allclose(found, slow, rtol=2e-4, atol=1e-9)
    assert (found >= slow - 1e-9 * slow[-1]).all()  # chords are the shortest way between their ends
    if not isinstance(path, BezierPath):
        np.testing.assert_allclose(found, slow, rtol=1e-9, atol=1e-12)


@given(paths())
def test_arc_length_is_at_least_the_distance_of_the_ends(path):
    assert path.chord_length() == pytest.approx(distance(*path.ends), rel=1e-9)
    assert path.arc_length(np.linspace(0, 1, 7))[-1] >= path.chord_length() - 1e-6


@given(paths(), unit)
def test_a_path_walked_backward_is_the_same_path(path, t):
    back = type(path)(*reversed(path.control_points))
    for name in ("w", "b"):
        torch.testing.assert_close(path.point(t)[name], back.point(1 - t)[name], rtol=1e-7, atol=1e-7)


def problem_of(seed):
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(12) % 2
    return Problem.arrays(
        torch.randn(12, 3, generator=generator), y, {"train": torch.arange(0, 8), "val": torch.arange(8, 12)}
    )


def scaled_state(model, seed, scale):
    generator = torch.Generator().manual_seed(seed)
    return {
        name: scale * torch.randn(value.shape, generator=generator) if value.is_floating_point() else value
        for name, value in model.state_dict().items()
    }


@settings(max_examples=30)
@given(seeds, st.sampled_from([0.1, 1.0, 10.0]), st.sampled_from(["none", "layer"]))
def test_the_chord_barrier_is_never_negative_and_symmetric_in_the_ends(seed, scale, norm):
    problem = problem_of(seed)
    model = build_model("mlp", problem, hidden=5, norm=norm)
    a, b = scaled_state(model, seed, scale), scaled_state(model, seed + 1, scale)
    forward = profile(model, problem, LinearPath(a, b), points=7, device="cpu")
    backward = profile(model, problem, LinearPath(b, a), points=7, device="cpu")
    for split in ("train", "val"):
        for metric in ("loss", "accuracy"):
            height = forward.barrier("chord", metric, split)
            assert height >= 0
            # The barrier is a difference of float32 losses: its rounding is that of the losses.
            rounding = 1e-5 * max(1.0, float(forward.along(metric, split).max()))
            assert backward.barrier("chord", metric, split) == pytest.approx(height, rel=1e-4, abs=rounding)


@settings(max_examples=20)
@given(seeds)
def test_a_convex_loss_has_no_barrier(seed):
    # Cross-entropy is convex in the weights of a linear classifier.
    problem = problem_of(seed)
    model = nn.Linear(3, 2)
    a, b = scaled_state(model, seed, 3.0), scaled_state(model, seed + 1, 3.0)
    found = profile(model, problem, LinearPath(a, b), points=9, device="cpu")
    assert found.barrier() <= 1e-5
    assert found.barrier("midpoint") <= 1e-5


@settings(max_examples=8)
@given(
    seeds, st.sampled_from(["none", "batch"]), st.sampled_from([k for k in PATHS if k != "linear"]), st.integers(2, 4)
)
def test_no_public_call_changes_its_inputs(seed, norm, kind, count):
    problem = problem_of(seed)
    model = build_model("mlp", problem, hidden=4, norm=norm)
    a, b = scaled_state(model, seed, 1.0), scaled_state(model, seed + 1, 1.0)
    held = {f"{i}{name}": value for i, batch in enumerate(problem.batches) for name, value in vars(batch).items()}

    def state():
        return [
            digest(model.state_dict()),
            digest(a),
            digest(b),
            digest(held),
            digest({"y": problem.targets, **problem.splits}),
            torch.random.get_rng_state().tolist(),
            np.random.get_state()[1].tolist(),  # noqa: NPY002
            model.training,
            torch.get_default_dtype(),
        ]

    before = state()
    curve = fit_path(model, problem, a, b, kind=kind, points=count, steps=2, seed=seed % 100, device="cpu")
    inner = [digest(p) for p in curve.control_points]
    profile(model, problem, curve, points=3, device="cpu").barriers()
    curve.arc_length([0, 1])
    train(model, problem, seeds=[seed], epochs=1, device="cpu")
    assert state() == before
    assert [digest(p) for p in curve.control_points] == inner
