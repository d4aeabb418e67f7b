"""Associations against scipy, statsmodels, closed formulas, slow loops, and data whose answer is known."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest, rankdata, spearmanr
from statsmodels.stats.multitest import multipletests

from gnnmc.analysis import associate
from gnnmc.analysis.holm import holm
from gnnmc.analysis.ranks import ResampledRanks, rank_correlations
from gnnmc.analysis.resampling import arrangements, permuted_cluster_values, permuted_correlations

NO_CONTROLS = {"by": ()}


def graphs(outcome: np.ndarray, clusters: object = None, **columns: np.ndarray) -> pd.DataFrame:
    names = [f"g{i:04d}" for i in range(len(outcome))]
    return pd.DataFrame(
        {"graph": names, "cluster": names if clusters is None else clusters, "barrier": outcome, **columns}
    )


def tied(rng: np.random.Generator, size: int) -> np.ndarray:
    return np.round(np.maximum(rng.normal(size=size), 0), 1)


def by_inverse(columns: list[np.ndarray]) -> float:
    """Partial correlation of the first two from the inverse correlation matrix of the ranks, as in pingouin."""
    inverse = np.linalg.inv(np.corrcoef([rankdata(column) for column in columns]))
    return -inverse[0, 1] / np.sqrt(inverse[0, 0] * inverse[1, 1])


@pytest.mark.parametrize("size", [3, 8, 40])
def test_rho_is_scipys(size: int) -> None:
    rng = np.random.default_rng(size)
    for _ in range(20):
        x, y = np.round(rng.normal(size=size), 1), np.arange(size) * 0.1 + tied(rng, size)
        rho = rank_correlations(x[:, None], y, np.empty((size, 0)))[0]
        assert rho == pytest.approx(spearmanr(x, y).statistic, abs=1e-12)


def test_partial_rho_is_the_closed_formula_and_the_inverse_matrix() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        z, w = rng.normal(size=(2, 25))
        x, y = np.round(z + rng.normal(size=25), 1), tied(rng, 25) + np.round(z, 1)
        one = rank_correlations(x[:, None], y, z[:, None])[0]
        xy, xz, yz = (spearmanr(*pair).statistic for pair in ((x, y), (x, z), (y, z)))
        assert one == pytest.approx((xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2)), abs=1e-12)
        two = rank_correlations(x[:, None], y, np.column_stack([z, w]))[0]
        assert two == pytest.approx(by_inverse([x, y, z, w]), abs=1e-10)


def test_a_doubled_control_changes_nothing() -> None:
    x, y, z = np.random.default_rng(1).normal(size=(3, 20))
    one = rank_correlations(x[:, None], y, z[:, None])
    assert rank_correlations(x[:, None], y, np.column_stack([z, np.exp(z)])) == pytest.approx(one, abs=1e-12)


@pytest.mark.parametrize("controls", [0, 1, 2])
def test_resamples_are_ranked_as_if_written_out(controls: int) -> None:
    rng = np.random.default_rng(controls)
    x, y, z = np.round(rng.normal(size=15), 1), tied(rng, 15), rng.normal(size=(15, controls))
    counts = np.stack([np.bincount(rng.integers(15, size=15), minlength=15) for _ in range(50)]).astype(float)
    fast = ResampledRanks(counts, y, z).correlations(x)
    for count, rho in zip(counts, fast):
        drawn = np.repeat(np.arange(15), count.astype(int))
        assert rho == pytest.approx(by_inverse([x[drawn], y[drawn], *z[drawn].T]), abs=1e-9)


def test_a_constant_resample_has_no_rho() -> None:
    counts = np.array([[3.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    rhos = ResampledRanks(counts, np.array([1.0, 2.0, 3.0]), np.empty((3, 0))).correlations(np.array([5.0, 6.0, 7.0]))
    assert np.isnan(rhos[0]) and rhos[1] == pytest.approx(1.0)


def test_the_p_value_is_the_share_of_all_permutations() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        x, y = rng.normal(size=6), tied(rng, 6) + np.round(rng.normal(size=6), 1)
        observed = abs(spearmanr(x, y).statistic)
        slow = np.mean(
            [abs(spearmanr(x, y[list(order)]).statistic) >= observed - 1e-12 for order in permutations(range(6))]
        )
        row = associate(graphs(y, x=x), ["x"], **NO_CONTROLS).frame().iloc[0]
        assert row["p_permutation"] == pytest.approx(slow, abs=1e-12)


def test_exchanged_clusters_of_equal_size_are_a_slow_loop() -> None:
    rng = np.random.default_rng(2)
    clusters = np.repeat(np.arange(5), [2, 2, 2, 1, 1])
    x, y = rng.normal(size=8), rng.normal(size=8)
    moved, exact = arrangements(clusters, 12, rng)
    fast = permuted_correlations(x[:, None], y, np.empty((8, 0)), moved)[:, 0]
    slow = []
    for pairs in permutations([[0, 1], [2, 3], [4, 5]]):
        for singles in permutations([[6], [7]]):
            slow.append(spearmanr(x, y[np.concatenate([*pairs, *singles])]).statistic)
    assert exact and sorted(fast) == pytest.approx(sorted(slow), abs=1e-12)


def test_exchanged_cluster_values_are_a_slow_loop() -> None:
    rng = np.random.default_rng(3)
    sizes = np.array([1, 3, 2, 4])
    clusters = np.repeat(np.arange(4), sizes)
    values, y = np.array([0.3, 0.1, 0.3, 0.7]), rng.normal(size=10)
    fast, exact = permuted_cluster_values(values[clusters], y, clusters, 24, rng)
    slow = [spearmanr(values[list(order)][clusters], y).statistic for order in permutations(range(4))]
    assert exact and sorted(fast) == pytest.approx(sorted(slow), abs=1e-12)


def test_freedman_lane_is_a_slow_loop() -> None:
    rng = np.random.default_rng(4)
    x, y, z = rng.normal(size=(3, 7))
    moved, _ = arrangements(np.arange(7), 100, rng)
    fast = permuted_correlations(x[:, None], y, z[:, None], moved)[:, 0]
    design = np.column_stack([np.ones(7), rankdata(z)])
    ranks = rankdata(y)
    fitted = design @ np.linalg.lstsq(design, ranks, rcond=None)[0]
    for order, rho in zip(moved, fast):
        again = fitted + (ranks - fitted)[order]
        inverse = np.linalg.inv(np.corrcoef([rankdata(x), again, rankdata(z)]))
        assert rho == pytest.approx(-inverse[0, 1] / np.sqrt(inverse[0, 0] * inverse[1, 1]), abs=1e-9)


def test_holm_is_statsmodels() -> None:
    rng = np.random.default_rng(0)
    for size in (1, 2, 7, 20):
        p_values = np.round(rng.random(size) ** 3, 3)
        assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-12)


def test_holm_runs_over_the_statistics_of_a_group_and_kind() -> None:
    rng = np.random.default_rng(5)
    table = graphs(
        rng.normal(size=12), a=rng.normal(size=12), b=rng.normal(size=12), c=rng.normal(size=12), z=rng.random(12)
    )
    table["b"] -= 1.5 * table["barrier"]
    frame = associate(
        table, ["a", "b", "c"], kinds={"total": (), "held": ("z",)}, permutations=500, **NO_CONTROLS
    ).frame()
    for _, rows in frame.groupby("kind"):
        expected = multipletests(rows["p_permutation"], method="holm")[1]
        assert rows["p_holm"].to_numpy() == pytest.approx(expected, abs=1e-12)


def test_p_values_are_uniform_and_intervals_cover_when_nothing_is_there() -> None:
    # 300 independent null data sets as 300 statistics' groups of 14 graphs.
    rng = np.random.default_rng(6)
    table = pd.concat(
        [graphs(rng.normal(size=14), x=rng.normal(size=14), z=rng.normal(size=14)).assign(trial=i) for i in range(300)]
    )
    table["barrier"] += table["z"]
    table["x"] += table["z"]
    frame = associate(table, ["x"], kinds={"held": ("z",)}, by=("trial",), permutations=199, bootstrap=200).frame()
    assert kstest(frame["p_permutation"], "uniform").pvalue > 0.01
    covered = ((frame["ci_low"] <= 0) & (frame["ci_high"] >= 0)).mean()
    assert 0.88 <= covered <= 0.99


def test_the_interval_covers_a_planted_correlation() -> None:
    rng = np.random.default_rng(7)
    tables = []
    for trial in range(200):
        x = rng.normal(size=20)
        y = 0.6 * x + 0.8 * rng.normal(size=20)
        tables.append(graphs(y, x=x).assign(trial=trial))
    frame = associate(pd.concat(tables), ["x"], by=("trial",), permutations=1, bootstrap=400).frame()
    truth = 6 / np.pi * np.arcsin(0.6 / 2)  # Spearman's rho of a normal pair with correlation .6
    covered = ((frame["ci_low"] <= truth) & (frame["ci_high"] >= truth)).mean()
    assert 0.90 <= covered <= 0.99


def test_clustered_graphs_do_not_count_as_independent() -> None:
    """Ten base graphs with six versions each, both variables a property of the base graph plus little noise."""
    rng = np.random.default_rng(8)
    clusters = np.repeat(np.arange(10), 6)
    tables = []
    for trial in range(200):
        x, y = rng.normal(size=(2, 10))[:, clusters] + 0.2 * rng.normal(size=(2, 60))
        tables.append(graphs(y, [f"c{c}" for c in clusters], x=x).assign(trial=trial))
    table = pd.concat(tables)
    frame = associate(table, ["x"], by=("trial",), permutations=199, bootstrap=200).frame()
    naive = np.array([spearmanr(one["x"], one["barrier"]).pvalue for _, one in table.groupby("trial")])
    assert (naive < 0.05).mean() > 0.3
    assert (frame["p_permutation"] <= 0.05).mean() < 0.1
    assert ((frame["ci_low"] <= 0) & (frame["ci_high"] >= 0)).mean() > 0.88
