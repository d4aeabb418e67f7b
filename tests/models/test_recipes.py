"""Every row of the table of science 1.5, as settings that a model and a training run take."""

import inspect

import pytest
import torch

from gnnmc.errors import InputError
from gnnmc.models import MODELS, RECIPES, build_model, count_parameters, recipe
from gnnmc.training import train

GRAPHS = [
    *("Cora", "CiteSeer", "PubMed", "Computers", "Photo", "Coauthor-CS", "Coauthor-Physics", "WikiCS"),
    *("Squirrel", "Chameleon", "Amazon-ratings", "Minesweeper", "Roman-empire"),
]


def test_every_graph_has_a_recipe_for_every_model():
    assert {f"{model}/{graph}" for model in ("gcn", "sage", "gat", "mlp") for graph in GRAPHS} == set(RECIPES)
    assert all(RECIPES[name].name == name and RECIPES[name].model in MODELS for name in RECIPES)


@pytest.mark.parametrize(
    "name, options, training",
    [
        ("gcn/Cora", (512, 3, 0.7, "none", False, False), (1e-3, 5e-4, 500)),
        ("gat/CiteSeer", (256, 3, 0.5, "none", True, False), (1e-3, 0.01, 500)),
        ("sage/PubMed", (512, 4, 0.7, "none", False, False), (5e-3, 5e-4, 500)),
        ("sage/Coauthor-Physics", (64, 2, 0.7, "batch", True, False), (1e-3, 5e-4, 1500)),
        ("gcn/Photo", (256, 6, 0.5, "layer", True, False), (1e-3, 5e-5, 1000)),
        ("sage/Roman-empire", (256, 9, 0.3, "batch", False, True), (1e-3, 0.0, 2500)),
        ("gcn/Chameleon", (512, 5, 0.2, "none", False, False), (5e-3, 1e-3, 200)),
    ],
)
def test_rows_by_hand(name, options, training):
    found = recipe(name)
    names = ("hidden", "layers", "dropout", "norm", "residual", "input_linear")
    assert tuple(found.options[key] for key in names) == options
    assert tuple(found.training[key] for key in ("lr", "weight_decay", "epochs")) == training
    assert found.options["head"] == "linear"
    assert found.options["edges"] == "undirected"


def test_what_is_expected_is_stated_for_gcn_alone():
    stated = {name: RECIPES[name].expected for name in RECIPES if RECIPES[name].expected is not None}
    assert set(stated) == {f"gcn/{graph}" for graph in GRAPHS}
    assert stated["gcn/Cora"] == 0.85
    assert stated["gcn/Minesweeper"] == 0.979
    assert recipe("gcn/Minesweeper").metric == "roc_auc"
    assert recipe("gcn/Cora").endpoint == "best_val"


def test_features_and_splits():
    row = {name.split("/")[1] for name in RECIPES if RECIPES[name].features == "row"}
    assert row == {"Computers", "Photo", "Coauthor-CS", "Coauthor-Physics"}
    assert recipe("gcn/Cora").split == {"train_per_class": 20, "val": 500, "test": 1000}
    assert recipe("gcn/Photo").split == {"train": 0.6, "val": 0.2, "test": 0.2}
    assert recipe("gcn/Squirrel").split == {}


@pytest.mark.parametrize("name", ["GCN/cora", "gcn/planetoid-cora", "gcn/Planetoid-Cora"])
def test_names_in_any_case_and_the_graphs_full_name(name):
    assert recipe(name) is RECIPES["gcn/Cora"]


@pytest.mark.parametrize(
    "name, message", [("gcn/Coar", "unknown recipe 'gcn/Coar': did you mean 'gcn/Cora'"), (3, "named by a string")]
)
def test_unknown_names(name, message):
    with pytest.raises(InputError, match=message):
        recipe(name)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_builds_and_training_takes_its_settings(toy_problem, name):
    found = recipe(name)
    # `build_model` draws the weights of wide networks; their sizes are what is looked at here.
    model = build_model(found.model, toy_problem, recipe=name, hidden=16)
    assert len(model.layers) == found.options["layers"]
    assert set(found.training) <= set(inspect.signature(train).parameters)


def test_a_recipe_is_its_settings_and_what_is_given_overrides_it(toy_graph, toy_problem):
    model = build_model("gat", toy_problem, recipe="Cora")
    by_hand = build_model("gat", toy_problem, **recipe("gat/Cora").options)
    assert count_parameters(model) == count_parameters(by_hand)
    assert torch.equal(
        model.eval()(toy_graph.x, toy_graph.edge_index), by_hand.eval()(toy_graph.x, toy_graph.edge_index)
    )
    assert model.dropout == 0.2
    assert build_model("gat", toy_problem, recipe="gat/Cora", dropout=0.4, hidden=32).dropout == 0.4
    assert count_parameters(build_model("gcn", toy_problem, recipe="gcn/Cora", parameters=10_000)) == pytest.approx(
        10_000, rel=0.02
    )


def test_gat_has_one_head_and_no_bias():
    for graph in GRAPHS:
        assert recipe(f"gat/{graph}").options["heads"] == 1
        assert recipe(f"gat/{graph}").options["bias"] is False
