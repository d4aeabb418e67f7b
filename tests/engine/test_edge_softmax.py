"""Attention written edge by edge is recognized by what it computes, and what only looks like it is left alone."""

import pytest
import torch
from torch.nn import functional
from torch_geometric.nn import GATConv, GATv2Conv

from gnnmc.engine.tracing import Replay, record, rewritten
from gnnmc.sparse import additive_attention, pairwise_attention

NODES, EDGES, HEADS, WIDTH = 9, 30, 2, 3


def drawn(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def edge_index():
    # Neither sorted nor without repetitions; the last two nodes have no incoming edges.
    generator = torch.Generator().manual_seed(5)
    sources = torch.randint(0, NODES, (EDGES,), generator=generator)
    return torch.stack([sources, torch.randint(0, NODES - 2, (EDGES,), generator=generator)])


@pytest.fixture
def weights():
    return {"a": drawn(1, HEADS, WIDTH, seed=1), "b": drawn(1, HEADS, WIDTH, seed=2), "x": drawn(NODES, 6, seed=3)}


def attention(weights, edges, *, tiny=1e-16, scale=1.0, stop=False, over=None, largest="amax"):
    """As torch_geometric's layers compute it, or nearly."""
    sources, targets = edges
    over = targets if over is None else over
    hidden = weights["x"].view(-1, HEADS, WIDTH)
    ends = (hidden * weights["a"]).sum(-1).index_select(0, sources), (hidden * weights["b"]).sum(-1)[targets]
    scores = functional.leaky_relu(ends[0] + ends[1], 0.2)
    wide = over[:, None].expand(-1, HEADS)
    start = scores.new_zeros(NODES, HEADS)
    highest = start.scatter_reduce(0, wide, scores.detach(), largest, include_self=False)
    exponentials = (scores - highest.index_select(0, over)).exp()
    sums = start.scatter_add(0, wide, exponentials) + tiny
    sums = sums.detach() if stop else sums
    shares = scale * (exponentials / sums.index_select(0, over))
    if scale == 1.0:
        shares = exponentials / sums.index_select(0, over)
    weighted = shares.unsqueeze(-1) * hidden.index_select(0, sources)
    return torch.zeros_like(hidden).scatter_add(0, targets[:, None, None].expand_as(weighted), weighted)


def same(forward, weights, operation=additive_attention):
    """Whether it was recognized, after a look at values and gradients of two weights at once."""
    trace = rewritten(record(forward, weights, list(weights)))
    many = {name: torch.stack([value, value.flip(0) + 0.5]).requires_grad_() for name, value in weights.items()}
    (found, _), expected = (
        Replay(trace)(many),
        torch.stack([forward({name: value[number] for name, value in many.items()}) for number in range(2)]),
    )
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    gradients = [torch.autograd.grad(out.cos().sum(), list(many.values())) for out in (found, expected)]
    torch.testing.assert_close(*gradients, rtol=1e-9, atol=1e-9)
    kinds = [each.kind for each in trace.operations]
    return operation in kinds and torch.ops.aten.exp not in kinds


def test_what_computes_it(weights, edge_index):
    assert same(lambda w: attention(w, edge_index), weights)
    assert same(lambda w: attention(w, edge_index, tiny=0), weights)


@pytest.mark.parametrize(
    "change", [{"tiny": 0.1}, {"scale": 0.5}, {"stop": True}, {"largest": "mean"}, {"over": "sources"}], ids=str
)
def test_what_only_looks_like_it(weights, edge_index, change):
    if "over" in change:
        change = {"over": edge_index[0]}
    assert not same(lambda w: attention(w, edge_index, **change), weights)


@pytest.mark.parametrize("how", [{"heads": 1}, {"heads": 3}, {"heads": 2, "concat": False}], ids=str)
@pytest.mark.parametrize("loops", [True, False])
def test_torch_geometrics_own_layers(edge_index, how, loops):
    for kind, operation in ((GATConv, additive_attention), (GATv2Conv, pairwise_attention)):
        layer = kind(4, WIDTH, add_self_loops=loops, **how).double()
        drawn_weights = {name: drawn(*value.shape, seed=7) for name, value in layer.named_parameters()}
        x = drawn(NODES, 4)
        assert same(lambda w: torch.func.functional_call(layer, w, (x, edge_index)), drawn_weights, operation)  # noqa: B023


def test_scores_that_heads_share_are_something_else(weights, edge_index):
    def forward(w):
        sources, targets = edge_index
        hidden = w["x"].view(-1, HEADS, WIDTH)
        ends = hidden.mean((1, 2), keepdim=True)[..., 0] * w["a"][0, :1, :1]
        scores = functional.leaky_relu(ends[sources] + ends[targets], 0.2)
        start, wide = scores.new_zeros(NODES, 1), targets[:, None]
        highest = start.scatter_reduce(0, wide, scores.detach(), "amax", include_self=False)
        exponentials = (scores - highest[targets]).exp()
        shares = exponentials / start.scatter_add(0, wide, exponentials)[targets]
        weighted = shares.unsqueeze(-1) * hidden[sources]
        return torch.zeros_like(hidden).scatter_add(0, targets[:, None, None].expand_as(weighted), weighted)

    assert not same(forward, {name: weights[name] for name in ("x", "a")})


def test_two_layers_share_the_graph(edge_index):
    layers = torch.nn.ModuleList([GATConv(4, 4).double(), GATConv(4, 4).double()])
    x = drawn(NODES, 4)

    def forward(weights):
        hidden = x
        for number, layer in enumerate(layers):
            own = {name.removeprefix(f"{number}."): value for name, value in weights.items()}
            given = {name: value for name, value in own.items() if name in dict(layer.named_parameters())}
            hidden = torch.func.functional_call(layer, given, (hidden, edge_index)).relu()
        return hidden

    weights = {name: value.detach() for name, value in layers.named_parameters()}
    trace = rewritten(record(forward, weights, list(weights)))
    structures = [operation.args[0] for operation in trace.operations if operation.kind is additive_attention]
    assert len(structures) == 2
    assert structures[0] is structures[1]


def test_sums_over_features_of_many_heads_stay_as_they_are():
    wide = {"x": drawn(NODES, 40), "a": drawn(1, 20, 2, seed=4)}
    trace = rewritten(record(lambda w: (w["x"].view(NODES, 20, 2) * w["a"]).sum(-1), wide, list(wide)))
    assert torch.ops.aten.sum in [operation.kind for operation in trace.operations]


@pytest.mark.parametrize("constant", [True, False])
def test_sums_over_features_are_products(weights, constant):
    shift = drawn(NODES, 6, seed=9)
    given = {"x": weights["x"]} if constant else {name: weights[name] for name in ("x", "a")}

    def forward(w):
        hidden = (w["x"] + shift).view(-1, HEADS, WIDTH)
        return (weights["a"] * hidden).sum(-1) if constant else (hidden * w["a"]).sum(2)

    assert not same(forward, given)
    trace = rewritten(record(forward, given, list(given)))
    assert torch.ops.aten.mm in [operation.kind for operation in trace.operations]
