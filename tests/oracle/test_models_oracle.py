"""Layers against their formulas on dense matrices, written out."""

import pytest
import torch
from torch_geometric.nn import GATConv

from gnnmc.models import build_model
from gnnmc.problem import Problem


@pytest.fixture
def graph(toy_graph):
    """Small and directed, with a loop and nodes without edges."""
    toy_graph.edge_index = torch.cat([toy_graph.edge_index[:, ::5], torch.tensor([[4], [4]])], dim=1)
    toy_graph.edge_index = toy_graph.edge_index[:, toy_graph.edge_index[1] > 3]
    return toy_graph


def adjacency(graph) -> torch.Tensor:
    """1 at (target, source)."""
    matrix = torch.zeros(graph.num_nodes, graph.num_nodes)
    matrix[graph.edge_index[1], graph.edge_index[0]] = 1
    return matrix


def test_gcn(graph):
    model = build_model("gcn", Problem.node_classification(graph), hidden=16).eval()
    looped = adjacency(graph).fill_diagonal_(1)
    scale = looped.sum(1).rsqrt()
    matrix = scale[:, None] * looped * scale
    first, second = model.layers
    hidden = torch.relu(matrix @ graph.x @ first.lin.weight.T + first.bias)
    torch.testing.assert_close(model(graph.x, graph.edge_index), matrix @ hidden @ second.lin.weight.T + second.bias)


def test_sage(graph):
    model = build_model("sage", Problem.node_classification(graph), layers=1).eval()
    mean = adjacency(graph) / adjacency(graph).sum(1, keepdim=True).clamp(min=1)
    (layer,) = model.layers
    expected = mean @ graph.x @ layer.lin_l.weight.T + layer.lin_l.bias + graph.x @ layer.lin_r.weight.T
    torch.testing.assert_close(model(graph.x, graph.edge_index), expected)


def attention(layer: GATConv, x: torch.Tensor, looped: torch.Tensor) -> torch.Tensor:
    heads = []
    for head, weight in enumerate(layer.lin.weight.unflatten(0, (layer.heads, layer.out_channels))):
        hidden = x @ weight.T
        scores = (hidden @ layer.att_dst[0, head])[:, None] + hidden @ layer.att_src[0, head]
        scores = torch.where(looped > 0, torch.nn.functional.leaky_relu(scores, 0.2), -torch.inf)
        heads.append(scores.softmax(1) @ hidden)
    return torch.cat(heads, dim=1) + layer.bias


def test_gat(graph):
    model = build_model("gat", Problem.node_classification(graph), hidden=12, heads=3).eval()
    looped = adjacency(graph).fill_diagonal_(1)
    hidden = torch.relu(attention(model.layers[0], graph.x, looped))
    torch.testing.assert_close(model(graph.x, graph.edge_index), attention(model.layers[1], hidden, looped))
