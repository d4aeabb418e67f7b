"""Claims O1 to O6: planted to hold, to fail and to be out of reach, and what decides with few clusters."""

import math
from itertools import combinations, permutations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from gnnmc.analysis import CLAIMS, domain_likeness, judge_claims
from gnnmc.analysis.cluster_effect import Level, cluster_effect
from gnnmc.errors import InputError


def barriers(graphs: int = 12, *, left: float = 0.1, mlp: float = 10.0, spread: float = 0.1) -> pd.DataFrame:
    """Linear barriers and what curves leave of them; the MLP's are `mlp` times as high."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(graphs):
        height = np.exp(rng.normal())
        for model in ("gcn", "sage", "gat", "mlp"):
            for pair in range(2):
                linear = height * (mlp if model == "mlp" else 1.0) * np.exp(spread * rng.normal())
                for path, barrier in (("linear", linear), ("bezier", left * linear)):
                    row = {"graph": f"g{i}", "cluster": f"c{i}", "model": model, "path": path, "pair": pair}
                    rows.append(row | {"split": "train", "barrier": barrier})
                    rows.append(row | {"split": "test", "barrier": 100.0})
    return pd.DataFrame(rows)


def judged(name: str, **tables: pd.DataFrame) -> pd.Series:
    return judge_claims(tables, [name], bootstrap=300).iloc[0]


def test_without_tables_nothing_can_be_told_and_every_claim_has_its_row() -> None:
    table = judge_claims({})
    assert table["claim"].tolist() == ["O1", "O2", "O3", "O4", "O5", "O6"] == CLAIMS.names()
    assert (table["verdict"] == "cannot be told").all()
    assert table.iloc[3]["why"] == "no rows of csbm_predictions and csbm_shape were given"
    assert table[["claimed", "threshold"]].map(len).min().min() > 20


def test_curves_that_remove_most_of_the_barrier() -> None:
    row = judged("O1", barriers=barriers())
    assert row["verdict"] == "agrees" and row["estimate"] == pytest.approx(0.9)
    assert row["ci_low"] > 0.5 and row["num_clusters"] == 12 and row["measured"].startswith("fitted curves remove 90 %")
    assert judged("O1", barriers=barriers(left=0.8))["verdict"] == "does not"
    mixed = barriers()
    worse = mixed["graph"].isin([f"g{i}" for i in range(0, 12, 2)]) & (mixed["path"] == "bezier")
    mixed.loc[worse, "barrier"] *= 9
    assert judged("O1", barriers=mixed)["verdict"] == "cannot be told"


def test_nine_graphs_are_judged_by_their_signs() -> None:
    row = judged("O1", barriers=barriers(9))
    assert row["verdict"] == "agrees" and np.isnan(row["ci_low"])
    assert row["p_value"] == pytest.approx(2 / 2**9)
    assert "9 lie above 0.5 and 0 below" in row["why"]
    assert judged("O1", barriers=barriers(5))["verdict"] == "cannot be told"  # 2/32 is above .05


def test_graphs_without_a_barrier_have_none_to_remove() -> None:
    table = barriers()
    table.loc[table["graph"] == "g3", "barrier"] = 1e-4
    row = judged("O1", barriers=table)
    assert row["num_graphs"] == 11 and row["why"].endswith("1 graph without a linear barrier left out")


def test_an_effect_is_a_ratio_of_sums_with_an_exact_test_of_signs() -> None:
    rng = np.random.default_rng(0)
    values, per, clusters = rng.random(16), rng.random(16) + 0.5, np.repeat(np.arange(8), 2)
    effect = cluster_effect(values, clusters, 0.4, Level(), "test", per=per)
    assert effect.estimate == pytest.approx(sum(values) / sum(per))
    above = sum(sum(values[clusters == c] - 0.4 * per[clusters == c]) > 0 for c in range(8))
    assert effect.p_value == pytest.approx(binomtest(above, 8).pvalue)


def curve_distances(near: float, far: float, graphs: int = 9, noise: float = 0.1, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for a, b in combinations(range(graphs), 2):
        same = a % 3 == b % 3
        rows.append(
            {"graph_a": f"g{a}", "graph_b": f"g{b}", "cluster_a": f"c{a}", "cluster_b": f"c{b}"}
            | {"domain_a": f"d{a % 3}", "domain_b": f"d{b % 3}"}
            | {"distance": (near if same else far) + noise * rng.random()}
        )
    return pd.DataFrame(rows)


def test_domains_whose_curves_are_alike() -> None:
    row = judged("O2", curve_distances=curve_distances(0.1, 0.5))
    assert row["verdict"] == "agrees" and row["estimate"] == 1.0 and row["num_clusters"] == 9
    assert judged("O2", curve_distances=curve_distances(0.5, 0.1))["verdict"] == "does not"
    assert judged("O2", curve_distances=curve_distances(0.3, 0.3))["verdict"] == "cannot be told"
    one = curve_distances(0.1, 0.5).assign(domain_a="d", domain_b="d")
    assert "pairs of one domain and pairs of two" in judged("O2", curve_distances=one)["why"]
    with pytest.raises(InputError, match="is in 2 domains"):
        domain_likeness(curve_distances(0.1, 0.5).assign(domain_a="d0"))


def test_likeness_by_a_slow_loop_over_all_exchanges() -> None:
    table = curve_distances(0.3, 0.35, graphs=6, seed=3)
    for end in "ab":
        table[f"domain_{end}"] = table[f"graph_{end}"].map(lambda name: int(name[1]) % 2)
    ranks = table["distance"].rank().to_numpy()
    ends = [(int(a[1]), int(b[1])) for a, b in zip(table["graph_a"], table["graph_b"])]

    def r(domains: tuple[int, ...]) -> float:
        within = [rank for rank, (a, b) in zip(ranks, ends) if domains[a] == domains[b]]
        between = [rank for rank, (a, b) in zip(ranks, ends) if domains[a] != domains[b]]
        return (np.mean(between) - np.mean(within)) / (len(ranks) / 2)

    own = tuple(i % 2 for i in range(6))
    all_r = [r(order) for order in permutations(own)]
    found = domain_likeness(table)
    assert found.r == pytest.approx(r(own))
    assert found.p_value == pytest.approx(np.mean(np.abs(all_r) >= abs(r(own)) - 1e-12)) and len(
        all_r
    ) == math.factorial(6)


def test_an_mlp_that_is_apart_from_gnns_that_are_alike() -> None:
    row = judged("O3", barriers=barriers())
    assert row["verdict"] == "agrees" and row["ci_low"] > 0
    assert judged("O3", barriers=barriers(mlp=1.0))["verdict"] in ("cannot be told", "does not")
    assert judged("O3", barriers=barriers(mlp=1e3, spread=3.0))["verdict"] == "does not"  # the GNNs are not alike
    assert "mlp and two of" in judged("O3", barriers=barriers().query("model == 'gcn'"))["why"]


def csbm(density: str = "yes", noise: str = "yes", below: float = 0.6) -> dict[str, pd.DataFrame]:
    predictions = pd.DataFrame(
        {
            "statement": ["density", "feature noise (1/separation)", "least degree"],
            "agrees": [density, noise, "no"],
            "rho": [-0.5, 0.4, 0.0],
            "why": ["", "", ""],
        }
    )
    shape = {"bend": -0.5, "p_permutation": 0.01, "p_below": 0.01, "p_above": 0.01, "rho_below": below, "turns": True}
    return {"csbm_predictions": predictions, "csbm_shape": pd.DataFrame([shape | {"num_clusters": 27}])}


def test_shapes_on_csbm_must_all_be_there() -> None:
    row = judged("O4", **csbm())
    assert row["verdict"] == "agrees" and row["num_clusters"] == 27
    assert judged("O4", **csbm(density="cannot be told"))["verdict"] == "cannot be told"
    assert judged("O4", **csbm(noise="no"))["verdict"] == "does not"
    assert judged("O4", **csbm(below=-0.6))["verdict"] == "does not"  # falls and then rises
    open_shape = csbm()
    open_shape["csbm_shape"]["p_permutation"] = 0.5
    assert judged("O4", **open_shape)["verdict"] == "cannot be told"


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.1, 0.4, "agrees"), (-0.4, -0.1, "does not"), (-0.1, 0.4, "cannot be told"), (np.nan, np.nan, "cannot be told")],
)
def test_the_advantage_of_the_barrier_decides(low: float, high: float, verdict: str) -> None:
    table = pd.DataFrame(
        {
            "measure": ["train_accuracy_barrier", "val_accuracy"],
            "tau": [0.5, -0.3],
            "advantage": [0.2, np.nan],
            "advantage_low": [low, np.nan],
            "advantage_high": [high, np.nan],
            "num_clusters": [12, 12],
        }
    )
    row = judged("O5", gap_ranking=table)
    assert row["verdict"] == verdict and row["estimate"] == 0.2 and "0.50" in row["measured"]
    if np.isnan(low):
        assert row["why"] == "12 clusters: no interval of the advantage"
    assert "both measures are needed" in judged("O5", gap_ranking=table.iloc[:1])["why"]


def transfer(pairs: int = 12, slope: float = 1.0, lowered: float = 0.1) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = []
    for i in range(pairs):
        base = rng.random() + 0.5
        for method in ("vanilla", "dann", "mmd"):
            distance = base - (lowered if method != "vanilla" else 0.0) + 0.01 * rng.normal()
            row = {"pair": f"p{i}", "cluster": f"p{i}", "method": method, "distance": distance}
            rows.append(row | {"gap": slope * distance + 0.05 * rng.normal()})
    return pd.DataFrame(rows)


def test_a_distance_that_follows_the_gap_and_is_lowered() -> None:
    row = judged("O6", transfer=transfer())
    assert row["verdict"] == "agrees" and row["estimate"] > 0.8 and row["ci_low"] > 0.5
    assert judged("O6", transfer=transfer(slope=-1.0))["verdict"] == "does not"
    assert judged("O6", transfer=transfer(lowered=-0.1))["verdict"] == "does not"
    assert judged("O6", transfer=transfer(lowered=0.0))["verdict"] == "cannot be told"
    row = judged("O6", transfer=transfer(6))
    assert row["verdict"] == "agrees" and np.isnan(row["ci_low"])
    alone = judged("O6", transfer=transfer().query("method == 'vanilla'"))
    assert alone["verdict"] == "cannot be told" and "vanilla and a method that aligns are needed" in alone["why"]


@pytest.mark.parametrize(
    ("tables", "settings", "message"),
    [
        ({}, {"claims": "O1"}, "claims='O1' is a text"),
        ({}, {"claims": ["O7"]}, "unknown claim 'O7'"),
        ({}, {"alpha": 2.0}, "alpha=2.0 is out of range"),
        ([], {}, "expected tables by name, got list"),
        ({"barriers": barriers().drop(columns="model")}, {"claims": ["O1"]}, "unknown column of the table 'model'"),
        ({"barriers": barriers().assign(split="test")}, {"claims": ["O1"]}, "no finite barrier of the train loss"),
    ],
)
def test_wrong_use_is_refused(tables: object, settings: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        judge_claims(tables, **settings)  # type: ignore[arg-type]


def test_the_order_of_rows_does_not_matter() -> None:
    tables = {"barriers": barriers(), "transfer": transfer(), "curve_distances": curve_distances(0.1, 0.3)}
    before = {name: table.copy() for name, table in tables.items()}
    first = judge_claims(tables, bootstrap=100)
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, before[name])
    shuffled = {name: table.sample(frac=1, random_state=0) for name, table in tables.items()}
    pd.testing.assert_frame_equal(first, judge_claims(shuffled, bootstrap=100))
