"""A deep network in which every layer sees the first one's input and is close to the identity (Chen et al. 2020)."""

import torch
from torch import Tensor, nn

from gnnmc.models.convolutions import Gcn2
from gnnmc.models.dropout import dropout
from gnnmc.models.edges import PreparedEdges, symmetric
from gnnmc.models.encoder import encoder_for
from gnnmc.models.features import PreparedFeatures
from gnnmc.models.options import NORMS, Inputs, Options, readout_of
from gnnmc.models.readout import READOUTS
from gnnmc.models.resetting import reset

# The paper's values for Cora.
ALPHA = 0.1
THETA = 0.5


class Gcnii(nn.Module):
    """Dropout → linear map → ReLU, then dropout → layer → norm → ReLU repeated, then dropout → linear map.

    Shapes: x (N, F), dense or sparse, edge_index (2, E), batch (N,) → (N, C), or (G, C) with a readout.
    """

    def __init__(self, inputs: Inputs, options: Options) -> None:
        super().__init__()
        hidden, count = options.hidden, options.layers
        self.encoder = encoder_for(inputs, hidden)
        self.layers = nn.ModuleList(Gcn2(hidden, alpha=ALPHA, theta=THETA, layer=n) for n in range(1, count + 1))
        self.norms = nn.ModuleList(NORMS[options.norm](hidden) for _ in range(count))
        self.output = nn.Linear(hidden, inputs.num_outputs)
        self.dropout = options.dropout
        self.embeds = inputs.cardinalities is not None
        self.readout = readout_of(inputs, options)
        self.features = PreparedFeatures()
        self.prepare = PreparedEdges(options.edges, symmetric)

    def reset_parameters(self) -> None:
        """Initialize every part anew, from the global generator."""
        for part in self.children():
            reset(part)

    def forward(
        self, x: Tensor, edge_index: Tensor, batch: Tensor | None = None, num_graphs: int | None = None
    ) -> Tensor:
        # Numbers of categories cannot be dropped; their vectors are, before the first layer.
        given = dropout(self.features(x), self.dropout, self.training and not self.embeds)
        first = x = torch.relu(self.encoder(given))
        edges = self.prepare(edge_index, len(x), x.dtype)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = torch.relu(norm(layer(dropout(x, self.dropout, self.training), first, edges)))
        return self.output(READOUTS[self.readout](dropout(x, self.dropout, self.training), batch, num_graphs))
