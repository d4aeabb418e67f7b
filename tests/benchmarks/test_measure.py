"""Who is timed when, and that wrong numbers are no result."""

import time

import numpy as np
import pytest

from benchmarks.agreement import Disagreement, same_law, same_values
from benchmarks.measure import BASELINE, LIMIT, OURS, Bench, _order, measure


def bench(order, ours=lambda inputs: np.zeros((3, 2)), **more):
    def called(name, result):
        def call(inputs):
            order.append((name, inputs))
            return result(inputs)

        return call

    contenders = {
        BASELINE: called(BASELINE, lambda inputs: np.zeros((3, 2))),
        OURS: called(OURS, ours),
    }
    return Bench(fresh=lambda repeat: f"weights {repeat}", contenders=contenders, check=same_values, **more)


def test_they_alternate_on_inputs_that_are_new_in_every_round():
    order = []
    times = measure(bench(order), repeats=3)
    assert len(order) == 2 * 4
    rounds = [order[i : i + 2] for i in range(0, 8, 2)]
    assert [{inputs for _, inputs in both} for both in rounds] == [{f"weights {i}"} for i in range(4)]
    firsts = [both[0][0] for both in rounds[1:]]
    assert BASELINE in firsts and OURS in firsts
    assert {name: len(each) for name, each in times.each.items()} == {BASELINE: 3, OURS: 3}
    assert set(times.first) == {BASELINE, OURS}


def test_the_first_call_is_not_among_the_others():
    def slow_at_first(inputs, calls=[]):  # noqa: B006
        calls.append(inputs)
        time.sleep(0.05 if len(calls) == 1 else 0)
        return np.zeros((3, 2))

    times = measure(bench([], ours=slow_at_first), repeats=2)
    assert times.first[OURS] >= 0.05
    assert max(times.each[OURS]) < 0.05


def test_a_warm_up_may_be_shorter_and_the_limit_is_timed_in_the_same_rounds():
    order, limits = [], []
    times = measure(bench(order, warm="short", limit=lambda: limits.append(1)), repeats=2)
    assert [inputs for _, inputs in order[:2]] == ["short", "short"]
    assert "short" not in [inputs for _, inputs in order[2:]]
    assert len(limits) == 3
    assert len(times.each[LIMIT]) == 2


def test_wrong_numbers_are_no_result():
    with pytest.raises(Disagreement, match=r"losses differ by 0\.001"):
        measure(bench([], ours=lambda inputs: np.full((3, 2), 1e-3)), repeats=1)


@pytest.mark.parametrize(
    "wrong", [[[1.0, 0.5]], [[np.nan, 0.5], [2.0, 0.5]], [[1.0, 0.6], [2.0, 0.5]], [[1.0, 0.5], [2.0001, 0.5]]]
)
def test_values_that_are_not_the_same(wrong):
    right = np.array([[1.0, 0.5], [2.0, 0.5]])
    assert same_values([right], [right + 1e-7])["max |Δ loss|"] == pytest.approx(1e-7)
    with pytest.raises(Disagreement):
        same_values([np.array(wrong)], [right])


def test_means_of_what_is_random_may_differ_by_their_errors_alone():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 40, 1))
    said = same_law([a[:20], a[20:]], [b], ["loss"], [0.0])
    assert said["loss, ours"] == pytest.approx(a.mean())
    with pytest.raises(Disagreement, match="loss: "):
        same_law([a + 1.5], [b], ["loss"], [0.0])
    same_law([a + 1.5], [b], ["loss"], [1.5])


def test_of_two_neighbors_each_comes_first_every_other_round():
    names = ["a", "b", "c", "d"]
    orders = [_order(names, repeat) for repeat in range(8)]
    assert all(sorted(order) == names for order in orders)
    before = [order.index("a") < order.index("b") for order in orders]
    assert before.count(True) == 4
    assert {order[0] for order in orders} == set(names)
