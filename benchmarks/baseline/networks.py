"""Networks of PyTorch Geometric's layers. Their entries have the names of gnnmc's own, so that weights fit both."""

import itertools
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn import GATConv, GCNConv, GINConv, SAGEConv

# (features, classes) → module
Make = Callable[[int, int], nn.Module]


class Stack(nn.Module):
    """Dropout → layer → ReLU, repeated; the last layer gives the outputs."""

    def __init__(self, layers: list[nn.Module], dropout: float = 0.5) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.dropout = dropout

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = functional.dropout(x, self.dropout, self.training)
            x = torch.relu(layer(x, edge_index))
        x = functional.dropout(x, self.dropout, self.training)
        return self.layers[-1](x, edge_index)


class Mlp(nn.Module):
    """The same without edges."""

    def __init__(self, layers: list[nn.Module], dropout: float = 0.5) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = functional.dropout(x, self.dropout, self.training)
            x = torch.relu(layer(x))
        return self.layers[-1](functional.dropout(x, self.dropout, self.training))


class Recipe(nn.Module):
    """Layer → ReLU → dropout, repeated, then a linear map (science 1.5)."""

    def __init__(self, layers: list[nn.Module], output: nn.Module, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.output = output
        self.dropout = dropout

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        for layer in self.layers:
            x = functional.dropout(torch.relu(layer(x, edge_index)), self.dropout, self.training)
        return self.output(x)


class Cnn(nn.Module):
    """3×3 convolution → ReLU → 2×2 max-pooling, twice, the mean over the positions, dropout and a linear map."""

    def __init__(self, channels: int, classes: int, hidden: int, dropout: float = 0.5) -> None:
        super().__init__()
        self.stages = nn.Sequential(
            nn.Conv2d(channels, hidden, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(hidden, 2 * hidden, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.output = nn.Linear(2 * hidden, classes)
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        means = self.stages(x).mean((2, 3))
        return self.output(functional.dropout(means, self.dropout, self.training))


def gcn(features: int, classes: int, hidden: int = 64) -> nn.Module:
    """The normalized adjacency is computed once, in the first forward."""
    return Stack([GCNConv(features, hidden, cached=True), GCNConv(hidden, classes, cached=True)])


def gcn_recipe(features: int, classes: int) -> nn.Module:
    """3×512, dropout .7."""
    widths = [features, 512, 512, 512]
    layers = [GCNConv(a, b, cached=True) for a, b in itertools.pairwise(widths)]
    return Recipe(list(layers), nn.Linear(512, classes), 0.7)


def sage(features: int, classes: int, hidden: int = 64) -> nn.Module:
    """Mean aggregation."""
    return Stack([SAGEConv(features, hidden), SAGEConv(hidden, classes)])


def gin(features: int, classes: int, hidden: int = 64) -> nn.Module:
    """GIN-0, two linear maps a layer."""

    def maps(width_in: int, width_out: int) -> nn.Module:
        return nn.Sequential(nn.Linear(width_in, width_out), nn.ReLU(), nn.Linear(width_out, width_out))

    return Stack([GINConv(maps(features, hidden)), GINConv(maps(hidden, classes))])


def gat(features: int, classes: int, hidden: int = 64, heads: int = 8) -> nn.Module:
    """`heads` heads that are joined, then one for the outputs."""
    return Stack([GATConv(features, hidden // heads, heads=heads), GATConv(hidden, classes, heads=1)])


def mlp(features: int, classes: int, hidden: int = 64) -> nn.Module:
    """The same network without edges."""
    return Mlp([nn.Linear(features, hidden), nn.Linear(hidden, classes)])


def reset(module: nn.Module) -> None:
    """New weights from the global generator."""
    for part in module.children():
        own = getattr(part, "reset_parameters", None)
        if callable(own):
            own()
        else:
            reset(part)
