"""Layers against their formulas on dense matrices, written out."""

import math

import pytest
import torch
from torch_geometric.nn import GATConv

from gnnmc.models import MODELS, Options, build_model
from gnnmc.models.options import Inputs
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


def normalized(graph) -> torch.Tensor:
    looped = adjacency(graph).fill_diagonal_(1)
    scale = looped.sum(1).rsqrt()
    return scale[:, None] * looped * scale


def test_gin(graph):
    model = build_model("gin", Problem.node_classification(graph), layers=1).eval()
    first, _, second = model.layers[0].nn
    summed = graph.x + adjacency(graph) @ graph.x
    expected = torch.relu(summed @ first.weight.T + first.bias) @ second.weight.T + second.bias
    torch.testing.assert_close(model(graph.x, graph.edge_index), expected)


def test_sgc(graph):
    model = build_model("sgc", Problem.node_classification(graph), layers=3).eval()
    (layer,) = model.layers
    expected = torch.linalg.matrix_power(normalized(graph), 3) @ graph.x @ layer.lin.weight.T + layer.lin.bias
    torch.testing.assert_close(model(graph.x, graph.edge_index), expected)


def test_appnp(graph):
    model = build_model("appnp", Problem.node_classification(graph), hidden=16).eval()
    first, second = model.layers
    start = x = torch.relu(graph.x @ first.weight.T + first.bias) @ second.weight.T + second.bias
    for _ in range(10):
        x = 0.9 * normalized(graph) @ x + 0.1 * start
    torch.testing.assert_close(model(graph.x, graph.edge_index), x)


def test_gcnii(graph):
    model = build_model("gcnii", Problem.node_classification(graph), hidden=16, layers=3).eval()
    start = x = torch.relu(graph.x @ model.encoder.weight.T + model.encoder.bias)
    for number, layer in enumerate(model.layers, start=1):
        beta = math.log(0.5 / number + 1)
        mixed = 0.9 * normalized(graph) @ x + 0.1 * start
        x = torch.relu((1 - beta) * mixed + beta * mixed @ layer.weight1)
    torch.testing.assert_close(model(graph.x, graph.edge_index), x @ model.output.weight.T + model.output.bias)


def test_gat_separate_does_not_attend_to_the_node_itself(graph):
    model = build_model("gat-sep", Problem.node_classification(graph), layers=1).eval()
    (layer,) = model.layers
    hidden = graph.x @ layer.neighbors.lin.weight.T
    scores = (hidden @ layer.neighbors.att_dst[0, 0])[:, None] + hidden @ layer.neighbors.att_src[0, 0]
    others = adjacency(graph).fill_diagonal_(0) > 0
    scores = torch.where(others, torch.nn.functional.leaky_relu(scores, 0.2), -torch.inf)
    mixed = torch.where(others.any(1, keepdim=True), scores.softmax(1), 0.0) @ hidden
    expected = graph.x @ layer.ego.weight.T + layer.ego.bias + mixed
    torch.testing.assert_close(model(graph.x, graph.edge_index), expected)


def attended(attention, x: torch.Tensor) -> torch.Tensor:
    """Attention of one graph, node by node and head by head."""
    query, key, value = (part(x) for part in (attention.query, attention.key, attention.value))
    width = x.shape[1] // attention.heads
    rows = []
    for node in range(len(x)):
        heads = []
        for head in range(attention.heads):
            channels = slice(head * width, (head + 1) * width)
            scores = torch.stack([query[node, channels] @ key[other, channels] for other in range(len(x))])
            weights = torch.softmax(scores / math.sqrt(width), 0)
            heads.append(sum(weight * row for weight, row in zip(weights, value[:, channels], strict=True)))
        rows.append(torch.cat(heads))
    return attention.out(torch.stack(rows))


def test_transformer(graph):
    sizes, starts = (3, 5, 4), (0, 3, 8)
    batch = torch.repeat_interleave(torch.arange(3), torch.tensor(sizes))
    rings = [torch.stack([torch.arange(n), (torch.arange(n) + 1) % n]) + s for n, s in zip(sizes, starts, strict=True)]
    edge_index = torch.cat(rings, dim=1)
    x = graph.x[:12]
    inputs = Inputs(8, 3, (8,), graph_level=True, cardinalities=None, has_edges=True, name="rings")
    model = MODELS["transformer"].build(inputs, Options(hidden=16, heads=4)).eval()
    matrix = torch.zeros(12, 12)
    matrix[edge_index[1], edge_index[0]] = 1
    matrix.fill_diagonal_(1)
    scale = matrix.sum(1).rsqrt()
    h = model.encoder(x)
    for block in model.blocks:
        read = block.attention_norm(h)
        local = (scale[:, None] * matrix * scale) @ read @ block.neighbors.lin.weight.T + block.neighbors.bias
        h = h + torch.cat([attended(block.attention, part) for part in read.split(sizes)]) + local
        h = h + block.narrow(torch.relu(block.widen(block.feed_forward_norm(h))))
    expected = model.output(torch.stack([part.mean(0) for part in model.norm(h).split(sizes)]))
    torch.testing.assert_close(model(x, edge_index, batch, 3), expected, rtol=1e-4, atol=1e-5)
