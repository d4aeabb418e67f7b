"""Shares of variance: against statsmodels' table where cells are equal, and what leaving a model out changes."""

import warnings

import numpy as np
import pandas as pd
import pytest

from gnnmc.analysis import mixed_model_check, variance_shares
from gnnmc.analysis.log_barrier import log_barrier
from gnnmc.errors import InputError

MODELS = ("gcn", "sage", "gat", "mlp")


def made(
    graphs: int = 12,
    pairs: int = 3,
    *,
    of_graph: float = 1.0,
    of_mlp: float = 0.0,
    of_cell: float = 0.0,
    noise: float = 0.2,
    seed: int = 0,
) -> pd.DataFrame:
    """log B is a sum of a graph's, an architecture's (the MLP's alone), a cell's and a pair's."""
    rng = np.random.default_rng(seed)
    level, cell = of_graph * rng.normal(size=graphs), of_cell * rng.normal(size=(graphs, len(MODELS)))
    return pd.DataFrame(
        [
            {
                "path": "linear",
                "split": "train",
                "graph": f"g{i:02d}",
                "cluster": f"c{i:02d}",
                "model": name,
                "barrier": np.exp(-3 + level[i] + cell[i, j] + of_mlp * (name == "mlp") + noise * rng.normal()),
            }
            for i in range(graphs)
            for j, name in enumerate(MODELS)
            for _ in range(pairs)
        ]
    )


def shares(table: pd.DataFrame, **settings: object) -> pd.Series:
    return variance_shares(table, **({"bootstrap": 200} | settings)).set_index("part")["omega2"]


def test_equal_cells_agree_with_the_table_of_statsmodels() -> None:
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm

    table = made(8, of_mlp=0.7, of_cell=0.3).assign(y=lambda rows: log_barrier(rows["barrier"]))
    anova = anova_lm(ols("y ~ C(graph) * C(model)", table).fit(), typ=2)
    error = anova.loc["Residual", "sum_sq"] / anova.loc["Residual", "df"]
    total = anova["sum_sq"].sum() + error
    found = shares(table)
    for part, row in (("graph", "C(graph)"), ("architecture", "C(model)"), ("interaction", "C(graph):C(model)")):
        assert found[part] == pytest.approx((anova.loc[row, "sum_sq"] - anova.loc[row, "df"] * error) / total)
    assert found[["graph", "architecture", "interaction", "residual"]].sum() == pytest.approx(1)


def test_unequal_cells_count_alike() -> None:
    # Pairs are added to one graph: were cells weighed by them, that graph would take over.
    table = made(noise=1e-6)
    more = pd.concat([table, *[table[table["graph"] == "g00"]] * 20])
    assert shares(more)["graph"] == pytest.approx(shares(table)["graph"], abs=1e-6)


def test_the_mlp_decides_until_it_is_left_out() -> None:
    found = variance_shares(made(of_graph=0.3, of_mlp=2.0), without=["mlp"]).set_index(["left_out", "part"])
    assert found.loc[("", "architecture"), "ci_low"] > 0.5 > found.loc[("", "graph"), "ci_high"]
    assert found.loc[("mlp", "graph"), "ci_low"] > 0.3 and found.loc[("mlp", "architecture"), "ci_high"] < 0.2
    assert found.loc[("", "graph minus architecture"), "ci_high"] < 0
    assert found.loc[("mlp", "graph minus architecture"), "ci_low"] > 0
    assert found.loc[("mlp", "graph"), "num_models"] == 3


def test_an_interaction_is_told_from_the_noise_of_pairs() -> None:
    assert abs(shares(made(noise=0.5))["interaction"]) < 0.05
    assert shares(made(of_cell=1.0))["interaction"] > 0.3


def test_one_pair_in_every_cell_has_no_interaction_of_its_own() -> None:
    found = variance_shares(made(pairs=1)).set_index("part")
    assert np.isnan(found.loc["interaction", "omega2"]) and np.isnan(found.loc["interaction", "ci_low"])
    assert found.loc["graph", "omega2"] > 0.9
    assert "cannot be told from the residual" in found.loc["graph", "note"]


def test_graphs_without_an_architecture_are_counted_out() -> None:
    table = made()
    table = table[~((table["graph"] == "g03") & (table["model"] == "gat"))]
    row = variance_shares(table).iloc[0]
    assert (row["num_graphs"], row["dropped_graphs"], row["num_pairs"]) == (11, 1, 132)


def test_fewer_than_ten_clusters_have_shares_and_no_interval() -> None:
    row = variance_shares(made(9)).iloc[0]
    assert row["omega2"] > 0.5 and np.isnan(row["ci_low"]) and row["note"] == "9 clusters: no bootstrap interval"
    twins = made(20).assign(cluster=lambda rows: rows["graph"].str[1:].astype(int) % 5)
    assert variance_shares(twins).iloc[0]["num_clusters"] == 5


def test_order_of_rows_does_not_matter_and_nothing_given_is_changed() -> None:
    table = made(of_cell=0.2)
    before = table.copy()
    first = variance_shares(table, bootstrap=100)
    pd.testing.assert_frame_equal(table, before)
    pd.testing.assert_frame_equal(first, variance_shares(table.sample(frac=1, random_state=0), bootstrap=100))


@pytest.mark.parametrize(
    ("table", "note"),
    [
        (made(1), "1 graphs have every architecture"),
        (made().query("model == 'gcn'"), "1 architectures"),
        (made().assign(barrier=0.5), "the outcome is the same everywhere"),
    ],
)
def test_what_cannot_be_decomposed_is_noted(table: pd.DataFrame, note: str) -> None:
    found = variance_shares(table)
    assert found["omega2"].isna().all() and found["note"].str.startswith(note).all() and len(found) == 5
    checked = mixed_model_check(table).iloc[0]
    assert not checked["converged"] and checked["note"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"without": ["mpl"]}, "unknown model to leave out 'mpl': did you mean 'mlp'"),
        ({"without": "mlp"}, "without='mlp' is a text"),
        ({"bootstrap": 0}, "bootstrap=0"),
        ({"outcome": "barier"}, "did you mean 'barrier'"),
    ],
)
def test_wrong_use_is_refused(settings: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        variance_shares(made(), **settings)


def test_the_mixed_model_agrees_about_what_is_large() -> None:
    row = mixed_model_check(made(of_cell=0.5, of_mlp=1.0)).iloc[0]
    assert row["converged"]
    assert row["share_graph"] > 0.4 and 0.05 < row["share_interaction"] < 0.4
    assert row[[f"share_{part}" for part in ("graph", "architecture", "interaction", "residual")]].sum() == (
        pytest.approx(1)
    )
    assert row["variance_residual"] == pytest.approx(0.2**2, rel=0.3)
    spread = mixed_model_check(made(of_graph=3.0)).iloc[0]  # the unit of the variances is that of log B
    assert spread["variance_residual"] == pytest.approx(0.2**2, rel=0.3)


def test_a_mixed_model_that_does_not_fit_says_so_and_warns_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        row = mixed_model_check(made(4, of_graph=0.0)).iloc[0]
    assert "ended at 0" in row["note"] or "converge" in row["note"] or "singular" in row["note"]

    def broken(*_: object, **__: object) -> None:
        raise np.linalg.LinAlgError("Singular\nmatrix")

    monkeypatch.setattr("statsmodels.regression.mixed_linear_model.MixedLM.fit", broken)
    row = mixed_model_check(made()).iloc[0]
    assert not row["converged"] and row["note"] == "the fit failed: LinAlgError: Singular matrix"
    assert np.isnan(row["share_graph"])


def test_the_mixed_model_uses_as_many_pairs_as_it_may() -> None:
    row = mixed_model_check(made(5, pairs=6), most_rows=45).iloc[0]
    assert row["num_pairs"] == 40 and row["note"].startswith("40 of 120 pairs used")


@pytest.mark.slow
def test_intervals_hold_the_share_of_the_population() -> None:
    truth = variance_shares(made(2000, of_cell=0.4, of_mlp=1.0, seed=1), bootstrap=1).set_index("part")["omega2"]
    hits = []
    for seed in range(150):
        found = variance_shares(made(of_cell=0.4, of_mlp=1.0, seed=100 + seed), bootstrap=400).set_index("part")
        hits.append((found["ci_low"] <= truth) & (truth <= found["ci_high"]))
    covered = pd.concat(hits, axis=1).mean(axis=1)
    assert (covered > 0.87).all(), covered
