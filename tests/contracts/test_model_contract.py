"""What every model of the registry keeps, whatever it is made of."""

import copy
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch_geometric.data import Data

from gnnmc.errors import InputError
from gnnmc.models import MODELS, build_model, count_parameters
from gnnmc.models.edges import PreparedEdges
from gnnmc.models.options import Inputs, Options
from gnnmc.problem import Problem
from gnnmc.training import initialize
from gnnmc.weights import digest

ON_GRAPHS = [name for name in MODELS if MODELS[name].needs not in ("images", "text")]
ON_EDGES = [name for name in MODELS if MODELS[name].needs == "edges"]
ON_IMAGES = [name for name in MODELS if MODELS[name].needs == "images"]
ON_TEXT = [name for name in MODELS if MODELS[name].needs == "text"]


def images(shape: tuple[int, ...] = (1, 8, 8), count: int = 12) -> Problem:
    x = torch.randn(count, *shape, generator=torch.Generator().manual_seed(0))
    return Problem.arrays(x, torch.arange(count) % 3, {"train": torch.arange(count)})


def text(count: int = 12, context: int = 7) -> Problem:
    windows = torch.randint(0, 3, (count, context + 1), generator=torch.Generator().manual_seed(0))
    return Problem.language_modeling(windows, {"train": torch.arange(count)})


def pieces(graph: Data, categories: bool = False) -> list[SimpleNamespace]:
    """Graphs of 3, 4, 5, 6 nodes cut from the toy graph, each a directed ring with a chord; y in 0, 1."""
    made = []
    for number in range(10):
        size = 3 + number % 4
        ring = torch.stack([torch.arange(size), (torch.arange(size) + 1) % size])
        x = graph.x[number * 6 : number * 6 + size]
        x = (x > 0).long()[:, :3] if categories else x
        edge_index = torch.cat([ring, torch.tensor([[0], [2]])], dim=1)
        made.append(SimpleNamespace(x=x, edge_index=edge_index, y=torch.tensor([number % 2])))
    return made


def graph_level(graph: Data) -> Problem:
    return Problem.graph_classification(pieces(graph), splits={"train": torch.arange(8), "test": torch.arange(8, 10)})


def problem_for(name: str, graph: Data) -> Problem:
    if name in ON_TEXT:
        return text()
    return images() if name in ON_IMAGES else Problem.node_classification(graph)


def small(name: str, problem: Problem, **options) -> nn.Module:
    return build_model(name, problem, hidden=16, **options)


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("name", MODELS)
def test_one_row_of_outputs_for_each_item(toy_graph, name, layers):
    problem = problem_for(name, toy_graph)
    assert problem.outputs(small(name, problem, layers=layers)).shape == (*problem.targets.shape, 3)


@pytest.mark.parametrize("name", MODELS)
def test_building_and_evaluating_repeat_and_leave_the_global_generator_as_it_was(toy_graph, name):
    problem = problem_for(name, toy_graph)
    before = torch.random.get_rng_state()
    first, again = small(name, problem).eval(), small(name, problem).eval()
    assert digest(first.state_dict()) == digest(again.state_dict())
    assert torch.equal(problem.outputs(first), problem.outputs(again))
    assert torch.equal(problem.outputs(first), problem.outputs(first))
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("name", MODELS)
def test_dropout_acts_in_training_alone(toy_graph, name):
    problem = problem_for(name, toy_graph)
    model = small(name, problem).train()
    with torch.random.fork_rng():
        assert not torch.equal(problem.outputs(model), problem.outputs(model))
    model = small(name, problem, dropout=0.0).train()
    torch.testing.assert_close(problem.outputs(model), problem.outputs(model))


@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_starts_anew_for_each_seed_and_receives_a_gradient(toy_graph, name):
    problem = problem_for(name, toy_graph)
    model = small(name, problem)
    first, again, other = (initialize(model, seed) for seed in (0, 0, 1))
    assert digest(first.state_dict()) == digest(again.state_dict())
    assert digest(first.state_dict()) != digest(other.state_dict())
    problem.split_loss(problem.outputs(first.train())).backward()
    assert [key for key, parameter in first.named_parameters() if parameter.grad is None] == []
    assert all(torch.isfinite(parameter.grad).all() for parameter in first.parameters())


@pytest.mark.parametrize("name", MODELS)
def test_a_reset_touches_every_parameter_and_buffer(toy_graph, name):
    model = small(name, problem_for(name, toy_graph))
    with torch.no_grad():
        for tensor in [*model.parameters(), *model.buffers()]:
            tensor.fill_(torch.nan if tensor.is_floating_point() else 99)
    model.reset_parameters()
    assert all(torch.isfinite(value).all() for value in model.state_dict().values())
    assert 99 not in [int(value) for value in model.buffers() if not value.is_floating_point()]


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_a_function_of_its_state_dict(toy_graph, name):
    problem = problem_for(name, toy_graph)
    model, other = small(name, problem).eval(), initialize(small(name, problem), 5).eval()
    wanted = problem.outputs(other)
    assert not torch.allclose(problem.outputs(model), wanted)
    data = problem.batches[0]
    given = (data.x,) if name in ON_IMAGES + ON_TEXT else (data.x, data.edge_index)
    torch.testing.assert_close(functional_call(model, dict(other.state_dict()), given), wanted)
    model.load_state_dict(other.state_dict())
    torch.testing.assert_close(problem.outputs(model), wanted)


@pytest.mark.parametrize("name", ON_GRAPHS)
def test_renumbering_nodes_renumbers_outputs(toy_graph, name):
    model = small(name, Problem.node_classification(toy_graph)).eval()
    order = torch.randperm(90, generator=torch.Generator().manual_seed(0))
    place = torch.argsort(order)  # where each node went
    moved = model(toy_graph.x[order], place[toy_graph.edge_index])
    torch.testing.assert_close(moved, model(toy_graph.x, toy_graph.edge_index)[order], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ON_EDGES)
def test_edges_count(toy_graph, name):
    model = small(name, Problem.node_classification(toy_graph)).eval()
    none = torch.zeros(2, 0, dtype=torch.long)
    assert not torch.allclose(model(toy_graph.x, toy_graph.edge_index), model(toy_graph.x, none))


@pytest.mark.parametrize("edges", ["given", "undirected"])
@pytest.mark.parametrize("name", ON_EDGES)
def test_sparse_products_and_edge_lists_give_the_same(toy_graph, name, edges):
    # Directed, with loops, an edge twice and nodes without edges.
    some = toy_graph.edge_index[:, ::3]
    toy_graph.edge_index = torch.cat([some[:, some[1] > 5], some[:, :3], torch.tensor([[7, 8], [7, 8]])], dim=1)
    model = small(name, Problem.node_classification(toy_graph), edges=edges, dropout=0.0)
    listed = copy.deepcopy(model)
    treatment, _, loops = model.prepare._arguments
    listed.prepare = PreparedEdges(treatment, None, loops)
    results = []
    for module in (model, listed):
        out = module(toy_graph.x, toy_graph.edge_index)
        out.square().sum().backward()
        results.append([out.detach(), *(parameter.grad for parameter in module.parameters())])
    for by_matrix, by_list in zip(*results, strict=True):
        torch.testing.assert_close(by_matrix, by_list, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ON_GRAPHS)
def test_sparse_features_give_what_dense_ones_do(toy_graph, name):
    model = small(name, Problem.node_classification(toy_graph), dropout=0.0)
    x = torch.where(toy_graph.x > 0.8, toy_graph.x, 0.0)
    results = []
    for given in (x, x.to_sparse_csr()):
        model.zero_grad()
        out = model(given, toy_graph.edge_index)
        out.square().sum().backward()
        results.append([out.detach(), *(parameter.grad.clone() for parameter in model.parameters())])
    for dense, sparse in zip(*results, strict=True):
        torch.testing.assert_close(sparse, dense, rtol=1e-4, atol=1e-5)
    with torch.random.fork_rng():
        assert torch.isfinite(
            small(name, Problem.node_classification(toy_graph)).train()(x.to_sparse_csr(), toy_graph.edge_index)
        ).all()


@pytest.mark.parametrize("readout", [None, "mean", "sum", "max"])
@pytest.mark.parametrize("name", ON_GRAPHS)
def test_a_graph_among_others_gets_what_it_gets_alone(toy_graph, name, readout):
    problem = graph_level(toy_graph)
    model = small(name, problem, readout=readout).eval()
    together = problem.outputs(model)
    assert together.shape == (10, 2)
    alone = [problem.outputs(model, [problem.items.take(torch.tensor([number]))]) for number in range(10)]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ON_GRAPHS)
def test_nodes_of_a_batch_may_come_in_any_order(toy_graph, name):
    problem = graph_level(toy_graph)
    model = small(name, problem).eval()
    data = problem.batches[0]
    order = torch.randperm(len(data.x), generator=torch.Generator().manual_seed(0))
    place = torch.argsort(order)
    moved = model(data.x[order], place[data.edge_index], data.batch[order], 10)
    torch.testing.assert_close(moved, problem.outputs(model), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ON_GRAPHS)
def test_categories_are_embedded(toy_graph, name):
    inputs = Inputs(3, 2, (3,), True, (2, 2, 2), True, "molecules")
    with torch.random.fork_rng():
        torch.manual_seed(0)  # a net that happens to be dead would say nothing
        model = MODELS[name].build(inputs, Options(hidden=16, dropout=0.5))
    problem = graph_level(toy_graph)
    nodes = problem.batches[0]
    x = (nodes.x > 0).long()[:, :3]
    model.train()
    with torch.random.fork_rng():
        model(x, nodes.edge_index, nodes.batch, 10).square().sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    model.eval()
    other = x.clone()
    other[0, 0] = 1 - other[0, 0]
    changed = model(other, nodes.edge_index, nodes.batch, 10) - model(x, nodes.edge_index, nodes.batch, 10)
    assert changed[0].abs().max() > 0
    assert changed[1:].abs().max() == 0


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (1, 28, 28), (8, 8), (2, 9, 12)])
@pytest.mark.parametrize("name", [*ON_IMAGES, "mlp"])
@pytest.mark.parametrize("layers", [1, 4])
def test_images_of_every_size(name, shape, layers):
    problem = images(shape, count=6)
    assert problem.outputs(build_model(name, problem, hidden=4, layers=layers).train()).shape == (6, 3)


@pytest.mark.parametrize("name", [name for name in MODELS if name != "sgc"])
def test_a_budget_is_met_within_a_few_percent(toy_graph, name):
    problem = problem_for(name, toy_graph)
    budget = 200_000
    assert count_parameters(build_model(name, problem, parameters=budget)) == pytest.approx(budget, rel=0.06)


@pytest.mark.parametrize("name", ON_EDGES)
def test_a_problem_without_edges_is_refused(name):
    with pytest.raises(InputError, match=f"model '{name}' needs edges, and the problem 'arrays' has none: use 'mlp'"):
        build_model(name, images())


@pytest.mark.parametrize("name", ON_IMAGES)
def test_a_problem_without_images_is_refused(toy_problem, name):
    with pytest.raises(InputError, match=rf"model '{name}' needs images \(channels, height, width\)"):
        build_model(name, toy_problem)


@pytest.mark.parametrize("name", ON_TEXT)
def test_a_problem_without_text_is_refused(toy_problem, name):
    for problem in (toy_problem, images()):
        with pytest.raises(InputError, match=rf"model '{name}' needs text, tokens \(N, T\)"):
            build_model(name, problem)


@pytest.mark.parametrize("name", [name for name in MODELS if name not in ON_TEXT])
def test_a_problem_with_outputs_at_every_position_is_refused(name):
    with pytest.raises(InputError, match=f"model '{name}' answers once for an item, .* use 'gpt'"):
        build_model(name, text())


def test_every_family_says_where_it_comes_from():
    assert all(MODELS[name].source for name in MODELS)
