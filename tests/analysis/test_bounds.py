"""Bounds in their shape: hand values, a slow loop for the maximum and the products, and what is refused."""

import math

import numpy as np
import pandas as pd
import pytest

from gnnmc.analysis import csbm_bound, effective_gap, generalization_bound, weight_bound, weight_distance
from gnnmc.errors import InputError


def barriers(**columns: object) -> pd.DataFrame:
    named = {"barrier": [0.5], "num_nodes": [100], "num_train": [20], "steps": [200], "delta": [0.05]} | columns
    return pd.DataFrame(named)


def test_every_term_of_the_generalization_bound_is_a_column() -> None:
    row = generalization_bound(barriers()).iloc[0]
    assert row["bound_barrier_term"] == 4.0
    assert row["bound_size_term"] == pytest.approx(1000 / (20 * 80))
    assert row["bound_schedule_term"] == pytest.approx(math.log(200))
    assert row["bound_confidence_term"] == pytest.approx(math.log(20))
    assert (row["bound_steps_term_rho_0"], row["bound_steps_term_rho_half"]) == (1.0, pytest.approx(math.sqrt(200)))
    assert row["bound_rho_0"] == pytest.approx(4 * 0.625 * math.log(200) * math.log(20))
    assert row["bound_rho_half"] == pytest.approx(row["bound_rho_0"] * math.sqrt(200))
    assert row["constants"] == "unit constants"
    assert row["vacuous_rho_0"] and row["largest_gap"] == 1.0 and "error rates" in row["largest_gap_is"]


def test_a_small_barrier_on_a_large_graph_is_not_vacuous_and_a_lost_one_is_neither() -> None:
    table = pd.DataFrame(barriers().iloc[0].to_dict(), index=range(3)).assign(
        barrier=[0.0001, np.nan, 0.0], num_nodes=10_000, num_train=5000
    )
    found = generalization_bound(table)
    assert found["vacuous_rho_0"].tolist() == [False, pd.NA, False]
    assert found["bound_rho_0"].iloc[2] == 0 and np.isnan(found["bound_rho_0"].iloc[1])


def test_a_gap_of_the_loss_is_held_against_the_loss_of_guessing() -> None:
    table = barriers(barrier=[0.02], num_classes=[7])
    found = generalization_bound(table, gap="loss").iloc[0]
    assert found["largest_gap"] == pytest.approx(math.log(7)) and "guessing" in found["largest_gap_is"]
    assert 1 < found["bound_rho_0"] < math.log(7)  # vacuous for error rates, not for the loss
    assert not found["vacuous_rho_0"] and generalization_bound(table).iloc[0]["vacuous_rho_0"]


def test_the_table_given_is_not_changed_and_its_other_columns_and_index_return() -> None:
    table = barriers(graph=["Cora"]).set_axis([7])
    before = table.copy()
    found = generalization_bound(table)
    pd.testing.assert_frame_equal(table, before)
    assert found.loc[7, "graph"] == "Cora"


@pytest.mark.parametrize(
    ("columns", "settings", "message"),
    [
        ({"barrier": [-0.1]}, {}, "column 'barrier' has -0.1: allowed: a chord barrier of 0 or more"),
        ({"num_train": [100]}, {}, "column 'num_train' has 100: allowed: 1 or more and fewer than num_nodes"),
        ({"steps": [1]}, {}, "column 'steps' has 1: allowed: more than 1"),
        ({"delta": [1.0]}, {}, "column 'delta' has 1: allowed: a probability"),
        ({"delta": ["small"]}, {}, "column 'delta' is of type"),
        ({"split": ["test"]}, {}, "column 'split' has 'test': the bound is of the train-loss barrier"),
        ({}, {"gap": "loss"}, "unknown column of the table 'num_classes'"),
        ({}, {"gap": "losses"}, "gap='losses': allowed: 'error', 'loss'"),
    ],
)
def test_wrong_use_is_one_clear_line(columns: dict, settings: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        generalization_bound(barriers(**columns), **settings)


def test_the_effective_gap_counts_the_self_loop() -> None:
    row = effective_gap(pd.DataFrame({"gap_modulus": [0.1], "degree_min": [0], "num_nodes": [3327]})).iloc[0]
    assert row["lambda_degree_term"] == pytest.approx(math.sqrt(math.log(3327)))  # an isolated node: d_min = 1
    assert row["lambda_eff"] == pytest.approx(0.9 + math.sqrt(math.log(3327)))


def test_the_weights_of_later_layers_weigh_the_distance_of_a_layer() -> None:
    rng = np.random.default_rng(0)
    rows = [
        {"pair": pair, "layer": layer, "norm_a": a, "norm_b": b, "norm_difference": d}
        for pair in ("p", "q")
        for layer, (a, b, d) in enumerate(rng.random((4, 3)) * 2)
    ]
    layers = pd.DataFrame(rows)
    found = weight_distance(layers.sample(frac=1, random_state=1)).set_index("pair")["weight_distance"]
    for pair in ("p", "q"):
        own = [row for row in rows if row["pair"] == pair]
        total = 0.0
        for place, row in enumerate(own):
            after_a = after_b = 1.0
            for later in own[place + 1 :]:
                after_a, after_b = after_a * later["norm_a"], after_b * later["norm_b"]
            total += min(after_a, after_b) * row["norm_difference"]
        assert found[pair] == pytest.approx(total)
    with pytest.raises(InputError, match="has a layer twice"):
        weight_distance(layers.drop(columns="pair"), by=())
    with pytest.raises(InputError, match="allowed: a norm"):
        weight_distance(layers.assign(norm_a=-1.0))


def test_the_maximum_over_the_path_is_at_one_of_its_ends() -> None:
    rng = np.random.default_rng(0)
    columns = ["lambda_eff", "feature_norm", "weight_distance", "loss_constant", "loss_lipschitz"]
    table = pd.DataFrame(rng.random((20, 5)) * 2, columns=columns)
    found = weight_bound(table)
    for (_, row), bound in zip(table.iterrows(), found["barrier_bound"]):
        slope = row["loss_lipschitz"] * row["lambda_eff"] * row["feature_norm"] * row["weight_distance"]
        slow = max((1 - t) * row["loss_constant"] + t * slope for t in np.linspace(0, 1, 101))
        assert bound == pytest.approx(slow)
    assert (found["constants"] == "unit constants but loss_constant and loss_lipschitz").all()
    plain = weight_bound(table[columns[:3]])
    assert (plain["bound_constant_end"] == 1).all() and (plain["constants"] == "unit constants").all()


def test_the_form_for_two_classes() -> None:
    table = pd.DataFrame(
        {"sigma": [2.0], "num_features": [4], "num_nodes": [100], "degree_min": [3], "homophily": [0.9]}
    ).assign(density_sum=0.2)
    row = csbm_bound(table).iloc[0]
    assert row["csbm_noise_term"] == pytest.approx(2 * math.sqrt(4 * math.log(100)))
    expected = math.sqrt(math.log(100) / 4) - 0.4**2 * 0.2
    assert row["csbm_bound"] == pytest.approx(row["csbm_noise_term"] * expected)
