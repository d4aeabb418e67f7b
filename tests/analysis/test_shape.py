"""A bend is found where there is one, and a turn is only called where the trend changes its sign."""

import numpy as np
import pandas as pd
import pytest

from gnnmc.analysis import shape_test


def curve(function: object, graphs: int = 30, noise: float = 0.05, **columns: object) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    h = np.linspace(0, 0.9, graphs)
    names = [f"g{i:02d}" for i in range(graphs)]
    outcome = function(h) + noise * rng.normal(size=graphs)
    return pd.DataFrame({"graph": names, "cluster": names, "barrier": outcome, "h": h, **columns})


def shape(table: pd.DataFrame, **settings: object) -> pd.Series:
    frame = shape_test(table, "h", **({"by": ()} | settings))
    assert len(frame) == 1
    return frame.iloc[0]


def test_a_hump_bends_and_turns_where_it_does() -> None:
    row = shape(curve(lambda h: -np.abs(h - 0.35)))
    assert row["bend"] < -0.7 and row["ci_high"] < 0 and row["p_permutation"] < 0.001
    assert row["turns"] and row["rho_below"] > 0.5 and row["rho_above"] < -0.5
    assert row["turning_point"] == pytest.approx(0.35, abs=0.1)


def test_a_valley_bends_the_other_way() -> None:
    row = shape(curve(lambda h: (h - 0.5) ** 2, noise=0.01))
    assert row["bend"] > 0.7 and row["turns"] and row["rho_below"] < 0 < row["rho_above"]


def test_a_straight_fall_neither_bends_nor_turns() -> None:
    row = shape(curve(lambda h: -h, noise=0.15))
    assert row["p_permutation"] > 0.05 and not row["turns"]


def test_a_rise_that_levels_off_bends_but_need_not_turn() -> None:
    row = shape(curve(lambda h: np.minimum(h, 0.5), noise=0.0))
    assert row["bend"] < 0 and row["p_permutation"] < 0.05 and not row["turns"]


def test_a_line_has_no_turning_point_however_its_fit_is_rounded() -> None:
    for num in range(3, 40):
        h = np.linspace(0, 1, num)
        table = pd.DataFrame({"graph": range(num), "cluster": range(num), "h": h, "barrier": 3 * h})
        row = shape_test(table, "h", by=(), permutations=9, bootstrap=9).iloc[0]
        assert np.isnan(row["turning_point"]) and not row["turns"]


def test_two_values_have_no_shape() -> None:
    row = shape(curve(lambda h: h).assign(h=lambda t: (t.index % 2) * 1.0))
    assert np.isnan(row["bend"]) and np.isnan(row["turning_point"]) and not row["turns"]


def test_groups_keep_their_labels_and_an_empty_one_is_left_out() -> None:
    hump = curve(lambda h: -np.abs(h - 0.4), model="gcn")
    rise = curve(lambda h: h, model="gat")
    gone = curve(lambda h: h, model="mlp").assign(barrier=np.nan)
    frame = shape_test(pd.concat([gone, hump, rise]), "h", by=("model",))
    assert frame["model"].tolist() == ["gcn", "gat"] and frame["turns"].tolist() == [True, False]
    assert shape_test(gone, "h", by=("model",)).empty
