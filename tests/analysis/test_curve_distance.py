"""d_MC on curves whose distances are known, the degenerate cases of science 1.3, floors, intervals, wrong use."""

import itertools

import numpy as np
import pandas as pd
import pytest

from gnnmc.analysis import curve_distance
from gnnmc.errors import InputError


def bump(t, center=0.5):
    """A tent of height 1 from 0 to 1."""
    return np.where(t < center, t / center, (1 - t) / (1 - center))


def profiles(height=1.0, modes=6, noise=0.0, center=0.5, ends=(0.0, 0.0), points=25, seed=0, pairs=None, split="train"):
    """Every pair of modes has a tent on the chord, higher or lower by an effect of either mode."""
    rng = np.random.default_rng(seed)
    effect = noise * rng.normal(size=modes)
    rows = []
    for a, b in pairs or itertools.combinations(range(modes), 2):
        t = np.linspace(0, 1, points)
        loss = ends[0] * (1 - t) + ends[1] * t + (height + effect[a] + effect[b]) * bump(t, center)
        rows.append(pd.DataFrame({"a": a, "b": b, "t": t, "split": split, "loss": loss}))
    return pd.concat(rows, ignore_index=True)


def value(first, second, form, **options):
    table = curve_distance(first, second, **options).frame()
    return table[table["form"] == form].iloc[0]


def plateau(start, stop):
    """One pair: 1 between two places, 0 elsewhere, on a fine grid."""
    t = np.linspace(0, 1, 1001)
    height = ((t >= start) & (t <= stop)) * 1.0
    return pd.DataFrame({"a": 0, "b": 1, "t": t, "split": "train", "loss": height})


def test_the_shapes_of_two_plateaus_are_apart_by_the_way_of_their_mass():
    # Even over [.45, .55]; even over [.2, .3] and [.7, .8]: the left half, about .475, moves to about .25.
    middle, sides = plateau(0.45, 0.55), plateau(0.2, 0.3)
    sides["loss"] = sides["loss"] + plateau(0.7, 0.8)["loss"]
    found = value(middle, sides, "shape")
    assert found["value"] == pytest.approx(0.225, abs=0.003)
    assert value(sides, middle, "shape")["value"] == pytest.approx(found["value"])
    # Three areas, each a tenth and one step of the grid wide.
    assert value(middle, sides, "size")["value"] == pytest.approx(0.325, abs=1e-6)


def test_size_is_the_area_between_the_curves():
    # Tents of height 1 and 3 on different chords: the chords drop out, the area between is half of 2.
    found = value(profiles(1.0), profiles(3.0, ends=(0.4, 0.1)), "size")
    assert found["value"] == pytest.approx(1.0)
    assert found["unit"] == "unit of the metric"


def test_size_is_exact_where_curves_cross():
    # e₁ − e₂ is 1 − 3.8t on [0, ½], mirrored: it changes sign between two points of the grid, at 1/3.8.
    t = np.array([0.0, 1e-9, 0.5, 1 - 1e-9, 1.0])
    first = pd.DataFrame({"a": 0, "b": 1, "t": t, "split": "train", "loss": [0, 1, 0, 1, 0]})
    second = first.assign(loss=[0, 0, 0.9, 0, 0])
    zero = 1 / 3.8
    # At the ends both are 0, which takes half a step of the grid away from either side.
    expected = zero + 0.9 * (0.5 - zero) - 1 / 120
    assert value(first, second, "size")["value"] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("points", "others"), [(25, 11), (61, 21), (25, 61)])
def test_grids_may_differ(points, others):
    first, second = profiles(points=points), profiles(points=others)
    # Only a grid with t = ½ holds the tip of the tent, and all of these do.
    for form in ("shape", "size", "literal"):
        assert value(first, second, form)["value"] == pytest.approx(0, abs=1e-12)


def test_the_literal_form_sees_no_size():
    # Science 1.3: barriers .01 and 3 of one shape give 4e-17.
    first, second = profiles(0.01), profiles(3.0)
    assert value(first, second, "literal")["value"] < 1e-12
    assert value(first, second, "size")["value"] == pytest.approx(2.99 / 2)
    assert value(first, second, "shape")["value"] < 1e-12


def test_the_literal_form_compares_noise_and_shape_does_not():
    # Science 1.3: two flat curves with noise of 1e-6 give .05 to .09.
    def flat(seed):
        t = np.linspace(0, 1, 25)
        loss = 1.0 + 1e-6 * np.random.default_rng(seed).normal(size=25)
        return pd.DataFrame({"a": 0, "b": 1, "t": t, "split": "train", "loss": loss})

    literal = [value(flat(2 * k), flat(2 * k + 1), "literal")["value"] for k in range(20)]
    assert 0.03 < np.median(literal) < 0.12
    result = curve_distance(flat(0), flat(1))
    table = result.frame().set_index("form")
    assert np.isnan(table.loc["shape", "value"]) and "flat" in table.loc["shape", "note"]
    assert table.loc["size", "value"] < 1e-5
    assert [one.code for one in result.diagnostics] == ["GMC023", "GMC023"]
    assert str(result.diagnostics[0]).startswith("GMC023 a connectivity curve is flat: train: the first curve is flat")


def test_the_literal_form_sees_the_order_of_the_ends_and_the_others_do_not():
    # Science 1.3: one curve with its ends swapped gives .12.
    curve, swapped = profiles(center=0.25, ends=(0.2, 0.5)), profiles(center=0.75, ends=(0.5, 0.2))
    assert value(curve, swapped, "literal")["value"] == pytest.approx(0.12, abs=0.06)
    assert value(curve, swapped, "shape")["value"] == pytest.approx(0, abs=1e-12)
    assert value(curve, swapped, "size")["value"] == pytest.approx(0, abs=1e-12)


def test_constant_curves_have_no_literal_distance():
    assert np.isnan(value(profiles(0.0), profiles(1.0), "literal")["value"])


def test_a_peak_within_its_error_is_no_peak():
    unsure = profiles(0.05, modes=4, noise=0.2, seed=0)
    found = value(unsure, profiles(), "shape")
    assert np.isnan(found["value"]) and "no sure peak" in found["note"]
    assert found["peak_first"] < 3 * found["peak_se_first"]
    assert value(unsure, profiles(), "size")["value"] > 0


def test_the_standard_error_of_a_peak_is_that_over_modes():
    # A pair's height is the sum of two effects of modes: the mean over all pairs has the variance 4σ²/K.
    found = [value(profiles(5.0, 8, 0.1, seed=seed), profiles(), "size") for seed in range(60)]
    spread = np.std([row["peak_first"] for row in found])
    stated = np.sqrt(np.mean([row["peak_se_first"] ** 2 for row in found]))
    assert stated == pytest.approx(0.2 / np.sqrt(8), rel=0.15)
    assert spread == pytest.approx(stated, rel=0.35)


def test_pairs_that_share_no_mode_are_drawn_as_pairs():
    pairs = [(2 * k, 2 * k + 1) for k in range(10)]
    found = [value(profiles(5.0, 20, 0.1, seed=seed, pairs=pairs), profiles(), "size") for seed in range(60)]
    stated = np.sqrt(np.mean([row["peak_se_first"] ** 2 for row in found]))
    assert stated == pytest.approx(np.sqrt(2) * 0.1 / np.sqrt(10), rel=0.15)


def test_the_floor_is_what_one_graph_gives_by_itself():
    first, second = profiles(noise=0.1, modes=8, seed=1), profiles(noise=0.1, modes=8, seed=2)
    same = value(first, second, "size")
    assert 0 < same["value"] < 2 * same["floor"]
    far = value(first, profiles(2.0, noise=0.1, modes=8, seed=2), "size")
    assert far["value"] > 3 * far["floor"]
    assert far["floor"] == max(far["floor_first"], far["floor_second"])
    assert value(profiles(), profiles(), "size")["floor"] == 0


def test_halves_of_modes_share_none():
    # With two clusters of modes, a half of the pairs drawn blindly would mix them.
    four = profiles(noise=0.5, modes=4, seed=0)
    heights = four[four["t"] == 0.5].set_index(["a", "b"])["loss"]
    splits = [((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2))]
    between = [abs(heights[one] - heights[other]) / 2 for one, other in splits]
    floor = value(four, profiles(), "size")["floor_first"]
    # A mean over 20 of the three splits.
    assert min(between) <= floor <= max(between)
    assert floor == pytest.approx(np.mean(between), rel=0.4)


def test_three_modes_cannot_be_halved_and_one_pair_has_no_floor():
    three = value(profiles(modes=3, noise=0.1), profiles(modes=3, noise=0.1, seed=1), "size")
    assert three["floor"] > 0 and "share modes" in three["note"] and "no bootstrap interval" in three["note"]
    one = value(profiles(modes=2), profiles(modes=2), "shape")
    assert np.isnan(one["floor"]) and "one pair: no floor" in one["note"] and one["value"] == 0
    assert np.isnan(one["peak_se_first"])


def test_intervals_cover_the_distance_that_is_there():
    inside = 0
    for seed in range(60):
        first = profiles(1.0, 8, 0.1, seed=2 * seed)
        row = value(first, profiles(2.0, 8, 0.1, seed=2 * seed + 1), "size", bootstrap=200)
        inside += row["ci_low"] <= 0.5 <= row["ci_high"]
    assert inside / 60 > 0.8


def test_the_same_modes_on_two_graphs_are_drawn_together():
    # The second is the first, half as high again: drawn together, the ratio of the curves never changes.
    first = profiles(1.0, 8, 0.2, seed=4)
    second = first.assign(loss=1.5 * first["loss"])
    apart, together = (value(first, second, "size", same_modes=same) for same in (False, True))
    assert together["ci_high"] - together["ci_low"] < 0.7 * (apart["ci_high"] - apart["ci_low"])
    with pytest.raises(InputError, match="other pairs"):
        curve_distance(first, profiles(modes=5), same_modes=True)


def test_accuracies_are_turned_over():
    first, second = profiles(0.2), profiles(0.5)
    turned = [table.assign(accuracy=1 - table["loss"]) for table in (first, second)]
    found = value(*turned, "size", metric="accuracy", higher_is_better=True)
    assert found["value"] == pytest.approx(value(first, second, "size")["value"])
    assert found["peak_second"] == pytest.approx(0.5)


def test_groups_are_those_that_both_have_and_results_repeat():
    first = pd.concat([profiles(noise=0.1), profiles(2.0, split="test")])
    result = curve_distance(first, profiles(split="test"))
    assert result.frame()["split"].unique().tolist() == ["test"] and len(result.frame()) == 3
    assert len(result.curves) == 2 * 121 and set(result.curves["graph"]) == {"first", "second"}
    both = pd.concat([profiles(noise=0.1, seed=1), profiles(split="test")])
    alone = curve_distance(first[first["split"] == "train"], both).frame()
    together = curve_distance(first.sample(frac=1, random_state=0), both).frame()
    pd.testing.assert_frame_equal(alone, together[together["split"] == "train"].reset_index(drop=True))


def test_a_diverged_pair_is_left_out():
    lost = profiles()
    lost.loc[(lost["a"] == 0) & (lost["b"] == 1) & (lost["t"] == 0.5), "loss"] = np.nan
    assert value(lost, profiles(), "size")["num_pairs_first"] == 14


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop(columns="a"), "unknown column of the first profiles 'a'"),
        (lambda table: table[table["t"] < 1], r"runs from t = 0 to 0\.958"),
        (lambda table: pd.concat([table, table]), "more than once"),
        (lambda table: table.assign(b=table["a"]), "more than once|with itself"),
        (lambda table: table.assign(split="val"), r"share no \(split\)"),
        (lambda table: table.assign(loss=np.nan), "no pair whose loss is finite"),
        (lambda table: table.assign(loss="high"), "give numbers"),
        (lambda table: table[:0], "no rows"),
        (lambda table: [1], "is a list|are a list"),
    ],
)
def test_wrong_use_is_told(change, message):
    with pytest.raises(InputError, match=message):
        curve_distance(change(profiles()), profiles())
