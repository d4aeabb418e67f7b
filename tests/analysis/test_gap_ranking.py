"""Measures and the gap: Kendall against scipy and slow loops, one factor at a time, and with train loss held."""

import time
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from gnnmc.analysis import rank_measures
from gnnmc.analysis.concordance import concordance
from gnnmc.analysis.granulated import Cells
from gnnmc.errors import InputError


def runs(graphs: int = 12, pairs: int = 3, seed: int = 0) -> pd.DataFrame:
    """The gap falls with the label rate. `good` follows it everywhere, `bad` only from graph to graph."""
    rng = np.random.default_rng(seed)
    level = rng.normal(size=graphs)
    rows = []
    for i in range(graphs):
        for j, model in enumerate(("gcn", "gat")):
            for rate in (5, 20, 100):
                for _ in range(pairs):
                    gap = level[i] + 0.3 * j - 0.5 * np.log(rate) + 0.05 * rng.normal()
                    rows.append(
                        {
                            "graph": f"g{i}",
                            "cluster": f"c{i}",
                            "model": model,
                            "label_rate": rate,
                            "gap": gap,
                            "good": gap + 0.1 * rng.normal(),
                            "bad": 5 * level[i] + rng.normal(),
                            "wrong": -gap + 0.1 * rng.normal(),
                            "train_loss": rng.random(),
                        }
                    )
    return pd.DataFrame(rows)


SIGNS = {"bad": 1, "wrong": 1, "good": 1}


@pytest.mark.parametrize("digits", [0, 1, 6])
def test_counts_between_clusters_are_kendalls_tau(digits: int) -> None:
    rng = np.random.default_rng(digits)
    x, y = rng.normal(size=(2, 1300)).round(digits)
    y = (y + x).round(digits)
    assert concordance(x, y, rng.integers(0, 7, 1300), 7).tau() == pytest.approx(kendalltau(x, y).statistic)


def test_a_resample_compares_all_pairs_but_those_of_copies_by_a_slow_loop() -> None:
    rng = np.random.default_rng(0)
    x, y, clusters = rng.integers(0, 6, (3, 50))
    counts = rng.multinomial(6, np.ones(6) / 6, size=4).astype(float)
    found = concordance(x.astype(float), y.astype(float), clusters, 6).resampled(counts)
    for weights, tau in zip(counts, found):
        rows = [(i, copy) for i in range(50) for copy in range(int(weights[clusters[i]]))]
        top = untied_x = untied_y = 0
        for (i, first), (j, second) in combinations(rows, 2):
            if clusters[i] != clusters[j] or first == second:
                a, b = np.sign(x[i] - x[j]), np.sign(y[i] - y[j])
                top, untied_x, untied_y = top + a * b, untied_x + a * a, untied_y + b * b
        assert tau == pytest.approx(top / np.sqrt(untied_x * untied_y))


def test_pairs_within_strata_by_a_slow_loop() -> None:
    rng = np.random.default_rng(0)
    x, y, strata, clusters = rng.integers(0, 5, (4, 40))
    top = untied_x = untied_y = 0
    for i, j in combinations(range(40), 2):
        if strata[i] == strata[j]:
            a, b = np.sign(x[i] - x[j]), np.sign(y[i] - y[j])
            top, untied_x, untied_y = top + a * b, untied_x + a * a, untied_y + b * b
    found = concordance(x.astype(float), y.astype(float), clusters, 5, strata).tau()
    assert found == pytest.approx(top / np.sqrt(untied_x * untied_y))


def test_one_factor_at_a_time_by_a_slow_loop() -> None:
    table = runs(4, pairs=2).sample(frac=1, random_state=0)
    clusters = pd.factorize(table["cluster"])[0]
    cells = Cells.of(table, ["graph", "model", "label_rate"], clusters)
    means = table.groupby(["graph", "model", "label_rate"])[["bad", "gap"]].mean().reset_index()
    for factor, others in (
        ("label_rate", ["graph", "model"]),
        ("model", ["graph", "label_rate"]),
        ("graph", ["model", "label_rate"]),
    ):
        taus = []
        for _, setting in means.groupby(others):
            signs = [
                np.sign(a["bad"] - b["bad"]) * np.sign(a["gap"] - b["gap"])
                for (_, a), (_, b) in combinations(setting.iterrows(), 2)
            ]
            taus.append(np.mean(signs))
        counted = cells.granulated(table["bad"].to_numpy(), table["gap"].to_numpy(), factor)
        assert counted.resampled(np.ones((1, 4)))[0] == pytest.approx(np.mean(taus)), factor
        assert counted.num_settings == len(taus)
    # A resample is a table in which graphs have copies; copies of one graph are not compared.
    copies = pd.concat([means, means[means["graph"] == "g1"].assign(graph="g1 again")])
    copies = copies[copies["graph"] != "g0"]
    taus = []
    for _, setting in copies.groupby(["model", "label_rate"]):
        pairs = [
            (a, b)
            for (_, a), (_, b) in combinations(setting.iterrows(), 2)
            if a["graph"].split()[0] != b["graph"].split()[0]
        ]
        taus.append(np.mean([np.sign(a["bad"] - b["bad"]) * np.sign(a["gap"] - b["gap"]) for a, b in pairs]))
    weights = np.array([{"g0": 0.0, "g1": 2.0}.get(name, 1.0) for name in table["graph"].unique()])
    counted = cells.granulated(table["bad"].to_numpy(), table["gap"].to_numpy(), "graph")
    assert counted.resampled(weights[None])[0] == pytest.approx(np.mean(taus))


def test_graphs_that_share_the_value_of_a_factor_are_not_compared() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"h": np.repeat([0.1, 0.5, 0.9], 4), "x": rng.random(12), "gap": rng.random(12)})
    cells = Cells.of(table, ["h"], np.arange(12))
    signs = [
        np.sign(a["x"] - b["x"]) * np.sign(a["gap"] - b["gap"])
        for (_, a), (_, b) in combinations(table.iterrows(), 2)
        if a["h"] != b["h"]
    ]
    counted = cells.granulated(table["x"].to_numpy(), table["gap"].to_numpy(), "h")
    assert counted.resampled(np.ones((1, 12)))[0] == pytest.approx(np.mean(signs)) and counted.num_settings == 1


def test_what_follows_the_gap_from_graph_to_graph_only_is_found_out_by_the_factors() -> None:
    found = rank_measures(runs(), SIGNS, bootstrap=300, reference="bad")
    table = found.measures.set_index("measure")
    assert found.measures["measure"].tolist() == ["good", "bad", "wrong"]
    assert table["place"].to_dict() == {"good": 1, "bad": 2, "wrong": 3}
    assert table.loc["good", "granulated"] > 0.85 and table.loc["good", "agrees"] == "yes"
    assert table.loc["wrong", "agrees"] == "no" and table.loc["wrong", "measured"] == -1
    assert table.loc["bad", "tau_low"] > 0.2 and table.loc["bad", "granulated"] < 0.55
    assert table.loc["good", "advantage_low"] > 0 and np.isnan(table.loc["bad", "advantage"])
    factors = found.factors.set_index(["measure", "factor"])
    assert factors.loc[("bad", "graph"), "psi"] > 0.6
    assert abs(factors.loc[("bad", "label_rate"), "psi"]) < 0.3
    assert factors.loc[("good", "label_rate"), "psi_low"] > 0.9
    assert factors.loc[("good", "label_rate"), "num_settings"] == 24
    for _, row in table.iterrows():
        assert row["tau_low"] <= row["tau"] <= row["tau_high"]
    advantage = table.loc["good", ["advantage_low", "advantage", "advantage_high"]].to_list()
    assert advantage == sorted(advantage) and advantage[2] < 0.9


def test_a_measure_that_only_knows_the_train_loss_is_found_out_by_strata() -> None:
    rng = np.random.default_rng(0)
    table = runs(20, pairs=10)
    table["gap"] = table["train_loss"] + 0.1 * rng.normal(size=len(table))
    table["shadow"] = table["train_loss"] + 0.1 * rng.normal(size=len(table))
    table["own"] = table["gap"] + 0.1 * rng.normal(size=len(table))
    found = rank_measures(table, {"shadow": 1, "own": 1}, bootstrap=200).measures.set_index("measure")
    assert found.loc["shadow", "tau"] > 0.6 and found.loc["shadow", "conditional"] < 0.15
    assert found.loc["own", "conditional"] > 0.3


def test_one_loss_everywhere_holds_nothing() -> None:
    table = runs().assign(train_loss=0.5)
    row = rank_measures(table, {"good": 1}, bootstrap=50).measures.iloc[0]
    assert row["conditional"] == pytest.approx(row["tau"])
    assert np.isnan(rank_measures(table, {"good": 1}, bootstrap=50, train_loss=None).measures.iloc[0]["conditional"])


def test_few_clusters_have_no_interval_and_missing_values_are_counted() -> None:
    table = runs(9)
    table.loc[table.index[:5], "good"] = np.nan
    found = rank_measures(table, SIGNS, bootstrap=50)
    row = found.measures.set_index("measure").loc["good"]
    assert np.isnan(row["tau_low"]) and row["note"] == "9 clusters: no bootstrap interval"
    assert row["agrees"] == "cannot be told" and row["dropped_rows"] == 5 and row["tau"] > 0.7
    assert found.factors["psi_low"].isna().all()


def test_a_constant_measure_and_a_constant_factor_have_rows_that_say_so() -> None:
    table = runs().assign(flat=1.0, label_rate=20)
    found = rank_measures(table, {"flat": 1, "good": 1}, bootstrap=50)
    assert found.measures.set_index("measure").loc["flat", "note"] == "the measure or the gap is the same everywhere"
    assert found.measures["measure"].tolist() == ["good", "flat"]
    row = found.factors.set_index(["measure", "factor"]).loc[("good", "label_rate")]
    assert np.isnan(row["psi"]) and row["note"] == "no two settings differ in this factor only"


def test_order_of_rows_does_not_matter_and_groups_stand_alone() -> None:
    table = pd.concat([runs().assign(path="linear"), runs(seed=1).assign(path="bezier")])
    before = table.copy()
    both = rank_measures(table, SIGNS, by=("path",), bootstrap=50)
    pd.testing.assert_frame_equal(table, before)
    shuffled = table[table["path"] == "linear"].sample(frac=1, random_state=0)
    alone = rank_measures(shuffled, SIGNS, by=("path",), bootstrap=50)
    pd.testing.assert_frame_equal(both.measures.iloc[:3], alone.measures)


@pytest.mark.parametrize(
    ("measures", "settings", "message"),
    [
        ({}, {}, "measures: give column → expected sign"),
        ({"good": 0}, {}, r"measures\['good'\]=0: allowed: 1"),
        ({"goood": 1}, {}, "did you mean 'good'"),
        ({"good": 1}, {"reference": "bad"}, "unknown reference 'bad'"),
        ({"good": 1}, {"factors": "graph"}, "factors='graph' is a text"),
        ({"good": 1}, {"strata": 1}, "strata=1: at least 2"),
        ({"graph": 1}, {}, "column 'graph' is of type"),
    ],
)
def test_wrong_use_is_refused(measures: dict, settings: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        rank_measures(runs(2), measures, **settings)


@pytest.mark.slow
def test_ten_thousand_rows_take_seconds() -> None:
    table = runs(30, pairs=56)
    start = time.perf_counter()
    rank_measures(table, SIGNS, reference="good")
    assert len(table) == 10_080 and time.perf_counter() - start < 30


@pytest.mark.slow
def test_intervals_hold_tau_of_the_population() -> None:
    # One graph is a cluster: its level is shared by its rows, so the rows alone would give intervals much too short.
    truth = rank_measures(runs(600, pairs=1, seed=99), {"bad": 1}, bootstrap=1).measures.iloc[0]["tau"]
    held = 0
    for seed in range(100):
        row = rank_measures(runs(15, pairs=1, seed=seed), {"bad": 1}, bootstrap=300).measures.iloc[0]
        held += row["tau_low"] <= truth <= row["tau_high"]
    assert held >= 85
