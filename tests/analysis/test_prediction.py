"""Barriers of graphs that were held out: predicted where there is something to predict, and never from their twins."""

import numpy as np
import pandas as pd
import pytest

from gnnmc.analysis import predict_barrier
from gnnmc.errors import InputError


def graphs(num: int = 30, versions: int = 1, seed: int = 0) -> pd.DataFrame:
    """log B follows a hump in h; `noise` says nothing. Versions of a graph share all but noise, and are one cluster."""
    rng = np.random.default_rng(seed)
    h = np.repeat(rng.random(num), versions)
    names = [f"g{i}" for i in range(num * versions)]
    height = np.exp(-1 - 8 * (h - 0.4) ** 2 + 0.05 * rng.normal(size=len(h)))
    return pd.DataFrame(
        {
            "graph": names,
            "cluster": np.repeat([f"c{i}" for i in range(num)], versions),
            "barrier": height,
            "h": h,
            "noise": rng.random(len(h)),
            "constant": 1.0,
        }
    )


def score(table: pd.DataFrame, names: list[str], **settings: object) -> pd.Series:
    scores = predict_barrier(table, {"set": names}, **({"by": (), "bootstrap": 200} | settings)).scores
    assert len(scores) == 1
    return scores.iloc[0]


def test_a_curve_is_predicted_on_graphs_held_out() -> None:
    row = score(graphs(), ["h"])
    assert row["r2"] > 0.9 and 0.8 < row["ci_low"] < row["r2"] < row["ci_high"]
    assert row["error_factor"] < 1.25  # typical factor; the noise alone is exp(.05)
    assert (row["num_graphs"], row["num_clusters"], row["folds"], row["note"]) == (30, 30, 5, "")


def test_noise_predicts_nothing() -> None:
    row = score(graphs(), ["noise"])
    assert row["r2"] < 0.15 and row["ci_low"] < 0


def test_versions_of_a_graph_are_never_predicted_from_one_another() -> None:
    # Every base graph has a barrier of its own, and a statistic that names it: a leak would predict it at once.
    rng = np.random.default_rng(1)
    table = graphs(num=12, versions=4)
    mark = pd.factorize(table["cluster"])[0]
    table["mark"], table["barrier"] = mark, rng.permutation(np.geomspace(0.01, 1, 12))[mark]
    apart = score(table, ["mark"])
    assert apart["num_clusters"] == 12 and apart["r2"] < 0.2
    # The same table with every version as its own cluster shows what the leak would have been.
    assert score(table.assign(cluster=table["graph"]), ["mark"])["r2"] > apart["r2"] + 0.2


def test_what_matters_is_what_is_lost_when_it_is_exchanged() -> None:
    found = predict_barrier(graphs(), {"both": ["noise", "h"]}, by=(), repeats=30).importances
    assert found["statistic"].tolist() == ["h", "noise"]
    important = found.set_index("statistic")["importance"]
    assert important["h"] > 1 and abs(important["noise"]) < 0.1


def test_sets_and_groups_have_a_row_each_and_do_not_touch_one_another() -> None:
    table = pd.concat([graphs().assign(model="gcn"), graphs(seed=3).assign(model="mlp")])
    sets = {"one": ["h"], "two": ["h", "noise"]}
    both = predict_barrier(table, sets, by=("model",))
    assert both.scores[["model", "predictors"]].to_numpy().tolist() == [
        ["gcn", "one"],
        ["gcn", "two"],
        ["mlp", "one"],
        ["mlp", "two"],
    ]
    alone = predict_barrier(table[table["model"] == "mlp"].sample(frac=1, random_state=0), sets, by=("model",))
    pd.testing.assert_frame_equal(both.scores.iloc[2:].reset_index(drop=True), alone.scores)
    assert len(both.importances) == 6


def test_constant_statistics_are_dropped_by_name() -> None:
    row = score(graphs(), ["h", "constant"])
    assert (row["statistics"], row["dropped_statistics"]) == ("h", "constant")


@pytest.mark.parametrize(
    ("table", "names", "note"),
    [
        (graphs(num=3), ["h"], "3 clusters: at least 4 are needed to hold some out"),
        (graphs(), ["constant"], "every statistic is the same for all graphs"),
        (graphs().assign(barrier=0.5), ["h"], "the outcome is the same for all graphs"),
        (graphs(num=8), ["h"], "8 clusters: no bootstrap interval"),
    ],
)
def test_what_cannot_be_said_is_noted(table: pd.DataFrame, names: list[str], note: str) -> None:
    row = score(table, names)
    assert row["note"] == note and np.isnan(row["ci_low"])


def test_a_graph_without_the_statistic_is_counted_out() -> None:
    table = graphs()
    table.loc[:2, "h"] = np.nan
    row = score(table, ["h"])
    assert (row["num_graphs"], row["dropped_graphs"]) == (27, 3)


@pytest.mark.parametrize(
    ("predictors", "settings", "message"),
    [
        ({}, {}, "predictors: give name → statistics"),
        ({"a": "h"}, {}, "give a list of at least one column name"),
        ({"a": []}, {}, "give a list of at least one column name"),
        ({"a": ["hh"]}, {}, "did you mean 'h'"),
        ({"a": ["h"]}, {"folds": 1}, "folds=1 is out of range: at least 2"),
        ({"a": ["h"]}, {"confidence": 1.0}, "confidence=1.0 is out of range"),
    ],
)
def test_wrong_use_is_refused(predictors: dict, settings: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        predict_barrier(graphs(), predictors, by=(), **settings)


def test_outcomes_below_zero_have_no_logarithm() -> None:
    with pytest.raises(InputError, match=r"barrier goes down to -1: log\(B \+ 0.001\) needs barriers"):
        predict_barrier(graphs().assign(barrier=-1.0), {"a": ["h"]}, by=())
