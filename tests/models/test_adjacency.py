"""The sparse route through a layer: the layer's own answer, for the right graph."""

import copy

import pytest
import torch
from torch_geometric.nn import SAGEConv

from gnnmc.models import build_model
from gnnmc.models.adjacency import adjacency_matrix
from gnnmc.problem import Problem


@pytest.fixture
def edges() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    # Directed, with edges listed twice, loops and nodes without any edge (the last ten).
    return torch.randint(0, 40, (2, 150), generator=generator)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_and_gradients_are_those_of_the_edge_list(edges: torch.Tensor, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    layer = SAGEConv(6, 4).to(dtype)
    results = []
    for given in (edges, adjacency_matrix(edges, 50, dtype)):
        x = torch.linspace(-1, 1, 300, dtype=dtype).reshape(50, 6).requires_grad_()
        layer.zero_grad()
        out = layer(x, given)
        out.square().sum().backward()
        results.append([out.detach(), x.grad, *(p.grad.clone() for p in layer.parameters())])
    for by_list, by_matrix in zip(*results, strict=True):
        torch.testing.assert_close(by_matrix, by_list)


def test_a_node_without_edges_and_an_edge_listed_twice() -> None:
    dense = adjacency_matrix(torch.tensor([[0, 0, 1], [1, 1, 0]]), 3, torch.float32).to_dense()
    assert dense.tolist() == [[0, 1, 0], [2, 0, 0], [0, 0, 0]]


def test_the_matrix_is_that_of_the_graph_at_hand(toy_problem: Problem, edges: torch.Tensor) -> None:
    model = build_model("sage", toy_problem).eval()
    x = toy_problem.batches[0].x
    other = edges.clone().flip(0)
    expected = [copy.deepcopy(model)(x, given) for given in (edges, other)]
    assert not torch.equal(*expected)
    assert torch.equal(model(x, edges), expected[0])
    assert torch.equal(model(x, other), expected[1])
    assert torch.equal(model(x, edges), expected[0])
    edges.copy_(other)  # the same tensor, another graph
    assert torch.equal(model(x, edges), expected[1])


def test_the_state_dict_has_no_trace_of_a_graph(toy_problem: Problem) -> None:
    model = build_model("sage", toy_problem)
    before = list(model.state_dict())
    toy_problem.outputs(model)
    assert list(model.state_dict()) == before
