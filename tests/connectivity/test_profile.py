"""Profiles: the table, the barriers by name, BatchNorm at every point, diagnostics."""

import numpy as np
import pandas as pd
import pytest
import torch

from gnnmc.connectivity import BARRIERS, LinearPath, PathProfile, barrier, profile
from gnnmc.engine import ModelFunction, reestimate_batchnorm
from gnnmc.errors import InputError
from gnnmc.models import build_model
from gnnmc.problem import Problem
from gnnmc.training import train
from gnnmc.weights import clone, digest


def made(losses, accuracies=None, arc=None, stored=None, t=None, refined=()):
    """A profile with one split and given numbers."""
    losses = np.array(losses, dtype=float)
    grid = np.linspace(0, 1, len(losses)) if t is None else np.array(t, dtype=float)
    values = np.stack([losses, 1 - losses / 10 if accuracies is None else np.array(accuracies)], axis=1)[:, None]
    return PathProfile(
        t=grid,
        values=values,
        splits=("train",),
        columns=("loss", "accuracy"),
        arc_length=grid if arc is None else np.array(arc, dtype=float),
        higher_is_better={"accuracy": True},
        path_kind="linear",
        stored_ends=stored,
        refined=np.array(refined, dtype=float),
    )


@pytest.fixture
def trained(toy_problem):
    model = build_model("gcn", toy_problem)
    return model, LinearPath(*train(model, toy_problem, seeds=[0, 1], epochs=20, device="cpu"))


def test_the_frame_has_one_row_for_each_point_and_split(toy_problem, trained):
    model, path = trained
    found = profile(model, toy_problem, path, points=5, device="cpu")
    frame = found.frame()
    assert list(frame) == ["t", "split", "loss", "accuracy", "refined"]
    assert len(frame) == 15
    assert frame.t.unique().tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert not frame.refined.any()
    for split in ("train", "val", "test"):
        rows = frame[frame["split"] == split]
        np.testing.assert_array_equal(found.along("loss", split), rows.loss)
        np.testing.assert_array_equal(found.along("accuracy", split), rows.accuracy)
    assert found.values.shape == (5, 3, 2)
    assert (found.path_kind, found.stored_ends) == ("linear", None)


def test_the_default_is_25_points(toy_problem, trained):
    model, path = trained
    np.testing.assert_allclose(profile(model, toy_problem, path, device="cpu").t, np.linspace(0, 1, 25))


def test_any_grid_may_be_asked_for(toy_problem, trained):
    model, path = trained
    some = profile(model, toy_problem, path, points=[0, 0.1, 0.5, 1], device="cpu")
    many = profile(model, toy_problem, path, points=11, device="cpu")
    # Up to rounding: more points at once are other shapes for the kernels.
    np.testing.assert_allclose(some.values[1:3], many.values[[1, 5]], rtol=1e-6)


@pytest.mark.parametrize("points", [1, 0, -3, [0.1, 1], [0, 0.9], [0, 0.5, 0.5, 1], [0, 1, 0.5], [[0, 1]], [], [0]])
def test_a_grid_that_does_not_run_from_0_to_1_is_refused(toy_problem, trained, points):
    model, path = trained
    with pytest.raises(InputError, match=r"needs at least 2|increasing from 0 to 1"):
        profile(model, toy_problem, path, points=points, device="cpu")


def test_ends_are_the_modes_own_numbers(toy_problem, trained):
    model, path = trained
    modes = train(model, toy_problem, seeds=[0, 1], epochs=20, device="cpu")
    found = profile(model, toy_problem, path, points=3, device="cpu")
    for mode, row in ((modes[0], found.values[0]), (modes[1], found.values[-1])):
        last = mode.metrics[mode.metrics.endpoint == "last"].set_index("split").loc[list(found.splits)]
        np.testing.assert_allclose(row, last[["loss", "accuracy"]], atol=1e-6)


def test_barriers_are_those_of_the_named_functions(toy_problem, trained):
    model, path = trained
    found = profile(model, toy_problem, path, points=9, device="cpu")
    table = found.barriers()
    assert len(table) == 3 * 2 * len(BARRIERS)
    for row in table.itertuples():
        values = found.along(row.metric, row.split)
        expected = barrier(
            found.t, values, row.barrier_kind, higher_is_better=row.metric == "accuracy", arc_length=found.arc_length
        )
        assert row.barrier == expected == found.barrier(row.barrier_kind, row.metric, row.split)
    even = profile(model, toy_problem, path, points=4, device="cpu").barriers()
    assert set(even.barrier_kind) == set(BARRIERS) - {"midpoint"}


@pytest.mark.parametrize("middle", [0.5, 0.5 + 1e-7, 0.5 - 1e-9, 0.5 + 1e-5])
def test_a_table_of_barriers_has_the_midpoint_just_where_it_can_be_asked_for(middle):
    found = made([1, 4, 3], t=[0, middle, 1])
    listed = "midpoint" in set(found.barriers().barrier_kind)
    assert listed == (abs(middle - 0.5) <= 1e-6)
    if listed:
        assert found.barrier("midpoint") == 2.0
    else:
        with pytest.raises(InputError, match="needs t = 1/2 on the grid"):
            found.barrier("midpoint")


def test_the_default_barrier_is_the_chord_of_the_train_loss():
    assert made([1, 4, 3]).barrier() == 2.0
    assert made([1, 4, 3], accuracies=[0.8, 0.2, 0.6]).barrier(metric="accuracy") == pytest.approx(0.5)
    assert np.isnan(made([1, np.nan, 3]).barrier())


def test_unknown_names_are_explained():
    found = made([1, 2, 1])
    with pytest.raises(InputError, match="unknown split 'tran': did you mean 'train'"):
        found.barrier(split="tran")
    with pytest.raises(InputError, match=r"unknown metric 'acc': .*allowed: accuracy, loss"):
        found.along("acc")
    with pytest.raises(InputError, match="unknown barrier 'cord': did you mean 'chord'"):
        found.barrier("cord")


def test_weights_that_do_not_fit_the_model_are_named(toy_problem, trained):
    _, path = trained
    with pytest.raises(InputError, match=r"layers\.0\.bias: \(64,\) in the path's first end, \(32,\) in the model"):
        profile(build_model("gcn", toy_problem, hidden=32), toy_problem, path, device="cpu")


def test_nothing_of_the_callers_is_changed(toy_problem, trained):
    model, path = trained
    before = digest(model.state_dict()), [digest(p) for p in path.control_points], torch.random.get_rng_state()
    profile(model, toy_problem, path, points=3, device="cpu")
    assert (digest(model.state_dict()), [digest(p) for p in path.control_points]) == before[:2]
    assert torch.equal(torch.random.get_rng_state(), before[2])


def test_batchnorm_statistics_are_measured_anew_at_every_point_ends_included(toy_problem):
    model = build_model("gcn", toy_problem, norm="batch")
    modes = train(model, toy_problem, seeds=[0, 1], epochs=5, device="cpu")
    path = LinearPath(*modes)
    fresh = profile(model, toy_problem, path, points=5, device="cpu")
    stored = profile(model, toy_problem, path, points=5, batchnorm="stored", device="cpu")
    function = ModelFunction(model, toy_problem, "cpu")
    for number, t in enumerate(fresh.t):
        point = path.point(t)
        expected = toy_problem.measure(function(reestimate_batchnorm(function, point)))
        np.testing.assert_allclose(fresh.values[number], expected, atol=1e-6)
        np.testing.assert_allclose(stored.values[number], toy_problem.measure(function(point)), atol=1e-6)
    assert stored.stored_ends is None
    np.testing.assert_allclose(fresh.stored_ends.loss, stored.values[[0, -1], :, 0].reshape(-1), atol=1e-6)
    assert fresh.stored_ends.t.tolist() == [0.0] * 3 + [1.0] * 3
    assert [mode.last["norms.0.num_batches_tracked"] for mode in modes] == [5, 5]


def test_stale_batchnorm_statistics_fire(toy_problem):
    model = build_model("gcn", toy_problem, norm="batch")
    a, b = (clone(mode.last) for mode in train(model, toy_problem, seeds=[0, 1], epochs=5, device="cpu"))
    a["norms.0.running_mean"] += 3
    fired = profile(model, toy_problem, LinearPath(a, b), points=3, device="cpu").diagnostics()
    codes = [d.code for d in fired if "end t = 0" in d.message]
    assert codes.count("GMC003") == 3
    assert any("train loss" in d.message and "stored" in d.message for d in fired)


def test_fresh_batchnorm_statistics_do_not_fire():
    ends = pd.DataFrame({"t": [0.0, 1.0], "split": ["train"] * 2, "loss": [1.005, 3.0], "accuracy": [0.5, 0.5]})
    assert made([1, 2, 3], stored=ends).diagnostics() == []
    ends.loc[1, "loss"] = 3.1
    (fired,) = made([1, 2, 3], stored=ends).diagnostics()
    assert str(fired) == "GMC003 stale BatchNorm statistics: end t = 1, train loss 3.1 stored, 3 re-estimated"


def test_a_coarse_grid_fires():
    fired = made([1, 1, 4, 1, 1]).diagnostics()
    assert [d.code for d in fired] == ["GMC004"]
    assert "changes by 3 between two of 5 points" in fired[0].message
    smooth = 1 + 3 * np.sin(np.linspace(0, np.pi, 25))
    assert made(smooth).diagnostics() == []


def test_where_a_refinement_has_looked_the_grid_is_not_too_coarse():
    t = [0, 0.25, 0.45, 0.5, 0.55, 0.75, 1]
    assert made([1, 1, 3, 4, 3, 1, 1], t=t, refined=[0.45, 0.55]).diagnostics() == []
    # but another peak may hide between points that were not searched
    (fired,) = made([1, 3, 3.9, 4, 3.9, 3.5, 1], t=t, refined=[0.45, 0.55]).diagnostics()
    assert str(fired) == "GMC004 grid too coarse: train loss changes by 2.5 between two of 5 points"


def test_the_peak_is_where_the_chord_barrier_is_taken():
    found = made([1, 5, 4, 5.25, 3], accuracies=[0.8, 0.7, 0.1, 0.6, 0.6])
    assert found.peak() == 0.25  # the loss itself is largest at 0.75
    assert found.peak("accuracy") == 0.5
    assert made([1, 0, 1]).peak() == 0.0
    assert np.isnan(made([1, np.nan, 1]).peak())


def test_an_unknown_batchnorm_rule_is_refused(toy_problem, trained):
    model, path = trained
    with pytest.raises(InputError, match="unknown batchnorm rule 'restimate': did you mean 'reestimate'"):
        profile(model, toy_problem, path, batchnorm="restimate", device="cpu")


def test_arc_length_counts_every_parameter_once_and_no_buffer(toy_problem):
    model = build_model("gcn", toy_problem, norm="batch")
    a, b = train(model, toy_problem, seeds=[0, 1], epochs=3, device="cpu")
    found = profile(model, toy_problem, LinearPath(a, b), points=5, device="cpu")
    square = sum(float((a.last[n] - b.last[n]).double().square().sum()) for n, _ in model.named_parameters())
    assert found.arc_length[-1] == pytest.approx(square**0.5, rel=1e-6)


def test_weights_that_are_not_finite_give_nan_and_no_error(toy_problem, trained):
    model, path = trained
    broken = {name: torch.full_like(value, torch.nan) for name, value in path.ends[1].items()}
    found = profile(model, toy_problem, LinearPath(path.ends[0], broken), points=3, device="cpu")
    assert np.isnan(found.barrier())
    assert codes(found) == ["GMC012"]
    assert np.isfinite(found.values[0]).all()


def test_numpys_whole_numbers_are_a_number_of_points(toy_problem, trained):
    model, path = trained
    for five in (np.int64(5), np.array(5)):
        assert len(profile(model, toy_problem, path, points=five, device="cpu").t) == 5
    with pytest.raises(InputError, match="points='many': expected a whole number, or coordinates from 0 to 1"):
        profile(model, toy_problem, path, points="many", device="cpu")


def test_what_is_no_path_problem_or_model_is_told(toy_graph, toy_problem, trained):
    model, path = trained
    with pytest.raises(InputError, match=r"expected a path, got tuple: pass gnnmc\.LinearPath\(a, b\)"):
        profile(model, toy_problem, path.ends, device="cpu")
    with pytest.raises(InputError, match="expected a Problem, got Data: make one with"):
        profile(model, toy_graph, path, device="cpu")
    with pytest.raises(InputError, match=r"expected a torch\.nn\.Module or a factory .*, got str"):
        profile("gcn", toy_problem, path, device="cpu")


def test_units_are_the_problems_own_and_the_axis_says_them(toy_problem, trained):
    model, path = trained
    found = profile(model, toy_problem, path, points=3, device="cpu")
    assert found.units == {"loss": "nats per labeled item", "accuracy": "fraction in [0, 1]"}
    assert found.plot().get_ylabel() == "loss (nats per labeled item)"
    assert found.plot(metric="accuracy").get_ylabel() == "accuracy (fraction in [0, 1])"
    assert made([1, 2, 1]).plot().get_ylabel() == "loss"
    with pytest.raises(InputError, match="unknown metric 'acc': did you mean 'accuracy'"):
        found.plot(metric="acc")
    with pytest.raises(InputError, match="unknown split 'tran': did you mean 'train'"):
        found.plot(splits=["tran"])
    regression = Problem.arrays(torch.ones(4, 2), torch.zeros(4), {"train": torch.arange(4)})
    line = LinearPath({"weight": torch.zeros(1, 2)}, {"weight": torch.ones(1, 2)})
    squares = profile(torch.nn.Linear(2, 1, bias=False), regression, line, points=3, device="cpu")
    assert squares.plot().get_ylabel() == "loss (squared units of the target)"


def square_problem():
    """One weight w on inputs 1, targets 0: the loss is w²."""
    return Problem.arrays(torch.ones(4, 1), torch.zeros(4), {"train": torch.arange(4)})


def test_transforms_are_applied_in_order_before_the_evaluation():
    line = LinearPath({"weight": torch.tensor([[1.0]])}, {"weight": torch.tensor([[3.0]])})
    seen = []

    def double(t, weights, ends):
        seen.append((t, float(weights["weight"]), float(ends[0]["weight"]), float(ends[1]["weight"])))
        return {"weight": 2 * weights["weight"]}

    def plus_t(t, weights, ends):
        return {"weight": weights["weight"] + t}

    model = torch.nn.Linear(1, 1, bias=False)
    found = profile(model, square_problem(), line, points=3, transforms=[double, plus_t], device="cpu")
    np.testing.assert_allclose(found.along("loss"), [2**2, 4.5**2, 7**2])
    assert seen == [(0.0, 1.0, 1.0, 3.0), (0.5, 2.0, 1.0, 3.0), (1.0, 3.0, 1.0, 3.0)]
    swapped = profile(model, square_problem(), line, points=3, transforms=[plus_t, double], device="cpu")
    np.testing.assert_allclose(swapped.along("loss"), [2**2, 5**2, 8**2])
    np.testing.assert_allclose(found.arc_length, [0, 1, 2])  # of the path itself


def test_a_transform_comes_before_batchnorm_and_blames_nothing_on_it(toy_problem):
    model = build_model("gcn", toy_problem, norm="batch")
    path = LinearPath(*train(model, toy_problem, seeds=[0, 1], epochs=5, device="cpu"))

    def spoil(t, weights, ends):
        return {name: value + 5 if "running" in name else value for name, value in weights.items()}

    plain, spoiled = (
        profile(model, toy_problem, path, points=3, transforms=chosen, device="cpu") for chosen in ((), (spoil,))
    )
    np.testing.assert_allclose(
        plain.values, spoiled.values, rtol=1e-6
    )  # what a transform did to the statistics is replaced
    stored = profile(model, toy_problem, path, points=3, transforms=[spoil], batchnorm="stored", device="cpu")
    np.testing.assert_array_equal(spoiled.stored_ends.loss, stored.values[[0, -1], :, 0].reshape(-1))
    assert not np.array_equal(stored.values, plain.values)


def test_a_transform_that_gives_other_weights_is_told():
    line = LinearPath({"weight": torch.ones(1, 1)}, {"weight": torch.ones(1, 1)})
    with pytest.raises(InputError, match=r"weight: \(2, 1\) in what transform 1 gave at t = 0, \(1, 1\) in the model"):
        profile(
            torch.nn.Linear(1, 1, bias=False),
            square_problem(),
            line,
            transforms=[lambda t, weights, ends: {"weight": torch.ones(2, 1)}],
            device="cpu",
        )


def codes(found):
    return [diagnostic.code for diagnostic in found.diagnostics()]


def test_an_end_or_a_curve_that_is_not_finite_is_told():
    assert codes(made([np.nan, 1, 1, 1, 1])) == ["GMC012"]
    assert codes(made([np.nan, 1, 1, 1, np.inf])) == ["GMC012", "GMC012"]
    lost = made([1, np.inf, 1, 1, 1]).diagnostics()
    assert [str(diagnostic) for diagnostic in lost] == [
        "GMC014 a fitted curve diverged: the loss of the linear path is not finite from t = 0.25 on"
    ]
    assert codes(made([1, 1, 1, 1, 1])) == []


def test_equal_ends_are_told(toy_problem, trained):
    model, path = trained
    same = LinearPath(path.ends[0], path.ends[0])
    assert codes(profile(model, toy_problem, same, points=3, device="cpu")) == ["GMC017"]
    assert "GMC017" not in codes(profile(model, toy_problem, path, points=3, device="cpu"))


def test_splits_that_share_items_with_the_training_split_are_told(toy_graph, trained):
    model, path = trained
    splits = {"train": torch.arange(60), "val": torch.arange(55, 70), "test": torch.arange(70, 90)}
    x_only = build_model("mlp", problem := Problem.arrays(toy_graph.x, toy_graph.y, splits))
    line = LinearPath(*train(x_only, problem, seeds=[0, 1], epochs=3, device="cpu"))
    found = profile(x_only, problem, line, points=41, device="cpu").diagnostics()
    assert [d.message for d in found if d.code == "GMC018"] == ["5 items of val are in train too"]
    assert "GMC018" not in codes(profile(model, Problem.node_classification(toy_graph), path, points=3, device="cpu"))
