"""Pairs are averaged within the graph, and a table that cannot be read so is refused in one line."""

import numpy as np
import pandas as pd
import pytest

from gnnmc.analysis.units import graph_groups
from gnnmc.errors import InputError


def pairs() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "split": ["train"] * 5 + ["test"],
            "graph": ["b", "b", "a", "a", "c", "a"],
            "cluster": ["y", "y", "x", "x", "x", "x"],
            "barrier": [1.0, 3.0, 0.5, np.nan, np.inf, 9.0],
            "density": [0.1, 0.1, 0.2, 0.2, 0.3, 0.2],
            "ends_loss": [0.2, 0.4, 0.1, 0.9, 0.5, 0.6],
        }
    )


def groups(table: pd.DataFrame, others: tuple[str, ...] = ("density", "ends_loss"), **roles: object) -> list:
    settings = {"by": ("split",), "graph": "graph", "cluster": "cluster"} | roles
    return list(graph_groups(table, "barrier", others, **settings))


def test_pairs_are_averaged_and_rows_without_an_outcome_are_dropped_and_counted() -> None:
    train, test = groups(pairs())
    assert train.values == ("train",) and test.values == ("test",)
    assert train.units["graph"].tolist() == ["a", "b"]
    assert train.units["barrier"].tolist() == [0.5, 2.0]
    assert train.units["ends_loss"].tolist() == [0.1, pytest.approx(0.3)]
    assert (train.num_pairs, train.dropped_rows, train.num_known) == (3, 2, 3)


def test_a_constant_keeps_its_exact_value_whatever_the_number_of_pairs() -> None:
    # The mean of ten times 0.1 is not 0.1 in floating point: a tie between graphs would break.
    counts = [3, 6, 10, 7]
    table = pd.DataFrame(
        [
            {
                "split": "train",
                "graph": f"g{i}",
                "cluster": f"g{i}",
                "barrier": 1.0 + j,
                "density": 0.1,
                "ends_loss": 1.0,
            }
            for i, count in enumerate(counts)
            for j in range(count)
        ]
    )
    assert set(groups(table)[0].units["density"]) == {0.1}


def test_the_rounding_of_a_mean_does_not_depend_on_the_order_of_the_pairs() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"split": "train", "graph": "a", "cluster": "a", "barrier": rng.lognormal(0, 8, size=7)})
    shuffled = [table.sample(frac=1, random_state=np.random.RandomState(i)) for i in range(20)]
    assert len({groups(each, ())[0].units["barrier"].item() for each in shuffled}) == 1


def test_means_that_are_equal_tie_whatever_they_are_means_of() -> None:
    rows = {"a": (0.3, 0.1), "b": (0.2, 0.2), "c": (0.7, 0.1), "d": (0.4, 0.4)}
    table = pd.DataFrame(
        [{"split": "train", "graph": g, "cluster": g, "barrier": b} for g, values in rows.items() for b in values]
    )
    units = groups(table, ())[0].units.set_index("graph")["barrier"]
    assert (0.3 + 0.1) / 2 == 0.2 and np.mean([0.7, 0.1]) != 0.4  # what float64 makes of them
    assert units["a"] == units["b"] and units["c"] == units["d"]


def test_the_table_is_not_changed() -> None:
    table = pairs()
    before = table.copy(deep=True)
    groups(table)
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize(
    ("change", "roles", "message"),
    [
        ({}, {"graph": "grap"}, "did you mean 'graph'"),
        ({"density": list("abcdef")}, {}, "'density' is of type"),
        ({"cluster": ["y", "z", "x", "x", "x", "x"]}, {}, "graph 'b' is in 2 clusters"),
        ({"cluster": ["y", None, "x", "x", "x", "x"]}, {}, "'cluster' has missing values"),
        ({}, {"cluster": "graph"}, "'graph' has two roles"),
        ({}, {"by": "split"}, r"by=\('split',\)"),
        ({}, {"by": ("density",)}, "'density' has two roles"),
    ],
)
def test_what_cannot_be_read_is_refused(change: dict, roles: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        groups(pairs().assign(**change), **roles)


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(InputError, match="no rows"):
        groups(pairs().iloc[:0])
