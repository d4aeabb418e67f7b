"""A rival is called closer only when the resamples say so."""

import numpy as np
import pandas as pd
import pytest

from gnnmc.analysis import compare_statistics
from gnnmc.errors import InputError


def hump(graphs: int = 40, seed: int = 0) -> pd.DataFrame:
    """The barrier falls with |h − .4| and hardly with h."""
    rng = np.random.default_rng(seed)
    h = rng.random(graphs)
    names = [f"g{i}" for i in range(graphs)]
    return pd.DataFrame(
        {
            "graph": names,
            "cluster": names,
            "barrier": 1 - np.abs(h - 0.4) + 0.03 * rng.normal(size=graphs),
            "homophily_edge": h,
            "homophily_adjusted_abs": np.abs(h - 0.4),
            "homophily_adjusted": 1.25 * h - 0.25,
            "noise": rng.random(graphs),
        }
    )


def compare(table: pd.DataFrame, *rivals: str) -> pd.DataFrame:
    return compare_statistics(table, "homophily_edge", rivals, by=()).set_index("rival")


def test_the_true_axis_is_closer_and_noise_is_not() -> None:
    frame = compare(hump(), "homophily_adjusted_abs", "noise")
    closer = frame.loc["homophily_adjusted_abs"]
    assert closer["rho_rival"] < -0.9 and closer["ci_low"] > 0.05
    assert closer["advantage"] == pytest.approx(abs(closer["rho_rival"]) - abs(closer["rho_reference"]))
    assert frame.loc["noise", "ci_low"] < 0


def test_the_same_order_is_said_to_be_the_same() -> None:
    row = compare(hump(), "homophily_adjusted").loc["homophily_adjusted"]
    assert row["advantage"] == 0 and row["ci_low"] == 0 and row["ci_high"] == 0
    assert "exactly as the reference" in row["note"]


def test_more_rivals_make_wider_intervals() -> None:
    one = compare(hump(), "noise").loc["noise"]
    many = compare(hump(), "noise", "homophily_adjusted_abs", "homophily_adjusted").loc["noise"]
    assert many["ci_low"] < one["ci_low"] and many["ci_high"] > one["ci_high"]


def test_few_clusters_have_no_interval() -> None:
    row = compare(hump(9), "noise").loc["noise"]
    assert np.isnan(row["ci_low"]) and not np.isnan(row["advantage"]) and "9 clusters" in row["note"]


def test_a_constant_rival_has_no_rho() -> None:
    row = compare(hump().assign(noise=1.0), "noise").loc["noise"]
    assert np.isnan(row["advantage"]) and row["note"] == "a correlation is not defined"


@pytest.mark.parametrize("rivals", ["noise", (), ("homophily_edge",)])
def test_rivals_are_other_statistics(rivals: object) -> None:
    with pytest.raises(InputError, match="other than the reference"):
        compare_statistics(hump(), "homophily_edge", rivals, by=())
