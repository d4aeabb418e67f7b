"""Means over graphs, with an interval that says what it is."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp

from gnnmc.analysis import barrier_summary
from gnnmc.errors import InputError


def cell(means: list[float], clusters: list[str] | None = None, pairs: int = 2, **labels: object) -> pd.DataFrame:
    """Graphs with the given pair-averaged barriers."""
    rows = [
        {"graph": f"g{i}", "cluster": clusters[i] if clusters else f"g{i}", "barrier": mean + shift, **labels}
        for i, mean in enumerate(means)
        for shift in np.linspace(-0.1, 0.1, pairs)
    ]
    return pd.DataFrame(rows)


def summarize(table: pd.DataFrame, **settings: object) -> pd.Series:
    frame = barrier_summary(table.assign(h=0.5), ["h"], **settings)
    assert len(frame) == 1
    return frame.iloc[0]


@pytest.mark.parametrize("graphs", [3, 12])
def test_the_interval_of_independent_graphs_is_students(graphs: int) -> None:
    values = list(np.random.default_rng(0).random(graphs))
    row = summarize(cell(values))
    oracle = ttest_1samp(values, 0).confidence_interval(0.95)
    assert row["mean"] == pytest.approx(np.mean(values))
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((oracle.low, oracle.high))
    assert row["interval"] == "t over clusters" and row["value"] == "barrier"
    assert (row["num_graphs"], row["num_clusters"], row["num_pairs"]) == (graphs, graphs, 2 * graphs)


def test_equal_clusters_count_as_their_means() -> None:
    row = summarize(cell([0.1, 0.3, 0.4, 0.6, 0.2, 0.8], list("aabbcc")))
    oracle = ttest_1samp([0.2, 0.5, 0.5], 0).confidence_interval(0.95)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((oracle.low, oracle.high))
    assert row["num_clusters"] == 3


def test_unequal_clusters_use_the_ratio_estimate() -> None:
    values, clusters = np.array([0.1, 0.2, 0.3, 0.7]), list("aabc")
    row = summarize(cell(list(values), clusters))
    sums = [0.3 - 2 * values.mean(), 0.3 - values.mean(), 0.7 - values.mean()]
    error = np.sqrt(3 / 2 * np.square(sums).sum()) / 4
    assert row["ci_high"] - row["mean"] == pytest.approx(4.302653 * error, rel=1e-6)


def test_pairs_are_averaged_within_the_graph_first() -> None:
    many = cell([1.0], pairs=9)
    few = cell([2.0, 3.0]).assign(graph=["x", "x", "y", "y"], cluster=["x", "x", "y", "y"])
    assert summarize(pd.concat([many, few]))["mean"] == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("table", "label"),
    [
        (cell([0.1, 0.2]), "none: fewer than 3 clusters"),
        (cell([0.1, 0.2, 0.3, 0.4], list("aabb")), "none: fewer than 3 clusters"),
        (cell([0.2, 0.2, 0.2], pairs=1), "none: all clusters alike"),
        (cell([0.0, 0.0, 0.0]).assign(barrier=0.0), "none: all clusters alike"),
        (cell([0.1]).assign(barrier=np.nan), "none: fewer than 3 clusters"),
    ],
)
def test_without_an_interval_the_table_says_why(table: pd.DataFrame, label: str) -> None:
    row = summarize(table)
    assert row["interval"] == label and np.isnan(row["ci_low"]) and np.isnan(row["ci_high"])


def test_diverged_rows_are_counted_and_cells_keep_the_order_of_the_table() -> None:
    table = pd.concat([cell([0.1, 0.2, 0.3], h=0.9), cell([0.4, 0.5, 0.9], h=0.1)], ignore_index=True)
    table.loc[0, "barrier"] = np.nan
    frame = barrier_summary(table, ["h"])
    assert frame["h"].tolist() == [0.9, 0.1] and frame["dropped_rows"].tolist() == [1, 0]


def test_intervals_cover_with_three_graphs() -> None:
    rng = np.random.default_rng(1)
    trials = [cell(list(rng.normal(1, 0.2, size=3)), h=i) for i in range(300)]
    frame = barrier_summary(pd.concat(trials), ["h"])
    assert 0.91 <= ((frame["ci_low"] <= 1) & (frame["ci_high"] >= 1)).mean() <= 0.99


def test_wrong_use_is_one_clear_line() -> None:
    with pytest.raises(InputError, match="confidence=2"):
        summarize(cell([0.1]), confidence=2)
    with pytest.raises(InputError, match="'mean' is a column of the result"):
        barrier_summary(cell([0.1], mean=1.0), ["mean"])
