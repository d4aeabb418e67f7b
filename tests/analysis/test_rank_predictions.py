"""Predictions of order: factors that move together are told apart by holding one, and homophily is held for the gap."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from gnnmc.analysis import rank_predictions
from gnnmc.analysis.held import HeldSample, infer_held
from gnnmc.analysis.inference import Resampling
from gnnmc.analysis.rank_predictions import Statement
from gnnmc.errors import InputError

FAST = {"by": (), "permutations": 500, "bootstrap": 300}


def csbm(repeats: int = 4, seed: int = 0, **effects: float) -> pd.DataFrame:
    """A grid of homophily × degree × separation; the gap rises with homophily, and varies a little by chance."""
    rng = np.random.default_rng(seed)
    rows = []
    for h in (0.2, 0.5, 0.8):
        for degree in (5.0, 10.0, 20.0):
            for separation in (0.5, 1.0, 2.0):
                for _ in range(repeats):
                    chance = rng.normal()
                    row = {
                        "graph": f"g{len(rows)}",
                        "cluster": f"c{len(rows)}",
                        "homophily_asked": h,
                        "made_mean_degree": degree,
                        "made_separation": separation,
                        "num_nodes": 500,
                        "homophily_adjusted_abs": abs(2 * h - 1) + 0.001 * rng.normal(),
                        "density": degree / 499,
                        "gap_modulus": 0.3 * h + 0.01 * chance,
                        "degree_min": float(rng.integers(0, 3)),
                    }
                    row["barrier"] = (
                        1.0
                        + effects.get("gap", 0.0) * chance
                        + effects.get("homophily", 0.0) * abs(h - 0.5)
                        + effects.get("raw_homophily", 0.0) * h
                        + effects.get("density", 0.0) * np.log(degree)
                        + effects.get("noise", 0.0) / separation
                        + 0.1 * rng.normal()
                    )
                    rows.append(row)
    return pd.DataFrame(rows)


def by_statement(table: pd.DataFrame, **settings: object) -> pd.DataFrame:
    return rank_predictions(table, **(FAST | settings)).set_index("statement")


def test_planted_signs_are_found_and_the_others_left_open() -> None:
    found = by_statement(csbm(density=-0.3, noise=-0.5))
    assert found["agrees"].to_dict() == {
        "spectral gap": "cannot be told",
        "homophily": "cannot be told",
        "density": "yes",
        "feature noise (1/separation)": "no",
        "least degree": "cannot be told",
    }
    row = found.loc["density"]
    assert (row["predicted"], row["measured"]) == (-1, -1) and row["rho"] < -0.8 and row["ci_high"] < 0
    assert row["p_permutation"] <= row["p_holm"] <= 0.05
    assert (row["num_graphs"], row["num_clusters"], row["num_strata"]) == (108, 108, 9)
    assert row["held"] == "asked homophily, separation, number of nodes"
    assert "p = " in found.loc["least degree", "why"]


def test_the_gap_is_not_tested_along_homophily() -> None:
    # The barrier follows homophily alone; so does the gap, and a plain correlation of the two is strong.
    table = csbm(raw_homophily=3.0)
    assert spearmanr(table["gap_modulus"], table["barrier"]).statistic > 0.8
    row = by_statement(table).loc["spectral gap"]
    assert abs(row["rho"]) < 0.3 and row["agrees"] == "cannot be told"
    assert row["num_strata"] == 27
    # With an effect of its own it is found.
    assert by_statement(csbm(raw_homophily=3.0, gap=-0.3)).loc["spectral gap", "agrees"] == "yes"


def test_a_sweep_of_homophily_alone_says_nothing_of_the_gap() -> None:
    table = csbm(repeats=1, homophily=-1.0)
    table = table[(table["made_mean_degree"] == 5) & (table["made_separation"] == 1)]
    row = by_statement(table).loc["spectral gap"]
    assert np.isnan(row["rho"]) and row["why"] == "no two graphs agree on everything that must be held"
    assert (row["num_graphs"], row["dropped_graphs"]) == (0, 3)


def test_real_graphs_are_left_out_and_counted() -> None:
    real = pd.DataFrame(
        {"graph": ["Cora"], "cluster": ["Cora"], "barrier": [0.3], "density": [0.1], "gap_modulus": [0.1]}
    )
    row = by_statement(pd.concat([csbm(density=-0.3), real])).loc["density"]
    assert (row["num_graphs"], row["dropped_graphs"]) == (108, 1)


def test_few_clusters_have_a_p_value_and_no_interval() -> None:
    table = csbm(repeats=1, density=-1.0)
    table = table[(table["homophily_asked"] == 0.5)]
    row = by_statement(table).loc["density"]
    assert np.isnan(row["ci_low"]) and "9 clusters: no bootstrap interval" in row["why"]
    assert row["p_permutation"] < 0.05


def test_a_statistic_that_is_missing_or_constant_has_a_row_that_says_so() -> None:
    found = by_statement(csbm().drop(columns="degree_min").assign(gap_modulus=0.1))
    assert found.loc["least degree", "why"] == "the table has no column 'degree_min'"
    assert found.loc["spectral gap", "why"] == "the statistic is the same wherever all else is equal"
    assert (found.loc[["least degree", "spectral gap"], "agrees"] == "cannot be told").all()


def test_nothing_given_is_changed_and_order_does_not_matter() -> None:
    table = csbm(density=-0.3)
    before = table.copy()
    first = by_statement(table)
    pd.testing.assert_frame_equal(table, before)
    pd.testing.assert_frame_equal(first, by_statement(table.sample(frac=1, random_state=0)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"settings": ["made_mean_degree", "made_separation"]}, "settings lack 'homophily_asked'"),
        ({"settings": "homophily_asked"}, "is a text: give a list"),
        (
            {"statements": [Statement("gap", "gap_modulus", -1)], "settings": ["num_nodes"]},
            "never tested along a sweep",
        ),
        ({"alpha": 2.0}, "alpha=2.0 is out of range"),
        ({"permutations": 0}, "permutations=0"),
        ({"outcome": "barier"}, "did you mean 'barrier'"),
    ],
)
def test_wrong_use_is_refused(settings: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        rank_predictions(csbm(1), **(FAST | settings))


def test_the_correlation_is_that_of_ranks_within_strata() -> None:
    rng = np.random.default_rng(1)
    strata = np.sort(rng.integers(0, 3, 30))
    x, y = rng.integers(0, 4, (2, 30)).astype(float)
    found = infer_held(HeldSample(x, y, strata, np.arange(30)), Resampling(200, 50, 0.95, ("test",)))

    def slow_scores(values: np.ndarray) -> list[float]:
        scores = []
        for value, stratum in zip(values, strata):
            own = values[strata == stratum]
            # P(V < v) − P(V > v) within the stratum: a probability-scale residual.
            scores.append((np.sum(own < value) - np.sum(own > value)) / len(own))
        return scores

    assert found.rho == pytest.approx(np.corrcoef(slow_scores(x), slow_scores(y))[0, 1])
    one = infer_held(HeldSample(x, y, np.zeros(30, dtype=np.intp), np.arange(30)), Resampling(9, 9, 0.9, ("test",)))
    assert one.rho == pytest.approx(spearmanr(x, y).statistic)


def test_clusters_over_several_strata_exchange_places_stratum_by_stratum() -> None:
    # Six base graphs, each in both strata: the level of a base moves with it, so there are 6! arrangements and no more.
    strata, clusters = np.repeat([0, 1], 6), np.tile(np.arange(6), 2)
    x = np.tile(np.arange(6.0), 2)
    sample = HeldSample(x, x + 0.1 * strata, strata, clusters)
    found = infer_held(sample, Resampling(1000, 1, 0.95, ("test",)))
    assert found.rho == 1.0
    assert found.p_permutation == pytest.approx(2 / 720)  # the identity and the reversal


def test_clusters_of_different_strata_do_not_exchange_places() -> None:
    strata, x = np.repeat([0, 1], 3), np.tile(np.arange(3.0), 2)
    found = infer_held(HeldSample(x, x + 10 * strata, strata, np.arange(6)), Resampling(1000, 1, 0.95, ("test",)))
    assert found.p_permutation == pytest.approx(2 / 36)  # 3!·3! arrangements, as they are and both reversed
    assert found.notes[0] == "only 36 arrangements: p is at least 0.028"


@pytest.mark.slow
def test_the_p_value_is_uniform_where_nothing_is_related() -> None:
    small = [
        by_statement(csbm(2, seed=seed, raw_homophily=3.0), permutations=200, bootstrap=1)["p_permutation"]
        for seed in range(100)
    ]
    assert ((pd.concat(small, axis=1) < 0.1).mean(axis=1) < 0.2).all()
