"""Every model of the registry against its formulas, written out: on dense matrices, and images pixel by pixel."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch_geometric.nn import GATConv, GATv2Conv

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


def attention_v2(layer: GATv2Conv, x: torch.Tensor, looped: torch.Tensor) -> torch.Tensor:
    """The score of an edge is one function of both its ends, not a sum of one of each."""
    sources, targets = (
        (x @ part.weight.T + part.bias).unflatten(1, (layer.heads, -1)) for part in (layer.lin_l, layer.lin_r)
    )
    heads = []
    for head in range(layer.heads):
        both = torch.nn.functional.leaky_relu(targets[:, None, head] + sources[None, :, head], 0.2)
        scores = torch.where(looped > 0, both @ layer.att[0, head], -torch.inf)
        heads.append(scores.softmax(1) @ sources[:, head])
    return torch.cat(heads, dim=1) + layer.bias


def test_gatv2(graph):
    model = build_model("gatv2", Problem.node_classification(graph), hidden=12, heads=3).eval()
    looped = adjacency(graph).fill_diagonal_(1)
    hidden = torch.relu(attention_v2(model.layers[0], graph.x, looped))
    torch.testing.assert_close(model(graph.x, graph.edge_index), attention_v2(model.layers[1], hidden, looped))


def test_mlp(graph):
    model = build_model("mlp", Problem.node_classification(graph), hidden=16).eval()
    first, second = model.layers
    hidden = torch.relu(graph.x @ first.weight.T + first.bias)
    torch.testing.assert_close(model(graph.x, graph.edge_index), hidden @ second.weight.T + second.bias)


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


def test_gat_sep(graph):
    """It does not attend to the node itself."""
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


IMAGES = Inputs(72, 3, (2, 6, 6), graph_level=False, cardinalities=None, has_edges=False, name="images")


def convolved(layer: nn.Conv2d, image: torch.Tensor) -> torch.Tensor:
    """A convolution of one image, pixel by pixel; beyond the edge are zeros."""
    size, stride, margin = layer.kernel_size[0], layer.stride[0], layer.padding[0]
    channels, height, width = image.shape
    wide = torch.zeros(channels, height + 2 * margin, width + 2 * margin)
    wide[:, margin : margin + height, margin : margin + width] = image
    rows = range(0, wide.shape[1] - size + 1, stride)
    columns = range(0, wide.shape[2] - size + 1, stride)
    out = torch.stack(
        [
            torch.stack([(layer.weight * wide[:, i : i + size, j : j + size]).sum((1, 2, 3)) for j in columns])
            for i in rows
        ]
    )
    return out.permute(2, 0, 1) + (0 if layer.bias is None else layer.bias[:, None, None])


def standardized(norm: nn.BatchNorm2d, image: torch.Tensor) -> torch.Tensor:
    shape = (-1, 1, 1)
    centered = (image - norm.running_mean.view(shape)) / (norm.running_var.view(shape) + norm.eps).sqrt()
    return centered * norm.weight.view(shape) + norm.bias.view(shape)


def images(model: nn.Module) -> torch.Tensor:
    """Some images; the model's norms get statistics and scales of their own, so that nothing is left out by being 1."""
    generator = torch.Generator().manual_seed(0)
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm2d):
            for tensor in (norm.running_mean, norm.running_var, norm.weight.data, norm.bias.data):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
    return torch.randn(3, *IMAGES.item_shape, generator=generator)


def test_vgg():
    model = MODELS["vgg"].build(IMAGES, Options(hidden=4, layers=2)).eval()
    x = images(model)
    first, _, pool, second, _ = model.stages
    assert (pool.kernel_size, second.out_channels) == (2, 8)  # 6 pixels a side, then 3: too few to be halved again
    rows = []
    for image in x:
        maps = torch.relu(convolved(first, image))
        halves = [[maps[:, i : i + 2, j : j + 2].amax((1, 2)) for j in (0, 2, 4)] for i in (0, 2, 4)]
        maps = torch.stack([torch.stack(row) for row in halves]).permute(2, 0, 1)
        maps = torch.relu(convolved(second, maps))
        rows.append(model.output.weight @ maps.mean((1, 2)) + model.output.bias)
    torch.testing.assert_close(model(x), torch.stack(rows), rtol=1e-4, atol=1e-5)


def test_resnet():
    inputs = replace(IMAGES, num_features=128, item_shape=(2, 8, 8))
    model = MODELS["resnet"].build(inputs, Options(hidden=4, layers=2)).eval()
    images(model)
    x = torch.randn(3, 2, 8, 8, generator=torch.Generator().manual_seed(1))
    convolution, norm, _, same, halving = model.stages
    assert halving.first.stride == (2, 2)
    rows = []
    for image in x:
        maps = torch.relu(standardized(norm, convolved(convolution, image)))
        for block in (same, halving):
            inner = torch.relu(standardized(block.first_norm, convolved(block.first, maps)))
            inner = standardized(block.second_norm, convolved(block.second, inner))
            skipped = maps if block is same else standardized(block.skip[1], convolved(block.skip[0], maps))
            maps = torch.relu(inner + skipped)
        rows.append(model.output.weight @ maps.mean((1, 2)) + model.output.bias)
    torch.testing.assert_close(model(x), torch.stack(rows), rtol=1e-4, atol=1e-5)


def layer_normalized(norm: nn.LayerNorm, x: torch.Tensor) -> torch.Tensor:
    centered = x - x.mean()
    return centered / (centered.square().mean() + norm.eps).sqrt() * norm.weight + norm.bias


def read_in_turn(stream: nn.Module, x: torch.Tensor, *, causal: bool) -> torch.Tensor:
    """One item's places (T, H) through positions, blocks and the last norm, place by place and head by head."""
    x = x + stream.positions.weight[: len(x)]
    for block in stream.blocks:
        read = torch.stack([layer_normalized(block.attention_norm, place) for place in x])
        maps = [getattr(block.attention, name) for name in ("query", "key", "value")]
        query, key, value = ((read @ each.weight.T + each.bias).chunk(block.attention.heads, 1) for each in maps)
        rows = []
        for place in range(len(x)):
            seen = slice(0, place + 1 if causal else len(x))
            mixed = []
            for q, k, v in zip(query, key, value, strict=True):
                share = (k[seen] @ q[place] / math.sqrt(q.shape[1])).softmax(0)
                mixed.append(share @ v[seen])
            rows.append(block.attention.out.weight @ torch.cat(mixed) + block.attention.out.bias)
        x = x + torch.stack(rows)
        read = torch.stack([layer_normalized(block.feed_forward_norm, place) for place in x])
        wide = read @ block.widen.weight.T + block.widen.bias
        x = x + (wide * (1 + torch.erf(wide / math.sqrt(2))) / 2) @ block.narrow.weight.T + block.narrow.bias
    return torch.stack([layer_normalized(stream.norm, place) for place in x])


def strong(model: nn.Module) -> nn.Module:
    """Weights that are not near zero, and scales and shifts of norms of their own."""
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator) / 3
    return model.eval()


def test_vit():
    inputs = replace(IMAGES, num_features=70, item_shape=(2, 5, 7))
    model = strong(MODELS["vit"].build(inputs, Options(hidden=6, layers=2, heads=2, norm="layer")))
    x = torch.randn(3, 2, 5, 7, generator=torch.Generator().manual_seed(1))
    rows = []
    for image in x:
        wide = torch.zeros(2, 6, 8)
        wide[:, :5, :7] = image
        patches = [wide[:, i : i + 2, j : j + 2].flatten() for i in (0, 2, 4) for j in (0, 2, 4, 6)]
        places = torch.stack([model.patches.weight @ patch + model.patches.bias for patch in patches])
        mean = read_in_turn(model.stream, places, causal=False).mean(0)
        rows.append(model.output.weight @ mean + model.output.bias)
    torch.testing.assert_close(model(x), torch.stack(rows), rtol=1e-4, atol=1e-4)


def test_gpt():
    inputs = Inputs(7, 5, (7,), False, (5,) * 7, has_edges=False, name="text", per_position=True)
    model = strong(MODELS["gpt"].build(inputs, Options(hidden=6, layers=2, heads=2, norm="layer")))
    x = torch.randint(0, 5, (3, 7), generator=torch.Generator().manual_seed(1))
    rows = []
    for window in x:
        places = torch.stack([model.tokens.weight[token] for token in window])
        rows.append(read_in_turn(model.stream, places, causal=True) @ model.output.weight.T)
    torch.testing.assert_close(model(x), torch.stack(rows), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(model(x[:, :4]), torch.stack(rows)[:, :4], rtol=1e-4, atol=1e-4)


def test_every_model_of_the_registry_is_written_out_here():
    written = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert {name.replace("-", "_") for name in MODELS} <= written
