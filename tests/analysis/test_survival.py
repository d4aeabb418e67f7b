"""What is left under a treatment: of means, of ranks, of slopes, each graph compared with itself."""

import numpy as np
import pandas as pd
import pytest

from gnnmc.analysis import survival
from gnnmc.errors import InputError

WAYS = {"treatment": "aligned", "baseline": "none", "by": ("model",)}


def table(left: float = 0.1, slope: float = -0.5, graphs: int = 20, pairs: int = 3, noise: float = 0.02):
    """Barriers 0.6 + slope·h, and a share of them (of the level and of the slope) under the treatment."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(graphs):
        h = i / graphs
        for _ in range(pairs):
            height = 0.6 + slope * h + noise * rng.normal()
            for aligned, barrier in (("none", height), ("weights", left * height)):
                rows.append({"model": "gcn", "graph": f"g{i}", "cluster": f"c{i}", "h": h, "aligned": aligned})
                rows[-1]["barrier"] = barrier
    return pd.DataFrame(rows)


def test_a_tenth_of_everything_is_a_tenth_of_level_and_slope_and_all_of_the_ranks():
    (row,) = survival(table(), ["h"], **WAYS).to_dict("records")
    assert (row["model"], row["aligned"], row["statistic"], row["outcome"]) == ("gcn", "weights", "h", "barrier")
    assert row["mean_left"] == pytest.approx(0.1) and row["slope_left"] == pytest.approx(0.1)
    assert row["mean_after"] == pytest.approx(0.1 * row["mean_before"])
    assert row["rho_before"] == row["rho_after"] < -0.9 and row["rho_change"] == 0
    for name in ("mean_left", "slope_left", "rho_change"):
        assert row[f"{name}_low"] == pytest.approx(row[name]) and row[f"{name}_high"] == pytest.approx(row[name])
    assert (row["num_graphs"], row["num_clusters"], row["note"]) == (20, 20, "")


def test_a_level_that_stays_and_a_relation_that_goes_are_told_apart():
    frame = table()
    flat = frame["aligned"] == "weights"
    frame.loc[flat, "barrier"] = 0.3 + 0.01 * np.random.default_rng(1).normal(size=flat.sum())
    (row,) = survival(frame, ["h"], **WAYS).to_dict("records")
    assert 0.7 < row["mean_left"] < 1
    assert abs(row["slope_left"]) < 0.1
    assert row["slope_left_low"] < 0 < row["slope_left_high"] < 0.2
    assert abs(row["rho_after"]) < 0.6 < row["rho_change"]


def test_the_slope_is_that_of_least_squares_on_ranks():
    frame = table(noise=0.1)
    means = frame.groupby(["aligned", "graph"], sort=False)["barrier"].mean()
    ranks = np.arange(1, 21)
    expected = np.polyfit(ranks, means["weights"], 1)[0] / np.polyfit(ranks, means["none"], 1)[0]
    assert survival(frame, ["h"], **WAYS)["slope_left"].iloc[0] == pytest.approx(expected)


def test_a_ratio_to_what_may_be_zero_has_no_interval():
    frame = table(slope=0.0)
    (row,) = survival(frame, ["h"], **WAYS).to_dict("records")
    assert np.isnan(row["slope_left_low"]) and np.isfinite(row["mean_left_low"])


def test_only_graphs_that_have_both_are_compared_and_few_have_no_interval():
    frame = table()
    frame = frame[(frame["aligned"] == "none") | frame["graph"].isin([f"g{i}" for i in range(5)])]
    (row,) = survival(frame, ["h"], **WAYS).to_dict("records")
    assert row["num_graphs"] == 5
    assert row["note"] == "5 clusters: no bootstrap interval" and np.isnan(row["mean_left_low"])
    assert survival(frame[frame["aligned"] == "none"], ["h"], **WAYS).empty


def test_pairs_without_a_number_are_left_out():
    frame = table()
    frame.loc[frame["graph"] == "g3", "barrier"] = np.nan
    assert survival(frame, ["h"], **WAYS)["num_graphs"].iloc[0] == 19


def test_a_clash_of_names_is_told():
    with pytest.raises(InputError, match="by='note' is a column of the result"):
        survival(table().assign(note="x"), ["h"], treatment="aligned", baseline="none", by=("note",))
