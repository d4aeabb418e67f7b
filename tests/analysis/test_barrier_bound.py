"""The bound from a barrier, from what a user has at hand: hand values, steps of a training, errors in one line."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

import gnnmc
from gnnmc.analysis import generalization_bound
from gnnmc.analysis.barrier_bound import training_steps
from gnnmc.errors import InputError


def by_hand(barrier: float, n: int, m: int, steps: float, delta: float) -> float:
    return 8 * barrier * n**1.5 / (m * (n - m)) * math.log(steps) * math.log(1 / delta)


@pytest.fixture(scope="module")
def case() -> Any:
    data = gnnmc.csbm(num_nodes=90, num_classes=3, num_features=6, train_per_class=4, seed=0)
    problem = gnnmc.Problem.node_classification(data)
    model = gnnmc.build_model("gcn", problem, hidden=4)
    return model, problem


def test_a_number_with_its_sizes_gives_the_value_by_hand_and_every_term() -> None:
    found = gnnmc.bound(0.2, num_nodes=1000, num_train=100, steps=200, delta=0.1)
    row = found.frame().iloc[0]
    assert row["bound_rho_0"] == pytest.approx(by_hand(0.2, 1000, 100, 200, 0.1))
    assert row["bound_rho_half"] == pytest.approx(row["bound_rho_0"] * math.sqrt(200))
    terms = ["bound_barrier_term", "bound_size_term", "bound_schedule_term", "bound_confidence_term"]
    assert row["bound_rho_0"] == pytest.approx(float(np.prod([row[name] for name in terms])))
    assert row["constants"] == "unit constants"


@pytest.mark.parametrize("batch_size", [None, 5])
def test_profile_problem_and_mode_give_what_the_bound_needs(case: Any, batch_size: int | None) -> None:
    model, problem = case
    modes = gnnmc.train(model, problem, seeds=[0, 1], epochs=7, batch_size=batch_size)
    profile = gnnmc.profile(model, problem, gnnmc.LinearPath(*modes), points=5)
    row = gnnmc.bound(profile, problem=problem, mode=modes).frame().iloc[0]
    steps = 7 if batch_size is None else 7 * math.ceil(12 / 5)
    assert row["barrier"] == profile.barrier("chord", "loss", "train")
    assert (row["num_nodes"], row["num_train"], row["steps"]) == (90, 12, steps)
    assert row["bound_rho_0"] == pytest.approx(by_hand(row["barrier"], 90, 12, steps, 0.05))
    # What is given wins over what is known.
    given = gnnmc.bound(profile, problem=problem, mode=modes[0], num_train=30, steps=50).frame().iloc[0]
    assert (given["num_train"], given["steps"]) == (30, 50)
    loss = gnnmc.bound(profile, problem=problem, mode=modes[0], gap="loss").frame().iloc[0]
    assert loss["largest_gap"] == pytest.approx(math.log(3))


def test_the_endpoint_decides_at_which_epoch_steps_are_counted(case: Any) -> None:
    model, problem = case
    (mode,) = gnnmc.train(model, problem, seeds=[0], epochs=30)
    best = mode.at("best_val")
    epoch = best.metrics.query("endpoint == 'best_val'")["epoch"].iloc[0]
    assert epoch < 30
    assert gnnmc.bound(0.1, problem=problem, mode=best).frame()["steps"].iloc[0] == max(2, epoch)


def test_a_table_keeps_its_columns_and_they_win() -> None:
    table = pd.DataFrame({"graph": ["a", "b"], "barrier": [0.1, 0.0], "num_nodes": [500, 700], "num_train": [50, 20]})
    before = table.copy()
    found = gnnmc.bound(table, num_nodes=9, steps=100, delta=0.05)
    pd.testing.assert_frame_equal(table, before)
    expected = generalization_bound(table.assign(steps=100, delta=0.05))
    pd.testing.assert_series_equal(found.frame()["bound_rho_0"], expected["bound_rho_0"])
    assert list(found.frame()["graph"]) == ["a", "b"]
    assert found.frame()["bound_rho_0"].iloc[1] == 0 and not found.vacuous


def test_a_vacuous_bound_fires_gmc007_and_another_does_not() -> None:
    high = gnnmc.bound(0.5, num_nodes=1000, num_train=20, steps=200)
    assert high.vacuous
    (fired,) = high.diagnostics()
    assert fired.code == "GMC007" and "above the largest gap, 1" in fired.message
    low = gnnmc.bound(0.001, num_nodes=1000, num_train=500, steps=200)
    assert not low.vacuous and low.diagnostics() == []
    assert "vacuous" in repr(high) and "not vacuous" in repr(low)
    # A barrier that is not known makes nothing vacuous.
    unknown = gnnmc.bound(float("nan"), num_nodes=1000, num_train=20, steps=200)
    assert not unknown.vacuous and unknown.diagnostics() == []
    both = gnnmc.bound(pd.DataFrame({"barrier": [0.5, 0.0]}), num_nodes=1000, num_train=20, steps=200)
    assert not both.vacuous and both.diagnostics()[0].message.startswith("1 of 2 bounds")


def test_steps_are_those_of_batches_and_at_least_two() -> None:
    assert training_steps(10, 25, None) == 10
    assert training_steps(10, 25, 10) == 30
    assert training_steps(1, 25, None) == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"barrier": "high"}, "barrier is a str: give a PathProfile, a number, or a table"),
        ({"barrier": 0.1, "num_nodes": 10, "num_train": 3}, "steps is not known: give steps= or mode="),
        ({"barrier": 0.1, "num_train": 3, "steps": 9}, "num_nodes is not known: give num_nodes= or problem="),
        ({"barrier": 0.1, "problem": 3}, "problem is a int: give a gnnmc.Problem"),
        ({"barrier": 0.1, "num_nodes": 10, "num_train": 3, "mode": {}}, "without a record of its training"),
        ({"barrier": 0.1, "num_nodes": 10, "num_train": 3, "mode": []}, "mode is empty"),
        ({"barrier": 0.1, "num_nodes": 10, "num_train": 3, "steps": 9, "gap": "loss"}, "num_classes is not known"),
        ({"barrier": 0.1, "num_nodes": 10, "num_train": 3, "steps": 9, "gap": "eror"}, "gap='eror': allowed"),
        ({"barrier": -0.1, "num_nodes": 10, "num_train": 3, "steps": 9}, "chord barrier of 0 or more"),
    ],
)
def test_errors_say_what_to_do(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        gnnmc.bound(**given)
    assert "\n" not in str(caught.value)
