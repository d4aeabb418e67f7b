"""The named barriers: values worked out by hand, affine losses, reversal, wrong use."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from gnnmc.connectivity.barrier import BARRIERS, NOTHING, ROUNDING, barrier
from gnnmc.errors import InputError

# ends 1 and 3; chord 1, 1.5, 2, 2.5, 3; excess 0, 3.5, 2, 2.75, 0
T = np.linspace(0, 1, 5)
LOSS = np.array([1.0, 5.0, 4.0, 5.25, 3.0])
BY_HAND = {
    "chord": 3.5,  # at t = 1/4, not where the loss is largest
    "midpoint": 2.0,
    "max_minus_mean_ends": 3.25,
    "max_minus_max_ends": 2.25,
    "chord_at_argmax": 2.75,
    "integral": (3.5 + 2 + 2.75) / 4,
}

finite = st.floats(-1e3, 1e3, allow_nan=False)


@st.composite
def curves(draw, middle=False):
    """A grid with uneven steps, values and arc lengths; t and 1 - t are both exact."""
    steps = draw(st.sets(st.integers(1, 63), max_size=8))
    if middle:
        steps |= {32}
    grid = np.array([0, *sorted(steps), 64]) / 64
    values = np.array(draw(st.lists(finite, min_size=len(grid), max_size=len(grid))))
    strides = draw(st.lists(st.floats(0.1, 10), min_size=len(grid) - 1, max_size=len(grid) - 1))
    return grid, values, np.concatenate([[0], np.cumsum(strides)])


def test_the_registry_has_the_names_of_the_science_page():
    assert set(BARRIERS) == set(BY_HAND)


@pytest.mark.parametrize("kind", BY_HAND)
def test_values_by_hand(kind):
    assert barrier(T, LOSS, kind) == pytest.approx(BY_HAND[kind], abs=1e-12)


@pytest.mark.parametrize("kind", BY_HAND)
def test_an_accuracy_is_the_mirror_of_a_loss(kind):
    assert barrier(T, 10 - LOSS, kind, higher_is_better=True) == pytest.approx(BY_HAND[kind], abs=1e-12)


def test_accuracy_barrier_is_the_fall_below_the_chord():
    # science 0: max_t [(1-t) A(0) + t A(1) - A(t)]
    assert barrier([0, 0.25, 1], [0.8, 0.5, 0.6], higher_is_better=True) == pytest.approx(0.75 - 0.5)
    assert barrier([0, 0.25, 1], [0.8, 0.9, 0.6], higher_is_better=True) == 0.0


def test_default_is_chord():
    assert barrier(T, LOSS) == barrier(T, LOSS, "chord")


def test_a_valley_has_no_chord_barrier_but_a_negative_midpoint():
    valley = [1.0, 0.0, 1.0]
    assert barrier([0, 0.5, 1], valley) == 0.0
    assert barrier([0, 0.5, 1], valley, "midpoint") == -1.0
    assert barrier([0, 0.5, 1], valley, "max_minus_max_ends") == 0.0


@pytest.mark.parametrize("height", [1e-3, 1.0, 1e3])
def test_what_float32_rounds_is_no_barrier(height):
    noise = np.random.default_rng(0).integers(-2, 3, 25) * np.spacing(np.float32(height))
    assert barrier(np.linspace(0, 1, 25), height + noise) == 0.0
    assert barrier([0, 0.5, 1], [height, height * (1 + 1e-4), height]) == pytest.approx(height * 1e-4)


def test_integral_weighs_by_arc_length():
    excess = [0.0, 1.0, 1.0, 0.0]
    grid = [0, 0.25, 0.5, 1]
    assert barrier(grid, excess, "integral") == pytest.approx(0.125 + 0.25 + 0.25)
    assert barrier(grid, excess, "integral", arc_length=[0, 1, 9, 10]) == pytest.approx((0.5 + 8 + 0.5) / 10)


def test_integral_of_a_path_without_length_is_undefined():
    assert np.isnan(barrier([0, 1], [1.0, 1.0], "integral", arc_length=[0.0, 0.0]))


@pytest.mark.parametrize("kind", BY_HAND)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 1, 4])
def test_a_value_that_is_not_finite_gives_nan_without_a_warning(kind, bad, place):
    values = LOSS.copy()
    values[place] = bad
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(barrier(T, values, kind))


def test_single_precision_grids_and_tensors_are_accepted():
    grid = torch.linspace(0, 1, 25)
    assert barrier(grid, torch.sin(torch.pi * grid), "midpoint") == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(
    "t, values, options, message",
    [
        ([0.1, 1], [1, 1], {}, "from 0.1 to 1"),
        ([0, 0.9], [1, 1], {}, "from 0 to 0.9"),
        ([0, 0.5, 0.5, 1], [1, 1, 1, 1], {}, "increase strictly"),
        ([0, 0.7, 0.5, 1], [1, 1, 1, 1], {}, "increase strictly"),
        ([0, np.nan, 1], [1, 1, 1], {}, "increase strictly"),
        ([0], [1], {}, "at least two points"),
        ([[0, 1]], [1, 1], {}, "at least two points"),
        ([0, 0.5, 1], [1, 1], {}, r"shape \(2,\) but t has 3 points"),
        ([0, 1], [1, 1], {"arc_length": [0, 1, 2]}, "arc_length has shape"),
        ([0, 0.5, 1], [1, 1, 1], {"kind": "integral", "arc_length": [0, 2, 1]}, "arc_length decreases"),
        ([0, 0.4, 1], [1, 1, 1], {"kind": "midpoint"}, "odd number of points"),
        ([0, 0.4, 1], [1, np.nan, 1], {"kind": "midpoint"}, "odd number of points"),
        ([0, 1], [1, 1], {"kind": "chrod"}, "did you mean 'chord'"),
    ],
)
def test_wrong_use_is_one_clear_line(t, values, options, message):
    with pytest.raises(InputError, match=message) as error:
        barrier(t, values, **options)
    assert "\n" not in str(error.value)


@given(curves())
def test_chord_is_the_slow_loop_and_never_negative(curve):
    t, values, _ = curve
    slow = max(values[i] - ((1 - t[i]) * values[0] + t[i] * values[-1]) for i in range(len(t)))
    height = barrier(t, values)
    rounding = max(ROUNDING * np.abs(values).max(), NOTHING)
    assert height == (0 if slow < rounding else slow)  # what is smaller is rounding, and no barrier
    assert height >= 0
    assert barrier(t, values, "max_minus_max_ends") >= 0


@given(curves())
def test_the_orders_between_kinds(curve):
    t, values, _ = curve
    # An excess that is rounding beside the largest value does not count.
    slack = 1e-9 + ROUNDING * np.abs(values).max()
    chord = barrier(t, values)
    assert barrier(t, values, "chord_at_argmax") <= chord
    assert barrier(t, values, "integral") <= chord + slack
    assert barrier(t, values, "max_minus_max_ends") <= barrier(t, values, "max_minus_mean_ends") + 1e-9
    assert barrier(t, values, "max_minus_max_ends") <= chord + slack


@pytest.mark.parametrize("kind", ["chord", "integral", "chord_at_argmax", "midpoint"])
@given(curve=curves(middle=True), start=finite, end=finite)
def test_an_affine_loss_has_no_barrier(kind, curve, start, end):
    t, _, arc = curve
    assert barrier(t, (1 - t) * start + t * end, kind, arc_length=arc) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("kind", BY_HAND)
@given(curve=curves(middle=True))
def test_swapping_the_ends_changes_nothing(kind, curve):
    t, values, arc = curve
    forward = barrier(t, values, kind, arc_length=arc)
    backward = barrier(1 - t[::-1], values[::-1], kind, arc_length=arc[-1] - arc[::-1])
    assert backward == pytest.approx(forward, abs=1e-9)


@pytest.mark.parametrize("kind", BY_HAND)
@given(curve=curves(middle=True), shift=finite, scale=st.floats(0.1, 10))
def test_shift_leaves_and_scale_scales(kind, curve, shift, scale):
    t, values, arc = curve
    # a rounding of equal maxima may pick another arg-max: keep the largest value apart from the next
    ordered = np.sort(values)
    assume(ordered[-1] - ordered[-2] > 1e-6)
    base, moved = barrier(t, values, kind, arc_length=arc), scale * values + shift
    # An excess that is counted as rounding beside large values may not be one beside those that were shifted.
    rounding = ROUNDING * max(scale * np.abs(values).max(), np.abs(moved).max())
    assert barrier(t, moved, kind, arc_length=arc) == pytest.approx(scale * base, abs=1e-6 + rounding)


def test_shifting_out_of_rounding():
    """Found by chance: 0.0005 beside 501."""
    t, values = np.array([0, 1 / 64, 1 / 32, 1 / 2, 1]), np.array([0, 0, 501, 5e-4, 0])
    found = [barrier(t, values + shift, "integral", arc_length=np.arange(5.0)) for shift in (0, -2)]
    assert found[0] == 125.25 and found[1] == pytest.approx(125.25, abs=ROUNDING * 501)


@pytest.mark.parametrize("kind", BY_HAND)
def test_inputs_are_not_changed(kind):
    t, values, arc = T.copy(), LOSS.copy(), T.copy()
    for array in (t, values, arc):
        array.setflags(write=False)
    barrier(t, values, kind, higher_is_better=True, arc_length=arc)
    np.testing.assert_array_equal(values, LOSS)


def test_rounding_is_no_barrier() -> None:
    t = np.linspace(0, 1, 25)
    for level in np.random.default_rng(0).uniform(0, 1, 200):
        assert barrier(t, np.full(25, level), "chord") == 0.0
        assert barrier(t, np.full(25, level), "integral") == 0.0
