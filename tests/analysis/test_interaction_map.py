"""Maps of two settings: every graph once, standard errors over clusters; and a test of what is not a sum."""

import numpy as np
import pandas as pd
import pytest

from gnnmc.analysis import interaction_map, interaction_test
from gnnmc.errors import InputError

ONE = {"by": ()}


def grid(repeats: int = 4, *, interaction: float = 0.0, noise: float = 0.1, seed: int = 0) -> pd.DataFrame:
    """log B is a sum of an effect of h and one of the degree, and of their product where asked."""
    rng = np.random.default_rng(seed)
    rows = []
    for h in (0.1, 0.5, 0.9):
        for degree in (5, 10, 20):
            for repeat in range(repeats):
                level = -2 + h - 0.5 * np.log(degree) + interaction * (h - 0.5) * np.log(degree / 10)
                rows.append(
                    {
                        "graph": f"g{h} {degree} {repeat}",
                        "cluster": f"c{h} {degree} {repeat}",
                        "h": h,
                        "degree": degree,
                        "barrier": np.exp(level + noise * rng.normal()),
                    }
                )
    return pd.DataFrame(rows)


def test_a_cell_is_the_mean_of_its_graphs_and_its_error_that_of_the_mean() -> None:
    table = pd.concat([grid(), *[grid().query("graph == 'g0.1 5 0'")] * 5])  # six pairs of one graph
    cells = interaction_map(table, "h", "degree", **ONE).set_index(["x", "y"])
    own = grid().query("h == 0.1 and degree == 5")["barrier"]
    cell = cells.loc[(0.1, 5)]
    assert cell["value"] == pytest.approx(own.mean()) and cell["se"] == pytest.approx(own.std() / 2)
    assert (cell["num_graphs"], cell["num_clusters"]) == (4, 4) and len(cells) == 9
    assert cell["x_statistic"] == "h" and cell["y_statistic"] == "degree"


def test_twins_of_one_base_graph_do_not_make_the_error_smaller() -> None:
    table = grid()
    twins = pd.concat([table, table.assign(graph=table["graph"] + " twin")])
    one, both = (interaction_map(each, "h", "degree", **ONE) for each in (table, twins))
    np.testing.assert_allclose(both["se"], one["se"])
    assert (both["num_graphs"] == 8).all() and (both["num_clusters"] == 4).all()
    alone = interaction_map(grid(1), "h", "degree", **ONE)
    assert alone["se"].isna().all()


def test_a_sum_has_no_interaction_and_a_product_has() -> None:
    row = interaction_test(grid(seed=2), "h", "degree", permutations=500, **ONE).iloc[0]
    assert row["p_permutation"] > 0.1 and row["share"] < 0.05
    assert (row["df_interaction"], row["df_residual"], row["num_cells"], row["moved"]) == (4, 27, 9, "clusters")
    row = interaction_test(grid(interaction=1.0), "h", "degree", permutations=500, **ONE).iloc[0]
    assert row["p_permutation"] < 0.01 and row["share"] > 0.1


def test_f_is_that_of_two_nested_models() -> None:
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm

    from gnnmc.analysis.log_barrier import log_barrier

    table = grid(interaction=0.5).iloc[5:]  # cells of unequal size, one of them empty
    table["y"] = log_barrier(table["barrier"])
    cell = table.assign(cell=table["h"].astype(str) + "/" + table["degree"].astype(str))
    compared = anova_lm(ols("y ~ C(h) + C(degree)", cell).fit(), ols("y ~ C(cell)", cell).fit())
    row = interaction_test(table, "h", "degree", permutations=50, **ONE).iloc[0]
    assert row["f"] == pytest.approx(compared["F"].iloc[1])
    assert (row["df_interaction"], row["df_residual"]) == (compared["df_diff"].iloc[1], compared["df_resid"].iloc[1])


def crossed(bases: int = 8, *, interaction: float = 0.0, seed: int = 0) -> pd.DataFrame:
    """Base graphs each in every cell, with a level of their own much larger than what is looked for."""
    level = np.random.default_rng(seed + 100).normal(size=bases)
    table = grid(bases, interaction=interaction, seed=seed)
    base = table.groupby(["h", "degree"]).cumcount().to_numpy()
    return table.assign(cluster=base, barrier=table["barrier"] * np.exp(level[base]))


def test_versions_of_base_graphs_flip_signs_together() -> None:
    row = interaction_test(crossed(seed=2), "h", "degree", permutations=300, **ONE).iloc[0]
    assert row["moved"] == "signs of clusters" and row["p_permutation"] > 0.1
    assert row["df_residual"] == 72 - 9 - 7  # a level of its own for every base graph
    assert row["p_permutation"] * 256 == pytest.approx(round(row["p_permutation"] * 256))  # all 2⁸ of them
    row = interaction_test(crossed(interaction=1.0), "h", "degree", permutations=300, **ONE).iloc[0]
    assert row["p_permutation"] <= 2 / 256


@pytest.mark.parametrize(
    ("table", "note"),
    [
        (grid(1), "one graph in every cell"),
        (grid().query("h == 0.1"), "leave no interaction to see"),
        (grid().assign(barrier=0.5), "nothing is left of the additive model"),
        (grid().assign(h=np.nan), "no graphs"),
    ],
)
def test_what_cannot_be_tested_is_noted(table: pd.DataFrame, note: str) -> None:
    row = interaction_test(table, "h", "degree", permutations=50, **ONE).iloc[0]
    assert np.isnan(row["p_permutation"]) and note in row["note"]


@pytest.mark.parametrize(
    ("change", "settings", "message"),
    [
        ({}, {"y": "h"}, "x and y are both 'h'"),
        ({"graph": "one", "cluster": "one"}, {}, "graph 'one' has 3 values of 'h'"),
        ({"barrier": -1.0}, {}, "needs barriers of 0 or more"),
        ({}, {"y": "degre"}, "did you mean 'degree'"),
    ],
)
def test_wrong_use_is_refused(change: dict, settings: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        interaction_test(grid().assign(**change), **({"x": "h", "y": "degree", "by": ()} | settings))


def test_nothing_given_is_changed_and_order_does_not_matter() -> None:
    table = grid()
    before = table.copy()
    first = interaction_test(table, "h", "degree", permutations=50, **ONE)
    pd.testing.assert_frame_equal(table, before)
    pd.testing.assert_frame_equal(
        first, interaction_test(table.sample(frac=1, random_state=0), "h", "degree", permutations=50, **ONE)
    )


@pytest.mark.slow
@pytest.mark.parametrize("make", [lambda seed: grid(3, seed=seed), lambda seed: crossed(10, seed=seed)])
def test_the_p_value_is_uniform_for_a_sum(make) -> None:
    p_values = [
        interaction_test(make(seed), "h", "degree", permutations=200, **ONE).iloc[0]["p_permutation"]
        for seed in range(200)
    ]
    for level in (0.05, 0.2, 0.5):
        assert abs(np.mean(np.array(p_values) <= level) - level) < 3.2 * np.sqrt(level * (1 - level) / 200)
