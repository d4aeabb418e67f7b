"""One network for every layer: layer (+ skip) → norm → ReLU → dropout, repeated, then what gives the outputs."""

import itertools
from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch_geometric.nn import JumpingKnowledge

from gnnmc.models.convolutions import Map
from gnnmc.models.dropout import dropout
from gnnmc.models.edges import PreparedEdges, Weighting
from gnnmc.models.encoder import encoder_for
from gnnmc.models.features import PreparedFeatures
from gnnmc.models.options import NORMS, Inputs, Options, flat_width, readout_of
from gnnmc.models.readout import READOUTS
from gnnmc.models.resetting import reset

# (width in, width out, whether it gives the outputs, options) → a module called with (x) or (x, edges)
MakeLayer: TypeAlias = Callable[[int, int, bool, Options], nn.Module]


class Network(nn.Module):
    """A stack of layers of one kind, in one of two orders (science 1.5).

    head conv, the older profile: dropout → layer → norm → ReLU, repeated; the last layer gives the outputs. head
    linear, the recipes: layer → norm → ReLU → dropout for every layer, then a linear map.

    make: makes a layer. weighting: what its sparse products multiply by, None where it works on edge lists alone.
    loops=False: self-loops are taken out. uses_edges=False: the network sees no edges. diffusion: a module without
    parameters that spreads the outputs of the layers over the edges; the layers are then called with x alone.

    Shapes: x (N, F), dense or sparse (or (N, …), joined to one axis, without edges), edge_index (2, E), batch (N,)
    graph number of each node → (N, C), or (G, C) with a readout over the nodes of each graph.
    """

    def __init__(
        self,
        inputs: Inputs,
        options: Options,
        make: MakeLayer,
        *,
        weighting: Weighting | None = None,
        loops: bool = True,
        uses_edges: bool = True,
        diffusion: nn.Module | None = None,
    ) -> None:
        super().__init__()
        hidden, count = options.hidden, options.layers
        linear = options.head == "linear"
        width_in = flat_width(inputs)
        encode = options.input_linear or inputs.cardinalities is not None
        widths = [hidden if encode else width_in, *[hidden] * (count - 1), hidden if linear else inputs.num_outputs]
        steps = list(itertools.pairwise(widths))
        self.layers = nn.ModuleList(
            make(before, after, number == count - 1 and not linear, options)
            for number, (before, after) in enumerate(steps)
        )
        self.norms = nn.ModuleList(NORMS[options.norm](hidden) for _ in range(count if linear else count - 1))
        self.encoder = encoder_for(inputs, hidden) if encode else nn.Identity()
        self.skips = nn.ModuleList(Map(*step) for step in steps if options.residual)
        self.jump: nn.Module | None = None
        if options.jumping_knowledge != "none":
            self.jump = JumpingKnowledge(options.jumping_knowledge, hidden, count)
        joined = count * hidden if options.jumping_knowledge == "cat" else hidden
        self.output = nn.Linear(joined, inputs.num_outputs) if linear else nn.Identity()
        self.diffusion = diffusion
        self.dropout = options.dropout
        self.drops_input = encode or not linear
        self.readout = readout_of(inputs, options)
        self.features = PreparedFeatures()
        self.prepare = PreparedEdges(options.edges, weighting, loops) if uses_edges else None

    def reset_parameters(self) -> None:
        """Initialize every part anew, from the global generator (fork it first: gnnmc.seeding.forked)."""
        for part in self.children():
            reset(part)

    def forward(
        self, x: Tensor, edge_index: Tensor | None = None, batch: Tensor | None = None, num_graphs: int | None = None
    ) -> Tensor:
        x = self.encoder(self.features(x if x.dim() == 2 else x.flatten(1)))
        edges = [] if self.prepare is None or edge_index is None else [self.prepare(edge_index, len(x), x.dtype)]
        if self.drops_input:
            x = dropout(x, self.dropout, self.training)
        states = []
        for number, layer in enumerate(self.layers):
            out = layer(x, *edges) if self.diffusion is None else layer(x)
            x = out + self.skips[number](x) if self.skips else out
            if number < len(self.norms):
                x = dropout(torch.relu(self.norms[number](x)), self.dropout, self.training)
            states.append(x)
        if self.jump is not None:
            x = self.jump(states)
        if self.diffusion is not None:
            x = self.diffusion(x, *edges)
        return self.output(READOUTS[self.readout](x, batch, num_graphs))
