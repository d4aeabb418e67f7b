"""Statistics that cannot be told apart: pairs are named, so are those that depend on one another, others are left."""

import numpy as np
import pandas as pd
import pytest

from gnnmc.analysis import collinear_statistics
from gnnmc.errors import InputError


def graphs(count: int = 40, seed: int = 0) -> pd.DataFrame:
    """Independent statistics a, b, c; `like_a` orders the graphs as a does but for a little noise; d is a sum."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(count, 3)), columns=["a", "b", "c"])
    names = [f"g{i:02d}" for i in range(count)]
    return frame.assign(
        graph=names, cluster=names, like_a=-np.exp(frame["a"] + 0.02 * frame["b"]), d=frame[["a", "b", "c"]].sum(axis=1)
    )


def test_a_pair_that_orders_the_graphs_alike_is_named_and_fires() -> None:
    found = collinear_statistics(graphs(), ["a", "b", "like_a"])
    alike = found.pairs.set_index(["first", "second"])
    assert alike["alike"].to_dict() == {("a", "b"): False, ("a", "like_a"): True, ("b", "like_a"): False}
    assert -1 <= alike.loc[("a", "like_a"), "rho"] < -0.95  # the other way round carries the same
    (diagnostic,) = found.diagnostics()
    assert diagnostic.code == "GMC025"
    assert diagnostic.message == "a and like a (ρ = −1.00) (40 graphs in 40 clusters)"
    assert not found.dependent


def test_rho_is_spearmans_where_every_graph_is_a_cluster() -> None:
    table = graphs()
    found = collinear_statistics(table, ["a", "b", "d"]).pairs.set_index(["first", "second"])["rho"]
    expected = table[["a", "b", "d"]].corr("spearman")
    for first, second in found.index:
        assert found[first, second] == pytest.approx(expected.loc[first, second])


def test_statistics_that_can_be_told_apart_are_left_alone() -> None:
    found = collinear_statistics(graphs(), ["a", "b", "c"])
    assert not found.diagnostics() and found.condition < 3


def test_a_statistic_that_is_a_sum_of_others_is_named_though_no_two_are_alike() -> None:
    table = graphs().assign(other=lambda rows: rows["b"] * rows["c"])
    noise = 0.01 * np.random.default_rng(1).normal(size=len(table))
    found = collinear_statistics(table.assign(d=table["d"] + noise), ["a", "b", "c", "d", "other"])
    assert not found.pairs["alike"].any() and found.condition > 30
    assert set(found.dependent) == {"a", "b", "c", "d"}
    assert found.messages[0].startswith("a, b, c and d (condition number ")


def test_versions_of_one_graph_count_once() -> None:
    table = graphs(12)
    twins = pd.concat([table] + [table.iloc[[0]].assign(graph=f"twin {i}", like_a=100.0 + i) for i in range(30)])
    twins["cluster"] = twins["cluster"].where(~twins["graph"].str.startswith("twin"), "g00")
    found = collinear_statistics(twins, ["a", "b"])
    assert (found.num_graphs, found.num_clusters) == (42, 12)
    few = collinear_statistics(table, ["a", "b"]).pairs["rho"].iloc[0]
    assert found.pairs["rho"].iloc[0] == pytest.approx(few, abs=0.15)
    assert abs(twins[["a", "b"]].corr("spearman").iloc[0, 1] - few) > 0.15  # what counting all of them would give


def test_fewer_graphs_than_statistics_cannot_tell_them_apart() -> None:
    found = collinear_statistics(graphs(3), ["a", "b", "c", "d"])
    assert found.messages and not np.isfinite(found.condition)


@pytest.mark.parametrize("statistics", [["a", "same"], ["same", "same_too"]])
def test_what_does_not_vary_is_alike_to_none(statistics: list[str]) -> None:
    found = collinear_statistics(graphs().assign(same=1.0, same_too=2.0), statistics)
    assert found.pairs["rho"].isna().all() and not found.messages


@pytest.mark.parametrize(
    ("statistics", "message"),
    [(["a"], "at least two"), ("ab", "at least two"), (["a", "bb"], "did you mean 'b'"), (["a", "graph"], "two roles")],
)
def test_wrong_use_is_refused(statistics: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        collinear_statistics(graphs(), statistics)  # type: ignore[arg-type]


def test_nothing_given_is_changed_and_pairs_of_modes_do_not_matter() -> None:
    table = graphs()
    before = table.copy()
    one = collinear_statistics(table, ["a", "like_a"])
    pd.testing.assert_frame_equal(table, before)
    many = collinear_statistics(pd.concat([table, table, table]), ["a", "like_a"])
    pd.testing.assert_frame_equal(one.pairs, many.pairs)
