"""Why an axis stays: only what the model is called on, and what it gives, leave nothing to be understood."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch_geometric.nn import GCNConv

import gnnmc
from gnnmc.symmetry import find_symmetry
from gnnmc.symmetry.bands import bands
from tests.symmetry.zoo import IN, OUT, Hidden, problem_of

PLACES = torch.randperm(16, generator=torch.Generator().manual_seed(3))


class Between(Hidden):
    """Something between what writes the units and what reads them."""

    def __init__(self, operation):
        super().__init__()
        self.operation = operation
        self.t = torch.rand(16)

    def act(self, h):
        return self.operation(self, torch.relu(h))


def into_places(h):
    return torch.zeros_like(h).index_add(1, PLACES, h)


def seen_along(h):
    return F.conv1d(h[:, None], torch.ones(1, 1, 3), padding=1)[:, 0]


STOPPED = {
    "cumsum": (lambda m, h: h.cumsum(1), "order decides in aten.cumsum"),
    "sort": (lambda m, h: h.sort(1).values, "order decides in aten.sort"),
    "topk": (lambda m, h: h * (h >= h.topk(3).values[:, -1:]), "order decides in aten.topk"),
    "roll": (lambda m, h: h.roll(1, 1), "order decides in aten.roll"),
    "convolution": (lambda m, h: seen_along(h), "order decides in aten.convolution"),
    "pooling": (lambda m, h: F.avg_pool2d(h[:, None, None], (1, 3), 1, (0, 1))[:, 0, 0], "aten.avg_pool2d"),
    "place of the largest": (lambda m, h: h * h.max(1, keepdim=True).indices, "order decides in aten.max"),
    "a matrix": (lambda m, h: h @ torch.arange(256.0).reshape(16, 16), "meets a constant in aten.mm"),
    "an index": (lambda m, h: h[:, PLACES], "meets a constant in aten.index"),
    "places written to": (lambda m, h: into_places(h), "meets a constant in aten.index_add"),
    "numbers": (lambda m, h: h * torch.arange(16), "meets a constant in aten.mul"),
    "an attribute": (lambda m, h: h * m.t, "meets a constant in aten.mul"),
    "a sum": (lambda m, h: h + m.t, "meets a constant in aten.add"),
}


@pytest.mark.parametrize("name", STOPPED)
def test_what_stops_units_is_named(name):
    operation, reason = STOPPED[name]
    frame = find_symmetry(Between(operation), problem_of("nodes")).frame()
    rows = frame.set_index(["tensor", "axis"]).loc[[("a.weight", 0), ("a.bias", 0), ("b.weight", 1)]]
    assert set(rows.status) == {"not understood"}
    assert rows.reason.str.contains(reason, regex=False).all(), list(rows.reason)


def test_a_hook_that_multiplies_is_a_constant():
    model = Between(lambda m, h: h)
    model.a.register_forward_hook(lambda module, args, h: h * torch.arange(16.0))
    frame = find_symmetry(model, problem_of("nodes")).frame()
    rows = frame[(frame.tensor == "a.weight") & (frame.axis == 0)]
    assert list(rows.reason) == ["meets a constant in aten.mul"]


def test_an_aligned_model_says_that_these_units_were_left():
    model, problem = Between(STOPPED["an attribute"][0]), problem_of("nodes")
    a, b = ({name: value + 0.1 * n for name, value in model.state_dict().items()} for n in range(2))
    found = gnnmc.align(model, problem, a, b).diagnostics()
    assert "GMC019" in [one.code for one in found]
    assert "meets a constant in aten.mul" in str(found[0])


class Parts(Hidden):
    """One axis in three parts, each stopped by something else, and one that moves."""

    def __init__(self):
        super().__init__()
        self.c = nn.Linear(16 + IN + 16 + 5, OUT)
        self.d, self.e = nn.Linear(IN, 16), nn.Linear(IN, 5)

    def forward(self, x):
        parts = [self.a(x) * torch.arange(16), x, self.d(x).cumsum(1), torch.relu(self.e(x))]
        return self.c(torch.cat(parts, 1))


def test_every_part_has_its_own_reason():
    symmetry = find_symmetry(Parts(), problem_of("nodes"))
    frame = symmetry.frame()
    rows = frame[(frame.tensor == "c.weight") & (frame.axis == 1)]
    assert list(rows.units) == [16, IN, 16, 5]
    assert list(rows.status) == ["not understood", "fixed", "not understood", "moves"]
    reasons = ["meets a constant in aten.mul", "meets the data", "order decides in aten.cumsum", ""]
    assert list(rows.reason) == reasons
    band = bands(symmetry)
    assert list(band[(band.tensor == "c.weight") & (band.axis == 1)].status) == list(rows.status)


class OfEdges(nn.Module):
    """Nodes and edges picked, weighted and summed by what the data say; edges have features."""

    def __init__(self):
        super().__init__()
        self.a, self.conv, self.e, self.b = nn.Linear(8, 12), GCNConv(12, 12), nn.Linear(2, 12), nn.Linear(12, 3)

    def forward(self, x, edge_index, edge_attr):
        h = torch.relu(self.conv(torch.relu(self.a(x)), edge_index))
        sent = h[edge_index[0]] * torch.sigmoid(self.e(edge_attr))
        return self.b(torch.zeros_like(h).index_add(0, edge_index[1], sent))


def test_features_of_nodes_and_edges_and_classes_alone_are_fixed():
    data = gnnmc.csbm(num_nodes=60, num_features=8, num_classes=3, seed=0, train_per_class=5)
    data.edge_attr = torch.rand(data.edge_index.shape[1], 2)
    frame = find_symmetry(OfEdges(), gnnmc.Problem.node_classification(data)).frame()
    still = frame[frame.status != "moves"].set_index(["tensor", "axis"]).reason.to_dict()
    assert still == {
        ("a.weight", 1): "meets the data",
        ("e.weight", 1): "meets the data",
        ("b.weight", 0): "is an output of the model",
        ("b.bias", 0): "is an output of the model",
    }


class Positions(Hidden):
    """Tokens and their places, looked up as they often are."""

    def __init__(self):
        super().__init__()
        self.tokens, self.places, self.c = nn.Embedding(11, IN), nn.Embedding(5, IN), nn.Conv1d(16, OUT, 3)

    def forward(self, x):
        h = self.tokens(x.long()) + self.places(torch.arange(x.shape[1], device=x.device))
        return self.c(torch.relu(self.a(h)).transpose(1, 2)).mean(2)


def test_places_of_tokens_and_of_kernels_are_those_of_the_data():
    frame = find_symmetry(Positions(), problem_of("tokens")).frame().set_index(["tensor", "axis"])
    for axis in [("tokens.weight", 0), ("places.weight", 0), ("c.weight", 2)]:
        assert tuple(frame.loc[axis, ["status", "reason"]]) == ("fixed", "meets the data"), axis
