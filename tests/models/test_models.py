"""Models by name: families, shapes, settings, dropout."""

import pytest
import torch
from torch import nn
from torch_geometric.nn import GATConv, GCNConv, SAGEConv

from gnnmc.errors import InputError
from gnnmc.models import MODELS, build_model, count_parameters, list_models
from gnnmc.models.dropout import dropout
from gnnmc.models.options import NORMS
from gnnmc.problem import Problem
from gnnmc.weights import digest

LAYERS = {"gcn": GCNConv, "sage": SAGEConv, "gat": GATConv, "mlp": nn.Linear}


def test_the_families_of_the_design_are_there():
    assert set(LAYERS) <= set(list_models())
    assert set(NORMS) == {"none", "layer", "batch", "rms"}
    assert all(MODELS[name].source for name in MODELS)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("layers", [1, 2, 4])
@pytest.mark.parametrize("norm", ["none", "layer", "batch"])
def test_layers_count_convolutions_and_the_last_gives_the_classes(toy_graph, toy_problem, name, layers, norm):
    model = build_model(name, toy_problem, layers=layers, hidden=16, norm=norm)
    assert [isinstance(layer, LAYERS[name]) for layer in model.layers] == [True] * layers
    assert len(model.norms) == layers - 1
    assert model(toy_graph.x, toy_graph.edge_index).shape == (90, 3)


def test_gat_joins_its_heads_to_the_asked_width(toy_problem):
    model = build_model("gat", toy_problem, hidden=24, heads=3, layers=3)
    assert [(layer.heads, layer.out_channels, layer.concat) for layer in model.layers] == [
        (3, 8, True),
        (3, 8, True),
        (1, 3, True),
    ]
    assert [
        norm.normalized_shape for norm in build_model("gat", toy_problem, hidden=24, heads=3, norm="layer").norms
    ] == [(24,)]


def test_the_mlp_does_not_see_edges(toy_graph, toy_problem):
    model = build_model("mlp", toy_problem).eval()
    assert torch.equal(model(toy_graph.x), model(toy_graph.x, toy_graph.edge_index))
    assert torch.equal(model(toy_graph.x, toy_graph.edge_index), model(toy_graph.x, toy_graph.edge_index[:, :3]))
    one = toy_graph.x.clone()
    one[0] += 1
    assert torch.equal(model(one)[1:], model(toy_graph.x)[1:])


@pytest.mark.parametrize("name", ["gcn", "sage", "gat"])
def test_graph_networks_see_edges(toy_graph, toy_problem, name):
    model = build_model(name, toy_problem).eval()
    assert not torch.equal(
        model(toy_graph.x, toy_graph.edge_index), model(toy_graph.x, torch.zeros(2, 0, dtype=torch.long))
    )


def test_a_network_is_its_layers_by_hand(toy_graph, toy_problem):
    model = build_model("gcn", toy_problem, norm="layer").eval()
    hidden = torch.relu(model.norms[0](model.layers[0](toy_graph.x, toy_graph.edge_index)))
    by_hand = model.layers[1](hidden, toy_graph.edge_index)
    torch.testing.assert_close(model(toy_graph.x, toy_graph.edge_index), by_hand)


def test_building_repeats_and_leaves_the_global_generator_as_it_was(toy_problem):
    before = torch.random.get_rng_state()
    first, again = build_model("gcn", toy_problem), build_model("gcn", toy_problem)
    assert digest(first.state_dict()) == digest(again.state_dict())
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("norm", ["none", "layer", "batch"])
def test_every_parameter_is_reset(toy_problem, name, norm):
    model = build_model(name, toy_problem, norm=norm)
    with torch.no_grad():
        for tensor in [*model.parameters(), *model.buffers()]:
            tensor.fill_(torch.nan if tensor.is_floating_point() else 99)
    model.reset_parameters()
    assert all(torch.isfinite(value).all() for value in model.state_dict().values())
    assert 99 not in [int(value) for value in model.buffers() if not value.is_floating_point()]


@pytest.mark.parametrize(
    "name, settings, message",
    [
        ("gnc", {}, "unknown model 'gnc': did you mean .*'gcn'"),
        ("gcn", {"norm": "bach"}, "unknown norm 'bach': did you mean 'batch'"),
        ("gcn", {"layers": 0}, "layers=0: at least 1 is needed"),
        ("gcn", {"hidden": 0}, "hidden=0"),
        ("gat", {"heads": 0}, "heads=0"),
        ("gcn", {"hidden": "3"}, "hidden='3' is a str: expected a whole number"),
        ("gcn", {"hidden": 3.5}, "hidden=3.5 is a float: expected a whole number"),
        ("gcn", {"layers": [2]}, r"layers=\[2\] is a list: expected a whole number"),
        ("gat", {"heads": "8"}, "heads='8' is a str: expected a whole number"),
        ("gcn", {"dropout": "0.5"}, r"dropout='0.5' is a str: allowed: a number"),
        ("gcn", {"parameters": "900"}, "parameters='900': allowed: a whole number, at least 1"),
        ("gat", {"hidden": 20}, "hidden=20 is no multiple of heads=8"),
        ("gcn", {"dropout": 1.0}, r"dropout=1.0: allowed: a number in \[0, 1\)"),
        ("gcn", {"dropout": -0.1}, "dropout=-0.1"),
        ("gcn", {"dropout": float("nan")}, "dropout=nan"),
        ("gcn", {"head": "liner"}, "unknown head 'liner': did you mean 'linear'"),
        ("gcn", {"edges": "undirect"}, "unknown edges 'undirect': did you mean 'undirected'"),
        ("gcn", {"readout": "men"}, "unknown readout 'men': did you mean 'mean'"),
        ("gcn", {"jumping_knowledge": "cut"}, "unknown jumping_knowledge 'cut': did you mean 'cat'"),
        (
            "gcn",
            {"jumping_knowledge": "cat"},
            "jumping_knowledge='cat' joins layers of one width: choose head='linear'",
        ),
        ("gcn", {"readout": "mean"}, "readout='mean' gives a row per graph, and 'graph' has no graphs as items"),
        ("gcn", {"heads": 4}, "model 'gcn' has no 'heads' to choose: leave it out, or choose another of gat"),
        ("vit", {"norm": "batch"}, "model 'vit' has no norm='batch': allowed: layer, none, rms"),
        ("mlp", {"edges": "undirected"}, "model 'mlp' has no 'edges' to choose"),
        ("gcn", {"recipe": "gcn/Coral"}, "unknown recipe 'gcn/Coral': did you mean 'gcn/Cora'"),
        ("gcn", {"recipe": "gat/Cora"}, "recipe 'gat/Cora' is for model 'gat', not 'gcn': use 'gcn/planetoid-cora'"),
        ("gcn", {"parameters": 0}, "parameters=0: allowed: a whole number, at least 1"),
        ("gcn", {"parameters": 5}, "parameters=5 is out of reach: with hidden=1 the network has 15 already"),
        ("mlp", {"parameters": 900, "layers": 1}, "parameters=900 is out of reach: with hidden=.* it has 27"),
        ("gcn", {"parameters": 900, "hidden": 3}, "hidden=3 and parameters=900: give one of them"),
    ],
)
def test_wrong_settings_are_one_clear_line(toy_problem, name, settings, message):
    with pytest.raises(InputError, match=message) as error:
        build_model(name, toy_problem, **settings)
    assert "\n" not in str(error.value)


def test_a_graph_network_needs_edges():
    problem = Problem.arrays(torch.zeros(4, 2), torch.tensor([0, 1, 0, 1]), {"train": torch.arange(4)})
    with pytest.raises(InputError, match="model 'gcn' needs edges, and the problem 'arrays' has none: use 'mlp'"):
        build_model("gcn", problem)
    assert build_model("mlp", problem)(torch.zeros(4, 2)).shape == (4, 2)


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
def test_dropout_keeps_the_mean_and_scales_what_it_keeps(probability):
    torch.manual_seed(0)
    x = torch.full((200_000,), 3.0)
    dropped = dropout(x, probability, training=True)
    values = dropped.unique()
    torch.testing.assert_close(values, torch.tensor([0.0, 3.0 / (1 - probability)]), rtol=1e-4, atol=0)
    share = float((dropped == 0).double().mean())
    assert share == pytest.approx(probability, abs=5 * (probability * (1 - probability) / len(x)) ** 0.5)
    assert torch.equal(x, torch.full((200_000,), 3.0))


def test_dropout_is_the_identity_in_eval_and_at_zero():
    x = torch.randn(5, 4)
    assert dropout(x, 0.5, training=False) is x
    assert dropout(x, 0.0, training=True) is x


def test_dropout_passes_gradients_where_it_passes_values():
    x = torch.ones(1000, requires_grad=True)
    y = dropout(x, 0.5, training=True)
    y.sum().backward()
    assert torch.equal(x.grad, y.detach())


def test_edge_weights_are_refused_by_what_does_not_read_them(toy_graph):
    toy_graph = toy_graph.clone()
    toy_graph.edge_weight = torch.rand(toy_graph.num_edges)
    problem = Problem.node_classification(toy_graph)
    with pytest.raises(InputError, match="has edge_weight, which model 'gcn' does not read: delete it"):
        build_model("gcn", problem)
    assert build_model("mlp", problem)  # reads no edges at all


def test_only_a_module_has_parameters_to_count(toy_problem):
    assert count_parameters(torch.nn.Linear(2, 3)) == 9
    with pytest.raises(InputError, match=r"expected a module, got dict: pass a torch\.nn\.Module"):
        count_parameters(dict(build_model("gcn", toy_problem).state_dict()))
