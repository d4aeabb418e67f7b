"""Relating barriers to graphs: planted relations are found, diagnostics fire and stay quiet."""

from typing import Any

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def codes(related: Any) -> Any:
    """tables → the codes of the diagnostics that fired."""
    return lambda tables: related(tables)["diagnostics"].code.tolist()


def test_a_statistic_that_was_not_varied_is_not_tested(planted: Any, related: Any) -> None:
    assert set(related(planted())["association"].statistic) == {
        "homophily_edge",
        "homophily_adjusted_abs",
        "label_informativeness",
    }


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"loss": 1.4}, "GMC001"),
        ({"accuracy": 0.7}, "GMC001"),
        ({"curve_test": 0.4}, "GMC006"),
        ({"replicates": 1}, "GMC008"),
        ({"absent": 1}, "GMC015"),
        ({"status": "diverged at epoch 3: the loss is not finite"}, "GMC012"),
    ],
)
def test_diagnostics_fire_and_stay_quiet(changes: dict[str, Any], code: str, planted: Any, codes: Any) -> None:
    assert code in codes(planted(**changes))
    assert code not in codes(planted())


def test_clusters_with_the_same_labels_are_told(planted: Any, related: Any, codes: Any) -> None:
    different = [f"digest {number}" for number in range(15)]
    found = related(planted(labels=["digest 3", *different[1:]]))["diagnostics"].set_index("code")
    first, fourth = "csbm homophily=0.1, seed=0", "csbm homophily=0.3, seed=0"
    assert found.loc["GMC016", "message"] == f"{first} and {fourth}"
    assert "GMC016" not in codes(planted(labels=different))
    versions = planted(labels=["one"] * 15)
    for name in ("graphs", "barriers"):  # of one cluster they are what the inference takes them for
        versions[name] = versions[name].assign(**({"cluster": "one"} if name == "graphs" else {}))
    assert "GMC016" not in codes(versions)


def test_lines_that_were_not_aligned_are_told(planted: Any, codes: Any) -> None:
    tables = planted()
    assert "GMC005" in codes(tables)
    tables["barriers"]["aligned"] = "weights"
    assert "GMC005" not in codes(tables)


def test_what_fired_on_paths_is_counted(planted: Any, related: Any) -> None:
    tables = planted()
    tables["fired"] = pd.DataFrame(
        [{"graph": "g", "model": "gcn", "path": "linear", "code": "GMC004", "message": "m"}] * 3
    )
    rows = related(tables)["diagnostics"].set_index("code")
    assert rows.loc["GMC004", "message"].startswith("3 times")


def test_one_poor_end_in_a_cell_is_flagged(planted: Any, related: Any) -> None:
    tables = planted()
    ends = tables["endpoints"]
    ends.loc[(ends.seed == 1) & (ends.graph == ends.graph[0]) & (ends.split == "train"), "accuracy"] = 0.6
    message = related(tables)["diagnostics"].set_index("code").loc["GMC001", "message"]
    assert message.startswith("1 of 30 ends, in 1 graph and model cells")


def test_pairs_that_were_lost_are_counted(planted: Any, related: Any) -> None:
    tables = planted()
    first = tables["barriers"].graph[0]
    lost = (tables["barriers"].graph == first) & (tables["barriers"].path == "linear")
    tables["barriers"].loc[lost, "barrier"] = np.nan
    association = related(tables)["association"].query("path == 'linear'")
    assert (association.dropped_graphs == 1).all()
    assert (association.num_graphs == 14).all()


def test_in_a_sweep_nothing_is_said_to_go_beyond_homophily(planted: Any, related: Any) -> None:
    # |h_adj| is a function of h there: a bend alone would look as if it told more (science 1.6).
    tables = planted()
    adjusted = tables["graphs"].set_index("graph").homophily_adjusted.abs()
    tables["barriers"]["barrier"] = 0.6 - 0.4 * tables["barriers"].graph.map(adjusted)
    results = related(tables)
    assert "beyond homophily" not in set(results["association"].kind)
    assert results["rivals"].empty
