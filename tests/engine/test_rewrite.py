"""Fewer operations of the same numbers."""

import pytest
import torch
from torch_geometric.nn import GCNConv

import gnnmc
from gnnmc.engine import ModelFunction, Together
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
    trace = Together(function, [weights, weights], all_items=True).trace
    (product,) = [operation for operation in trace.operations if operation.kind is sparse_product]
    assert (trace.shapes[product.results[0]][1] == 8) is first
