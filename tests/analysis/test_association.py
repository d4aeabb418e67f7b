"""`associate`: what is in the table, which rows may not carry an interval or a p-value, and what fires."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from gnnmc.analysis import associate
from gnnmc.errors import InputError

KINDS = {"total": (), "not through end quality": ("ends_loss",)}


def planted(
    graphs: int = 27, pairs: int = 3, clusters: int | None = None, seed: int = 0, **group: object
) -> pd.DataFrame:
    """The barrier falls with homophily and does not know the density; ends_loss is noise."""
    rng = np.random.default_rng(seed)
    homophily, density = rng.random(graphs), rng.random(graphs)
    level = 1 - homophily + 0.05 * rng.normal(size=graphs)
    labels = {"model": "gcn", "path": "linear", "split": "train", "metric": "loss", "barrier_kind": "chord"} | group
    return pd.DataFrame(
        [
            {
                **labels,
                "graph": f"g{i:03d}",
                "cluster": f"c{i % (clusters or graphs):03d}",
                "barrier": level[i] + 0.01 * rng.normal() + 0.2,
                "ends_loss": rng.random(),
                "homophily_edge": homophily[i],
                "density": density[i],
            }
            for i in range(graphs)
            for _ in range(pairs)
        ]
    )


def only(frame: pd.DataFrame, **values: object) -> pd.Series:
    for name, value in values.items():
        frame = frame[frame[name] == value]
    assert len(frame) == 1
    return frame.iloc[0]


def test_a_planted_association_is_found_and_noise_is_not() -> None:
    frame = associate(planted(), ["homophily_edge", "density"], kinds=KINDS).frame()
    total = only(frame, statistic="homophily_edge", kind="total")
    assert total["rho"] < -0.9
    assert -1 <= total["ci_low"] < total["rho"] < total["ci_high"] < -0.8
    assert total["p_permutation"] == pytest.approx(1 / 10_001)
    assert total["p_holm"] == pytest.approx(2 / 10_001)
    assert (total["num_graphs"], total["num_clusters"], total["num_pairs"]) == (27, 27, 81)
    noise = only(frame, statistic="density", kind="total")
    assert noise["p_permutation"] > 0.05 and noise["ci_low"] < 0 < noise["ci_high"]
    partial = only(frame, statistic="homophily_edge", kind="not through end quality")
    assert partial["controls"] == "ends_loss" and partial["rho"] < -0.9


def test_an_association_through_the_ends_only_is_gone_when_they_are_controlled() -> None:
    rng = np.random.default_rng(3)
    table = planted(60, pairs=1)
    table["ends_loss"] = table["homophily_edge"] + 0.3 * rng.normal(size=60)
    table["barrier"] = table["ends_loss"] + 0.3 * rng.normal(size=60)
    frame = associate(table, ["homophily_edge"], kinds=KINDS).frame()
    assert only(frame, kind="total")["p_permutation"] < 0.01
    partial = only(frame, kind="not through end quality")
    assert partial["p_permutation"] > 0.05 and abs(partial["rho"]) < 0.3


def test_fewer_than_ten_clusters_have_a_p_value_and_no_interval() -> None:
    result = associate(planted(9), ["homophily_edge"])
    row = only(result.frame())
    assert np.isnan(row["ci_low"]) and np.isnan(row["ci_high"])
    assert 0 < row["p_permutation"] < 0.01
    assert "9 clusters: no bootstrap interval" in row["note"]
    assert [d.code for d in result.diagnostics] == ["GMC008"]
    assert not np.isnan(only(associate(planted(10), ["homophily_edge"]).frame())["ci_low"])


def test_graphs_of_one_cluster_are_description_only() -> None:
    row = only(associate(planted(20, clusters=1), ["homophily_edge"]).frame())
    assert row["rho"] < -0.9
    assert np.isnan(row["p_permutation"]) and np.isnan(row["p_holm"]) and np.isnan(row["ci_low"])
    assert "one cluster: description only" in row["note"]


def test_what_differs_only_within_clusters_has_no_p_value() -> None:
    # Every base graph rewired to the same five values: exchanging whole base graphs changes nothing.
    table = planted(60, pairs=1, clusters=12)
    table["homophily_edge"] = (np.arange(60) // 12) / 5
    row = only(associate(table, ["homophily_edge"]).frame())
    assert np.isnan(row["p_permutation"]) and "exchanging the clusters changes nothing" in row["note"]


def test_a_constant_control_is_dropped_by_name() -> None:
    table = pd.concat([planted().assign(ends_loss=1.0), planted(model="gat")])
    result = associate(table, ["homophily_edge"], kinds={"held": ("ends_loss",)})
    row = only(result.frame(), model="gcn")
    assert (row["dropped_controls"], row["controls"]) == ("ends_loss", "")
    assert "control ends_loss is constant" in row["note"]
    assert row["rho"] == only(associate(planted(), ["homophily_edge"]).frame())["rho"]
    assert only(result.frame(), model="gat")["dropped_controls"] == ""
    (fired,) = result.diagnostics
    assert fired.code == "GMC011" and "ends_loss in 1 of 2 groups, such as gcn, linear path" in fired.message


@pytest.mark.parametrize(
    ("column", "why"), [("barrier", "outcome is the same"), ("homophily_edge", "statistic is the same")]
)
def test_a_constant_is_a_note_and_not_a_warning(column: str, why: str) -> None:
    row = only(associate(planted().assign(**{column: 0.25}), ["homophily_edge"]).frame())
    assert np.isnan(row["rho"]) and np.isnan(row["p_permutation"]) and why in row["note"]


def test_a_statistic_that_is_its_own_control_is_not_correlated() -> None:
    frame = associate(planted(), ["homophily_edge", "ends_loss"], kinds=KINDS).frame()
    row = only(frame, statistic="ends_loss", kind="not through end quality")
    assert np.isnan(row["rho"]) and "itself controlled for" in row["note"]
    copied = planted().assign(copy=lambda t: t["density"] ** 2)
    row = only(associate(copied, ["copy"], kinds={"held": ("density",)}).frame())
    assert np.isnan(row["rho"]) and "function of the controls" in row["note"]


def test_diverged_rows_and_unknown_statistics_are_dropped_and_counted() -> None:
    table = planted()
    table.loc[table["graph"].isin(["g000", "g001"]), "barrier"] = np.nan
    table.loc[table.index[-1], "barrier"] = np.inf
    table.loc[table["graph"] == "g005", "density"] = np.nan
    frame = associate(table, ["homophily_edge", "density"]).frame()
    row, other = only(frame, statistic="homophily_edge"), only(frame, statistic="density")
    assert (row["num_graphs"], row["dropped_rows"], row["dropped_graphs"]) == (25, 7, 2)
    assert (other["num_graphs"], other["dropped_graphs"]) == (24, 3)
    assert "7 rows without a finite outcome" in row["note"]


def test_a_group_without_any_outcome_keeps_its_row() -> None:
    row = only(associate(planted().assign(barrier=np.nan), ["homophily_edge"]).frame())
    assert np.isnan(row["rho"]) and row["num_graphs"] == 0 and "fewer than 3 graphs" in row["note"]


def test_zeros_are_counted_and_fire() -> None:
    table = planted(20, pairs=1)
    table.loc[:7, "barrier"] = [0.0, 0.0, 5e-4, 0.0, 0.0, 0.0, -5e-4, 0.0]
    result = associate(table, ["homophily_edge"])
    assert only(result.frame())["zero_share"] == pytest.approx(0.4)
    assert [d.code for d in result.diagnostics] == ["GMC013"]
    assert "up to 40 % of the graphs have a barrier below 0.001 in the only group" in result.diagnostics[0].message


def test_diagnostics_are_said_once_with_how_many_groups() -> None:
    few = [planted(6, seed=i, model=f"m{i}") for i in range(4)]
    result = associate(pd.concat([*few, planted()]), ["homophily_edge", "density"], kinds=KINDS)
    (fired,) = result.diagnostics
    assert fired.code == "GMC008" and fired.message.startswith("6 clusters with 6 graphs in 4 of 5 groups")


def test_twins_keep_together_and_clusters_of_unequal_size_stay() -> None:
    table = planted(14, pairs=1)
    table.loc[[0, 1], "cluster"] = "twins"
    row = only(associate(table, ["homophily_edge"]).frame())
    assert row["num_clusters"] == 13
    assert "clusters of a size of their own, kept in place by the permutation: 1" in row["note"]


def test_statistics_default_to_what_is_constant_within_graphs_and_differs_between_them() -> None:
    frame = associate(planted().assign(nodes=2000)).frame()
    assert frame["statistic"].tolist() == ["homophily_edge", "density"]
    with pytest.raises(InputError, match="name the statistics"):
        associate(planted().drop(columns=["homophily_edge", "density"]))


def test_no_groups_at_all_is_one_group() -> None:
    frame = associate(planted(), ["homophily_edge"], by=()).frame()
    assert len(frame) == 1 and frame.columns[0] == "statistic"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"permutations": 0}, "permutations=0"),
        ({"permutations": "many"}, "permutations='many' is a str: expected a whole number"),
        ({"bootstrap": 2.5}, "bootstrap=2.5 is a float: expected a whole number"),
        ({"confidence": "high"}, "confidence='high' is a str"),
        ({"kinds": 3}, "kinds=3 is a int: give a label for each"),
        ({"confidence": 95}, "confidence=95"),
        ({"kinds": {}}, "kinds is empty"),
        ({"kinds": {"held": "ends_loss"}}, r"\('ends_loss',\)"),
        ({"statistics": "density"}, "list of column names"),
        ({"outcome": "barier"}, "did you mean 'barrier'"),
    ],
)
def test_wrong_settings_are_one_clear_line(settings: dict, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        associate(planted(), **settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("table", [3, None, {"barrier": [0.1]}])
def test_what_is_no_table_is_told_in_one_line(table: object) -> None:
    with pytest.raises(InputError, match=f"expected a table, got {type(table).__name__}: pass a pandas DataFrame"):
        associate(table)  # type: ignore[arg-type]


def test_importing_the_analysis_does_not_import_torch() -> None:
    code = "import sys, gnnmc.analysis.association, gnnmc.analysis.sentences; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
