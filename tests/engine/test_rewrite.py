"""Fewer operations of the same numbers."""

import pytest
import torch
from torch_geometric.nn import GCNConv

import gnnmc
from gnnmc.engine import ModelFunction, Together, TrainingForward
from gnnmc.engine.tracing import Replay, Route, record, rewritten
from gnnmc.engine.tracing.products import sparse_product


class Dropped(torch.nn.Module):
    """Dropout on the features, then one convolution."""

    def __init__(self, features, width):
        super().__init__()
        self.convolution = GCNConv(features, width)

    def forward(self, x, edge_index):
        return self.convolution(torch.nn.functional.dropout(x, 0.5, self.training), edge_index)


# As a user would decide: nothing goes back through the edges where features go through them first, which pays as long
# as they are not wider than twice what comes out.
@pytest.mark.parametrize(("width", "first"), [(4, True), (3, False)])
def test_what_depends_on_no_weight_goes_through_the_edges_first(toy_graph, width, first):
    data = toy_graph.clone()
    data.y = data.y % width
    data.x = data.x[:, :8]
    problem = gnnmc.Problem.node_classification(data)
    function = ModelFunction(Dropped(8, width), problem, "cpu")
    weights = {name: torch.randn_like(value) for name, value in function.reference.items()}
    trace = Together([TrainingForward(function, weights, all_items=True)], [[weights, weights]]).trace
    (product,) = [operation for operation in trace.operations if operation.kind is sparse_product]
    assert (trace.shapes[product.results[0]][1] == 8) is first


class Looped(torch.nn.Module):
    """A sum over the neighbors and something of the node itself, then a narrow map."""

    def __init__(self, own):
        super().__init__()
        self.map, self.last, self.own = torch.nn.Linear(8, 8), torch.nn.Linear(8, 3), own

    def forward(self, x, edge_index):
        hidden = torch.relu(self.map(x))
        neighbors = torch.zeros_like(hidden).index_add(0, edge_index[1], hidden[edge_index[0]])
        return self.last(self.own(neighbors, hidden))


@pytest.mark.parametrize(
    ("own", "merged"),
    [
        (lambda neighbors, x: neighbors + x, True),
        (lambda neighbors, x: x + neighbors, True),
        (lambda neighbors, x: neighbors + 1.5 * x, True),
        (lambda neighbors, x: x * torch.tensor([0.5]) + neighbors, True),
        (lambda neighbors, x: torch.add(neighbors, x, alpha=2), False),
        (lambda neighbors, x: neighbors + x * x, False),
        (lambda neighbors, x: neighbors + x * torch.arange(8.0), False),
        (lambda neighbors, x: neighbors - x, False),
    ],
    ids=["itself", "itself first", "times a number", "times a tensor", "alpha", "a square", "column by column", "less"],
)
def test_a_node_itself_is_one_of_its_neighbors(toy_graph, own, merged):
    problem = gnnmc.Problem.node_classification(toy_graph)
    model = Looped(own)
    function = ModelFunction(model, problem, "cpu")
    first, second = ({n: torch.randn_like(v) for n, v in function.reference.items()} for _ in range(2))
    trace = rewritten(record(function, first, list(first)), problem.measured_rows)
    kinds = [operation.kind for operation in trace.operations]
    assert kinds.count(sparse_product) == 1
    # A map to fewer columns goes before the edges only where nothing stands between them.
    assert (kinds.index(sparse_product) > len(kinds) - 4) is merged
    (found,), _ = Replay(trace)({name: value[None] for name, value in second.items()})
    torch.testing.assert_close(found, function(second)[problem.measured_rows], rtol=1e-5, atol=1e-4)


def test_wide_operations_come_first_and_products_over_the_edges_serve_all_points(toy_graph):
    data = toy_graph.clone()
    problem = gnnmc.Problem.node_classification(data)
    function = ModelFunction(gnnmc.build_model("sage", problem, hidden=64), problem, "cpu")
    weights = {name: torch.randn_like(value) for name, value in function.reference.items()}
    route = Route(rewritten(record(function, weights, list(function.parameter_names)), problem.measured_rows))
    assert [operation.kind for operation in route.stages.wide] == [torch.ops.aten.relu] + 2 * [torch.ops.aten.mm]
    assert sparse_product in [operation.kind for operation in route.stages.narrow]
