"""Curves of the predicted barrier: the shape that was planted, within the range of the data."""

import numpy as np
import pandas as pd
import pytest

from gnnmc.analysis import partial_dependence
from gnnmc.analysis.log_barrier import log_barrier
from gnnmc.analysis.prediction import additive_model
from gnnmc.errors import InputError


def graphs(num: int = 40, seed: int = 0) -> pd.DataFrame:
    """log B is a hump in h, and falls with d, which is alike to h."""
    rng = np.random.default_rng(seed)
    h = rng.random(num)
    d = h + 0.5 * rng.random(num)
    names = [f"g{i}" for i in range(num)]
    height = np.exp(-1 - 6 * (h - 0.5) ** 2 - d + 0.02 * rng.normal(size=num))
    return pd.DataFrame({"graph": names, "cluster": names, "barrier": height, "h": h, "d": d, "flat": 1.0})


def test_a_hump_is_a_hump_and_a_fall_a_fall_whatever_goes_along() -> None:
    found = partial_dependence(graphs(), {"both": ["h", "d"]}, by=())
    hump, fall = (rows for _, rows in found.groupby("statistic", sort=False))
    assert len(hump) == len(fall) == 21
    assert 0.35 < hump.loc[hump["predicted"].idxmax(), "value"] < 0.65
    assert hump["predicted"].iloc[0] < 0.5 * hump["predicted"].max() > 2 * hump["predicted"].iloc[-1] * 0.9
    assert np.log(fall["predicted"].iloc[0] / fall["predicted"].iloc[-1]) == pytest.approx(
        np.ptp(graphs()["d"]), rel=0.3
    )
    assert hump["value"].min() == graphs()["h"].min() and hump["value"].max() == graphs()["h"].max()


def test_it_is_the_mean_over_graphs_by_a_slow_loop() -> None:
    table = graphs(12).sort_values("graph")
    found = partial_dependence(table, {"both": ["h", "d"]}, by=(), points=4)
    model = additive_model().fit(table[["h", "d"]].to_numpy(), log_barrier(table["barrier"]))
    for _, row in found.iterrows():
        predicted = []
        for _, graph in table.iterrows():
            at = {"h": graph["h"], "d": graph["d"]} | {row["statistic"]: row["value"]}
            predicted.append(model.predict(np.array([[at["h"], at["d"]]]))[0])
        assert row["predicted"] == pytest.approx(np.exp(np.mean(predicted)) - 1e-3)


def test_few_values_are_taken_as_they_are() -> None:
    table = graphs().assign(h=lambda rows: rows["h"].round(1))
    found = partial_dependence(table, {"one": ["h"]}, by=())
    assert found["value"].tolist() == sorted(table["h"].unique())


def test_of_clumps_the_medians_are_taken_and_nothing_between_them() -> None:
    """Values about 0, .2, .5 and .9 alone were generated: between them nobody knows."""
    rng = np.random.default_rng(0)
    levels = np.repeat([0.0, 0.2, 0.5, 0.9], 11)
    table = graphs(44).assign(h=np.where(levels > 0, levels + 0.015 * rng.normal(size=44), 0.0))
    found = partial_dependence(table, {"both": ["h", "d"]}, by=()).query("statistic == 'h'")
    assert found["value"].tolist() == pytest.approx(table.groupby(levels)["h"].median().tolist())
    assert set(found["value"]) <= set(table["h"])
    # Of unequal width, as the separability of the features is.
    widths = np.repeat([0.05, 0.1, 0.12, 0.05], 11) * np.tile(np.linspace(-0.5, 0.5, 11), 4)
    table = table.assign(h=levels + widths)
    found = partial_dependence(table, {"one": ["h"]}, by=())
    assert found["value"].tolist() == pytest.approx([0.0, 0.2, 0.5, 0.9])
    # One is much wider than the others: these are no few settings.
    wide = table.assign(h=np.where(levels < 0.9, rng.random(44) * 0.7, table["h"]))
    assert len(partial_dependence(wide, {"one": ["h"]}, by=())) == 21


def test_many_values_are_ones_that_graphs_have() -> None:
    table = graphs()
    found = partial_dependence(table, {"both": ["h", "d"]}, by=())
    assert all(set(rows["value"]) <= set(table[name]) for name, rows in found.groupby("statistic"))


@pytest.mark.parametrize(
    ("table", "names", "note"),
    [
        (graphs(3), ["h"], "3 clusters: at least 4 are needed"),
        (graphs(), ["flat"], "every statistic is the same"),
        (graphs().assign(barrier=0.1), ["h"], "the outcome is the same"),
    ],
)
def test_no_model_is_one_row_that_says_why(table: pd.DataFrame, names: list[str], note: str) -> None:
    found = partial_dependence(table, {"set": names}, by=())
    assert len(found) == 1 and note in found.iloc[0]["note"] and np.isnan(found.iloc[0]["predicted"])


def test_wrong_use_is_refused() -> None:
    for predictors, settings, message in (
        ({}, {}, "predictors: give name → statistics"),
        ({"a": ["hh"]}, {}, "did you mean 'h'"),
        ({"a": ["h"]}, {"points": 1}, "points=1: at least 2"),
    ):
        with pytest.raises(InputError, match=message):
            partial_dependence(graphs(), predictors, by=(), **settings)
