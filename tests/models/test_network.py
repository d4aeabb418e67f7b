"""The two layer orders, and every option that the recipes are made of."""

import pytest
import torch
from torch import nn

from gnnmc.models import build_model, count_parameters
from gnnmc.models.dropout import dropout
from gnnmc.models.edges import PreparedEdges, undirected
from gnnmc.problem import Problem
from gnnmc.sparse import SparseMatrix

STACKS = ["gcn", "sage", "gat", "mlp"]


@pytest.fixture
def directed(toy_graph):
    """The toy graph with edges left out, loops and an edge twice."""
    kept = toy_graph.edge_index[:, ::3]
    toy_graph.edge_index = torch.cat([kept, kept[:, :4], torch.tensor([[5, 6], [5, 6]])], dim=1)
    return toy_graph


@pytest.mark.parametrize("name", STACKS)
@pytest.mark.parametrize("residual", [False, True])
def test_the_order_of_the_recipes_is_layer_skip_norm_relu_dropout_then_a_linear_map(
    toy_graph, toy_problem, name, residual
):
    model = build_model(name, toy_problem, head="linear", norm="layer", residual=residual, layers=3, hidden=16)
    assert len(model.layers) == len(model.norms) == 3
    model.train()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        given = model(toy_graph.x, toy_graph.edge_index)
        torch.manual_seed(0)
        x = toy_graph.x
        for number, (layer, norm) in enumerate(zip(model.layers, model.norms, strict=True)):
            out = layer(x, toy_graph.edge_index) if name != "mlp" else layer(x)
            x = dropout(torch.relu(norm(out + model.skips[number](x) if residual else out)), 0.5, True)
        torch.testing.assert_close(given, model.output(x))


def test_the_older_order_is_dropout_layer_norm_relu(toy_graph, toy_problem):
    model = build_model("gcn", toy_problem, norm="batch", layers=2, hidden=16).train()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        given = model(toy_graph.x, toy_graph.edge_index)
        torch.manual_seed(0)
        hidden = model.layers[0](dropout(toy_graph.x, 0.5, True), toy_graph.edge_index)
        hidden = dropout(torch.relu(model.norms[0](hidden)), 0.5, True)
        torch.testing.assert_close(given, model.layers[1](hidden, toy_graph.edge_index))


@pytest.mark.parametrize("name", STACKS)
def test_what_is_not_asked_for_leaves_no_parameter(toy_problem, name):
    names = set(build_model(name, toy_problem).state_dict())
    assert {key.split(".")[0] for key in names} == {"layers"}
    more = build_model(name, toy_problem, head="linear", input_linear=True, residual=True, jumping_knowledge="lstm")
    assert {key.split(".")[0] for key in more.state_dict()} == {"layers", "encoder", "skips", "jump", "output"}


def test_the_names_of_the_weights_stay(toy_problem):
    assert list(build_model("gcn", toy_problem).state_dict()) == [
        "layers.0.bias",
        "layers.0.lin.weight",
        "layers.1.bias",
        "layers.1.lin.weight",
    ]


def test_an_input_linear_map_comes_first_and_is_followed_by_dropout(toy_graph, toy_problem):
    model = build_model("sage", toy_problem, head="linear", input_linear=True, layers=1, hidden=16).train()
    assert model.encoder.weight.shape == (16, 8)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        given = model(toy_graph.x, toy_graph.edge_index)
        torch.manual_seed(0)
        x = torch.relu(model.layers[0](dropout(model.encoder(toy_graph.x), 0.5, True), toy_graph.edge_index))
        torch.testing.assert_close(given, model.output(dropout(x, 0.5, True)))


@pytest.mark.parametrize("kind, join", [("cat", lambda states: torch.cat(states, 1)), ("max", None), ("lstm", None)])
def test_jumping_knowledge_sees_every_layer(toy_graph, toy_problem, kind, join):
    model = build_model("gcn", toy_problem, head="linear", jumping_knowledge=kind, layers=3, hidden=16).eval()
    states, x = [], toy_graph.x
    for layer in model.layers:
        x = torch.relu(layer(x, toy_graph.edge_index))
        states.append(x)
    joined = join(states) if join else torch.stack(states).amax(0) if kind == "max" else model.jump(states)
    torch.testing.assert_close(model(toy_graph.x, toy_graph.edge_index), model.output(joined))


@pytest.mark.parametrize("name", ["gcn", "sage", "gat"])
def test_undirected_edges_are_the_treated_graph_and_layers_add_no_loops_of_their_own(directed, name):
    problem = Problem.node_classification(directed)
    model = build_model(name, problem, edges="undirected", hidden=16).eval()
    plain = build_model(name, problem, hidden=16).eval()
    plain.load_state_dict(model.state_dict())
    treated = undirected(directed.edge_index, 90)
    out = model(directed.x, directed.edge_index)
    torch.testing.assert_close(out, plain(directed.x, treated))
    assert not torch.allclose(out, plain(directed.x, directed.edge_index))
    # As a layer that adds none: nothing is counted twice.
    for layer in model.layers:
        if hasattr(layer, "add_self_loops") and name == "gat":
            layer.add_self_loops = False
    model.prepare = PreparedEdges("undirected", None)  # the edge list
    torch.testing.assert_close(model(directed.x, directed.edge_index), out)


@pytest.mark.parametrize("name", ["gcn", "sage", "gat", "mlp"])
@pytest.mark.parametrize("head", ["conv", "linear"])
def test_sparse_features_give_what_dense_ones_do(toy_graph, toy_problem, name, head):
    model = build_model(name, toy_problem, head=head, residual=True, hidden=16, dropout=0.0)
    x = torch.where(toy_graph.x > 0.8, toy_graph.x, 0.0)
    results = []
    for given in (x, x.to_sparse_csr()):
        model.zero_grad()
        out = model(given, toy_graph.edge_index)
        out.square().sum().backward()
        results.append([out.detach(), *(parameter.grad.clone() for parameter in model.parameters())])
    for dense, sparse in zip(*results, strict=True):
        torch.testing.assert_close(sparse, dense)


def test_dropout_of_sparse_features_drops_stored_values():
    x = SparseMatrix.of(torch.eye(2000).to_sparse_csr())
    with torch.random.fork_rng():
        torch.manual_seed(0)
        dropped = dropout(x, 0.75, training=True)
    assert set(dropped.values.tolist()) == {0.0, 4.0}
    assert 0.7 < float((dropped.values == 0).double().mean()) < 0.8
    assert torch.equal(dropped.tensor.to_dense().diag(), dropped.values)
    torch.testing.assert_close(dropped.transposed.tensor.to_dense(), dropped.tensor.to_dense().T)
    assert torch.equal(x.values, torch.ones(2000))
    assert dropout(x, 0.75, training=False) is x


def test_no_bias(toy_problem):
    for name in STACKS:
        with_bias = build_model(name, toy_problem, hidden=16)
        without = build_model(name, toy_problem, hidden=16, bias=False)
        assert count_parameters(with_bias) - count_parameters(without) == 16 + 3


@pytest.mark.parametrize("name, heads", [("gcn", 8), ("sage", 8), ("gat", 4), ("mlp", 8)])
@pytest.mark.parametrize("budget", [2_000, 50_000])
def test_a_budget_chooses_the_nearest_width(toy_problem, name, heads, budget):
    given = {} if heads == 8 else {"heads": heads}
    model = build_model(name, toy_problem, parameters=budget, layers=3, **given)
    width, step = (
        model.layers[0](torch.zeros(1, 8), *[torch.zeros(2, 0, dtype=torch.long)] * (name != "mlp")).shape[1],
        1,
    )
    if name == "gat":
        step = heads
        assert width % heads == 0
    off = abs(count_parameters(model) - budget)
    for other in (width - step, width + step):
        assert off <= abs(count_parameters(build_model(name, toy_problem, hidden=other, layers=3, **given)) - budget)
    assert off < 0.05 * budget


def test_frozen_parameters_and_buffers_do_not_count():
    module = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    assert count_parameters(module) == 3 * 2 + 2 + 2 + 2
    module[0].weight.requires_grad_(False)
    assert count_parameters(module) == 2 + 2 + 2
