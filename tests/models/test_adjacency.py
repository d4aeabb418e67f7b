"""Sparse products: the values and derivatives of the same sum over an edge list, for the right graph."""

import copy

import pytest
import torch

from gnnmc.models import build_model
from gnnmc.models.adjacency import Adjacency, propagated_linear
from gnnmc.models.edges import PreparedEdges, given, mean, symmetric, undirected, with_loops
from gnnmc.problem import Problem
from gnnmc.sparse import SparseMatrix

NUM_NODES = 50


@pytest.fixture
def edges() -> torch.Tensor:
    # Directed, with edges listed twice, loops and nodes without any edge (the last ten).
    return torch.randint(0, 40, (2, 150), generator=torch.Generator().manual_seed(0))


@pytest.fixture
def weight() -> torch.Tensor:
    return torch.rand(150, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(NUM_NODES, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(2))


def dense_matrix(edges: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return torch.zeros(NUM_NODES, NUM_NODES, dtype=weight.dtype).index_put((edges[1], edges[0]), weight, True)


def test_a_node_without_edges_and_an_edge_listed_twice() -> None:
    adjacency = Adjacency(torch.tensor([[0, 0, 1], [1, 1, 0]]), torch.tensor([1.0, 1.0, 3.0]), 3)
    assert adjacency.tensor.to_dense().tolist() == [[0, 3, 0], [2, 0, 0], [0, 0, 0]]
    assert adjacency.transposed.tensor.to_dense().tolist() == [[0, 2, 0], [3, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("width", [3, 9])
@pytest.mark.parametrize("bias", [False, True])
def test_either_order_of_propagation_and_linear_map(edges, weight, x, width, bias) -> None:
    adjacency, dense = Adjacency(edges, weight, NUM_NODES), dense_matrix(edges, weight)
    linear = torch.nn.Linear(6, width, bias=bias).double()
    sparse = SparseMatrix.of(x.to_sparse_csr())
    expected = dense @ x @ linear.weight.T + (linear.bias if bias else 0)
    torch.testing.assert_close(propagated_linear(adjacency, x, linear.weight, linear.bias), expected)
    torch.testing.assert_close(propagated_linear(adjacency, sparse, linear.weight, linear.bias), expected)


def test_weightings_by_hand() -> None:
    edges = torch.tensor([[0, 2, 1, 1], [1, 1, 1, 2]])  # 1 has the sources 0, 2 and itself; 2 has 1
    f = torch.float64
    assert mean(edges, 3, f)[1].tolist() == [1 / 3, 1 / 3, 1 / 3, 1]
    looped = with_loops(edges, 3, f)[0]
    assert sorted(map(tuple, looped.T.tolist())) == [(0, 0), (0, 1), (1, 1), (1, 2), (2, 1), (2, 2)]
    ends, weight = symmetric(edges, 3, f)
    degree = torch.tensor([1.0, 3.0, 2.0], dtype=f)  # each with one self-loop
    torch.testing.assert_close(weight, (degree[ends[0]] * degree[ends[1]]).rsqrt())
    assert ends.shape == (2, 6)


def test_the_undirected_treatment_has_every_edge_both_ways_and_one_loop_a_node() -> None:
    edges = torch.tensor([[0, 0, 1, 2, 2], [1, 1, 0, 2, 2]])
    treated = undirected(edges, 4)
    assert sorted(map(tuple, treated.T.tolist())) == [(0, 0), (0, 1), (1, 0), (1, 1), (2, 2), (3, 3)]
    assert given(edges, 4) is edges


def test_edges_are_recognized_by_identity_and_a_copy_remembers_nothing(edges) -> None:
    prepare = PreparedEdges("given", mean)
    first = prepare(edges, NUM_NODES, torch.float32)
    assert prepare(edges, NUM_NODES, torch.float32) is first
    assert prepare(edges.clone(), NUM_NODES, torch.float32) is not first
    assert prepare(edges, NUM_NODES, torch.float64) is not first
    edges[0, 0] = 39  # the same tensor, another graph
    assert prepare(edges, NUM_NODES, torch.float32) is not first
    assert len(prepare._known) == 1  # that of the clone is gone with it
    assert len(copy.deepcopy(prepare)._known) == 0
    assert PreparedEdges("given", None)(edges, NUM_NODES, torch.float32) is edges


@pytest.mark.parametrize("treatment", ["given", "undirected"])
@pytest.mark.parametrize("weighting", [None, mean, symmetric])
def test_nothing_of_a_graph_that_is_gone_is_kept(treatment, weighting) -> None:
    prepare = PreparedEdges(treatment, weighting)
    for number in range(5):
        prepare(torch.full((2, 3), number), NUM_NODES, torch.float32)
    assert len(prepare._known) == 0


@pytest.mark.parametrize("name", ["gcn", "sage", "gat"])
def test_the_matrix_is_that_of_the_graph_at_hand(toy_problem: Problem, edges: torch.Tensor, name: str) -> None:
    model = build_model(name, toy_problem).eval()
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
