"""Differences on the same graphs: what is common to both drops out, clusters are resampled whole."""

import numpy as np
import pandas as pd
import pytest

from gnnmc.analysis import paired_differences
from gnnmc.errors import InputError

BY = ("model",)


def table(shift: float = 0.0, graphs: int = 20, pairs: int = 3, noise: float = 0.01, seed: int = 0) -> pd.DataFrame:
    """Barriers that differ much between graphs (seed 0), and by `shift` between treatments."""
    height = np.random.default_rng(0).random(graphs)
    rng = np.random.default_rng(seed)
    rows = [
        {"model": "gcn", "graph": f"g{i}", "cluster": f"c{i}", "barrier": height[i] + shift + noise * rng.normal()}
        for i in range(graphs)
        for _ in range(pairs)
    ]
    return pd.DataFrame(rows)


def test_a_shift_much_smaller_than_the_spread_of_graphs_is_found() -> None:
    row = paired_differences(table(), table(0.05, seed=1), by=BY).iloc[0]
    assert row["difference"] == pytest.approx(0.05, abs=0.01)
    assert 0.03 < row["ci_low"] < row["difference"] < row["ci_high"] < 0.07
    assert row["second"] - row["first"] == pytest.approx(row["difference"])
    assert (row["num_graphs"], row["num_clusters"], row["note"]) == (20, 20, "")


def test_only_graphs_and_groups_that_both_have_are_compared() -> None:
    first = pd.concat([table(), table().assign(model="mlp")])
    row = paired_differences(first, table(0.1, graphs=12), by=BY)
    assert row["model"].tolist() == ["gcn"] and row["num_graphs"].tolist() == [12]
    with pytest.raises(InputError, match=r"share no \(model, graph\)"):
        paired_differences(table().assign(graph=lambda rows: "other " + rows["graph"]), table(), by=BY)


def test_versions_of_one_graph_are_one_cluster() -> None:
    one = {"cluster": lambda rows: "base " + (rows["graph"].str[1:].astype(int) % 5).astype(str)}
    row = paired_differences(table().assign(**one), table(0.1).assign(**one), by=BY).iloc[0]
    assert row["num_clusters"] == 5 and np.isnan(row["ci_low"]) and row["note"] == "5 clusters: no bootstrap interval"


def test_a_lost_barrier_is_left_out() -> None:
    lost = table(0.1)
    lost.loc[lost["graph"] == "g0", "barrier"] = np.nan
    assert paired_differences(table(), lost, by=BY).iloc[0]["num_graphs"] == 19


def test_the_order_of_rows_does_not_matter() -> None:
    first, second = table(), table(0.05, seed=1)
    shuffled = [frame.sample(frac=1, random_state=3) for frame in (first, second)]
    pd.testing.assert_frame_equal(paired_differences(first, second, by=BY), paired_differences(*shuffled, by=BY))
