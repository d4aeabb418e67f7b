"""One network for every layer: dropout → layer → norm → ReLU, repeated; the last layer gives the outputs."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from gnnmc.registry import Registry

NORMS: Registry[Callable[[int], nn.Module]] = Registry("norm")
NORMS.add("none", lambda width: nn.Identity())
NORMS.add("layer", nn.LayerNorm)
NORMS.add("batch", nn.BatchNorm1d)


def dropout(x: Tensor, probability: float, training: bool) -> Tensor:
    """Inverted dropout, as `torch.nn.functional.dropout`, from uniform numbers: on a CPU several times faster."""
    if not training or probability == 0:
        return x
    return x * torch.rand_like(x).ge_(probability).mul_(1 / (1 - probability))


class Network(nn.Module):
    """Layers with dropout before each, and normalization and ReLU between them (the older profile of science 1.5).

    Shapes: x (N, F), edge_index (2, E) → (N, C).
    """

    def __init__(
        self, layers: Sequence[nn.Module], norms: Sequence[nn.Module], dropout: float, uses_edges: bool
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.norms = nn.ModuleList(norms)
        self.dropout = dropout
        self.uses_edges = uses_edges

    def reset_parameters(self) -> None:
        """Initialize every layer anew, from the global generator (fork it first: gnnmc.seeding.forked)."""
        for layer in [*self.layers, *self.norms]:
            reset = getattr(layer, "reset_parameters", None)
            if callable(reset):
                reset()

    def forward(self, x: Tensor, edge_index: Tensor | None = None) -> Tensor:
        edges = [] if not self.uses_edges else [edge_index]
        for number, layer in enumerate(self.layers):
            x = layer(dropout(x, self.dropout, self.training), *edges)
            if number < len(self.norms):
                x = torch.relu(self.norms[number](x))
        return x
