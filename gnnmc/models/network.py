"""One network for every layer: dropout → layer → norm → ReLU, repeated; the last layer gives the outputs."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from gnnmc.models.adjacency import adjacency_matrix
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
        self, layers: Sequence[nn.Module], norms: Sequence[nn.Module], dropout: float, uses_edges: bool, sparse: bool
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.norms = nn.ModuleList(norms)
        self.dropout = dropout
        self.uses_edges = uses_edges
        self.sparse = sparse
        # The edges that were seen last and their matrix. Not part of the state_dict.
        self._cached_edges: Tensor | None = None
        self._cached_key: tuple[int, int, torch.dtype] | None = None
        self._cached_matrix: Tensor | None = None

    def reset_parameters(self) -> None:
        """Initialize every layer anew, from the global generator (fork it first: gnnmc.seeding.forked)."""
        for layer in [*self.layers, *self.norms]:
            reset = getattr(layer, "reset_parameters", None)
            if callable(reset):
                reset()

    def forward(self, x: Tensor, edge_index: Tensor | None = None) -> Tensor:
        edges = [] if not self.uses_edges else [self._edges(edge_index, x)]
        for number, layer in enumerate(self.layers):
            x = layer(dropout(x, self.dropout, self.training), *edges)
            if number < len(self.norms):
                x = torch.relu(self.norms[number](x))
        return x

    def _edges(self, edge_index: Tensor | None, x: Tensor) -> Tensor | None:
        """What the layers are given as edges: the edge list, or its matrix where the layers multiply by one."""
        # On a CPU only: reductions by sparse products are not offered everywhere.
        if not self.sparse or edge_index is None or edge_index.device.type != "cpu":
            return edge_index
        key = edge_index._version, len(x), x.dtype
        # Recognized by identity, never by size: another graph, or one that was written to, gets a matrix of its own.
        if self._cached_edges is not edge_index or self._cached_key != key:
            self._cached_edges, self._cached_key = edge_index, key
            self._cached_matrix = adjacency_matrix(edge_index, len(x), x.dtype)
        return self._cached_matrix
