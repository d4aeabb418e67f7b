"""A profile equals a hand-written loop of forwards on the user's own module and state_dict files."""

import numpy as np
import pytest
import torch
from torch import nn
from torch_geometric.nn import GATConv, GCNConv

from gnnmc.connectivity import BezierPath, LinearPath, PolygonalPath, profile
from gnnmc.problem import Problem
from gnnmc.weights import digest, load_weights


class Own(nn.Module):
    """A user's network: norm, dropout, attention, a counter buffer and a cached convolution."""

    def __init__(self, cached=False):
        super().__init__()
        self.conv = GCNConv(8, 12, cached=cached)
        self.norm = nn.LayerNorm(12)
        self.attention = GATConv(12, 3, heads=2, concat=False)
        self.scale = nn.Parameter(torch.ones(3))
        self.register_buffer("shift", torch.zeros(3))
        self.register_buffer("steps", torch.tensor(0))

    def forward(self, x, edge_index):
        x = nn.functional.dropout(torch.relu(self.norm(self.conv(x, edge_index))), 0.5, self.training)
        return self.attention(x, edge_index) * self.scale + self.shift


class TakesData(Own):
    def forward(self, data):
        return Own.forward(self, data.x, data.edge_index)


class TakesOther(Own):
    def forward(self, adjacency, features):
        return Own.forward(self, features, adjacency)


def own_state(kind, seed):
    torch.manual_seed(seed)
    module = kind()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.5 * torch.randn(parameter.shape))
        module.shift.normal_()
        module.steps.fill_(seed)
    return module.state_dict()


def loop(kind, points, graph, grid):
    """Loss and accuracy of every split, one forward a point, nothing of gnnmc."""
    rows = []
    for t in grid:
        degree = len(points) - 1
        weights = [
            torch.distributions.Binomial(degree, torch.tensor(t)).log_prob(torch.tensor(float(j))).exp()
            for j in range(degree + 1)
        ]
        module = kind()
        state = {
            name: sum(w * point[name] for w, point in zip(weights, points, strict=True))
            if value.is_floating_point()
            else (points[0] if t <= 0.5 else points[-1])[name]
            for name, value in points[0].items()
        }
        module.load_state_dict(state)
        module.eval()
        with torch.no_grad():
            outputs = Own.forward(module, graph.x, graph.edge_index)
        for split in ("train", "val", "test"):
            mask = graph[f"{split}_mask"]
            loss = nn.functional.cross_entropy(outputs[mask], graph.y[mask])
            accuracy = (outputs[mask].argmax(1) == graph.y[mask]).float().mean()
            rows.append((t, split, float(loss), float(accuracy)))
    return rows


def assert_equal_to_loop(frame, rows):
    assert frame.t.tolist() == [row[0] for row in rows]
    assert frame["split"].tolist() == [row[1] for row in rows]
    np.testing.assert_allclose(frame.loss, [row[2] for row in rows], rtol=0, atol=1e-5)
    np.testing.assert_allclose(frame.accuracy, [row[3] for row in rows], rtol=0, atol=1e-6)


@pytest.mark.parametrize("suffix", ["pt", "pth"])
@pytest.mark.parametrize(
    "kind, call",
    [
        (Own, None),
        (TakesData, None),
        (TakesOther, lambda module, data: module(data.edge_index, data.x)),
    ],
)
def test_own_module_and_plain_state_dict_files(toy_graph, tmp_path, kind, call, suffix):
    for seed in (1, 2):
        torch.save(own_state(kind, seed), tmp_path / f"{seed}.{suffix}")
    a, b = (load_weights(tmp_path / f"{seed}.{suffix}") for seed in (1, 2))
    module = kind(cached=True).train()
    Own.forward(module, torch.randn(90, 8), torch.randint(0, 90, (2, 50)))  # caches another graph
    hidden = module.conv._cached_edge_index
    before = [digest(module.state_dict()), digest(a), digest(b), digest({"x": toy_graph.x, "e": toy_graph.edge_index})]

    problem = Problem.node_classification(toy_graph, call=call)
    found = profile(module, problem, LinearPath(a, b), points=9, device="cpu")

    assert_equal_to_loop(found.frame(), loop(kind, [a, b], toy_graph, np.linspace(0, 1, 9).tolist()))
    after = [digest(module.state_dict()), digest(a), digest(b), digest({"x": toy_graph.x, "e": toy_graph.edge_index})]
    assert after == before
    assert module.training
    assert module.conv._cached_edge_index is hidden
    assert all(parameter.grad is None for parameter in module.parameters())


@pytest.mark.parametrize("degree", [1, 2, 3, 5])
def test_curves_of_any_degree(toy_graph, degree):
    points = [own_state(Own, seed) for seed in range(degree + 1)]
    found = profile(Own(), Problem.node_classification(toy_graph), BezierPath(*points), points=7, device="cpu")
    assert_equal_to_loop(found.frame(), loop(Own, points, toy_graph, np.linspace(0, 1, 7).tolist()))


def test_polygonal_paths_piece_by_piece(toy_graph):
    points = [own_state(Own, seed) for seed in range(3)]
    problem = Problem.node_classification(toy_graph)
    found = profile(Own(), problem, PolygonalPath(*points), points=9, device="cpu").along("loss", "val")
    pieces = [
        [row[2] for row in loop(Own, points[i : i + 2], toy_graph, np.linspace(0, 1, 5).tolist()) if row[1] == "val"]
        for i in (0, 1)
    ]
    np.testing.assert_allclose(found, pieces[0] + pieces[1][1:], rtol=0, atol=1e-5)


def test_one_cached_module_and_two_graphs_of_equal_size(toy_graph_factory):
    a, b = own_state(Own, 1), own_state(Own, 2)
    module = Own(cached=True)
    for seed in (1, 2, 1):
        graph = toy_graph_factory(seed)
        found = profile(module, Problem.node_classification(graph), LinearPath(a, b), points=3, device="cpu")
        assert_equal_to_loop(found.frame(), loop(Own, [a, b], graph, [0.0, 0.5, 1.0]))
