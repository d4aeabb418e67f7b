"""What must hold for every table: order, names of other columns, and monotone scales do not matter."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from gnnmc.analysis import associate, barrier_summary

QUICK = {"permutations": 60, "bootstrap": 40}
KINDS = {"total": (), "held": ("ends_loss",)}


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    graphs, pairs = draw(st.integers(1, 16)), draw(st.integers(1, 3))
    digits = draw(st.sampled_from([0, 1, 6]))
    clusters = rng.integers(draw(st.integers(1, 16)), size=graphs)
    base = np.round(rng.normal(size=(2, graphs)), digits)
    rows = [
        {
            "model": model,
            "graph": f"g{i}",
            "cluster": f"c{clusters[i]}",
            "barrier": max(0.0, np.round(rng.normal(), digits)),
            "ends_loss": np.round(rng.normal(), digits),
            "a": base[0, i],
            "b": base[1, i],
        }
        for model in ("gcn", "gat")
        for i in range(graphs)
        for _ in range(pairs)
    ]
    table = pd.DataFrame(rows)
    table.loc[rng.random(len(table)) < draw(st.sampled_from([0.0, 0.3])), "barrier"] = np.nan
    return table


def frame_of(table: pd.DataFrame, statistics: tuple[str, ...] = ("a", "b")) -> pd.DataFrame:
    return associate(table, statistics, kinds=KINDS, by=("model",), **QUICK).frame()


@settings(max_examples=30)
@given(tables())
def test_every_number_is_in_its_range_or_missing_with_a_note(table: pd.DataFrame) -> None:
    before = table.copy(deep=True)
    frame = frame_of(table)
    pd.testing.assert_frame_equal(table, before)
    assert len(frame) == 2 * 2 * 2
    for name in ("rho", "ci_low", "ci_high"):
        assert frame[name].dropna().between(-1, 1).all()
    assert frame["p_permutation"].dropna().between(0, 1, inclusive="right").all()
    assert (frame["p_holm"] >= frame["p_permutation"])[frame["p_permutation"].notna()].all()
    assert (frame["ci_low"] <= frame["ci_high"])[frame["ci_low"].notna()].all()
    assert frame["ci_low"].isna()[frame["num_clusters"] < 10].all()
    assert frame["p_permutation"].isna()[frame["num_clusters"] < 2].all()
    missing = frame["rho"].isna() | frame["p_permutation"].isna() | frame["ci_low"].isna()
    assert (frame["note"] != "")[missing].all()


@settings(max_examples=20)
@given(tables(), st.integers(0, 2**32 - 1))
def test_the_order_of_rows_does_not_matter(table: pd.DataFrame, seed: int) -> None:
    shuffled = table.sample(frac=1, random_state=np.random.RandomState(seed))
    order = ["model", "statistic", "kind"]
    first, second = (frame_of(each).sort_values(order, ignore_index=True) for each in (table, shuffled))
    pd.testing.assert_frame_equal(first, second, check_exact=True)


@settings(max_examples=20)
@given(tables())
def test_a_row_does_not_depend_on_other_groups_and_statistics(table: pd.DataFrame) -> None:
    whole = frame_of(table)
    alone = frame_of(table[table["model"] == "gat"], ("b",))
    same = whole[(whole["model"] == "gat") & (whole["statistic"] == "b")]
    numbers = ["rho", "ci_low", "ci_high", "p_permutation", "num_graphs", "num_clusters", "zero_share", "note"]
    # The products of one and of two statistics may differ in the last bit.
    pd.testing.assert_frame_equal(
        same[numbers].reset_index(drop=True), alone[numbers].reset_index(drop=True), rtol=0, atol=1e-12
    )


@settings(max_examples=20)
@given(tables())
def test_only_the_order_of_values_matters_and_a_reversed_statistic_has_the_other_sign(table: pd.DataFrame) -> None:
    first = frame_of(table)
    second = frame_of(table.assign(a=np.exp(table["a"]), b=-(table["b"] ** 3)))
    same, other = first["statistic"] == "a", first["statistic"] == "b"
    assert np.allclose(first["rho"][same], second["rho"][same], equal_nan=True, atol=1e-12)
    assert np.allclose(first["rho"][other], -second["rho"][other], equal_nan=True, atol=1e-12)
    assert np.allclose(first["ci_low"][other], -second["ci_high"][other], equal_nan=True, atol=1e-9)
    assert np.allclose(first["p_permutation"], second["p_permutation"], equal_nan=True)


@settings(max_examples=20)
@given(tables())
def test_a_summary_lies_between_the_least_and_the_greatest(table: pd.DataFrame) -> None:
    summary = barrier_summary(table, ["model"])
    for _, row in summary.iterrows():
        values = table[table["model"] == row["model"]]["barrier"]
        if row["num_graphs"]:
            assert values.min() - 1e-12 <= row["mean"] <= values.max() + 1e-12
        assert np.isnan(row["ci_low"]) == (row["interval"] != "t over clusters")
