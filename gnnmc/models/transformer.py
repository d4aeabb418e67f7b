"""A graph transformer of the pre-norm kind: every node attends to every node of its graph, beside its neighbors.

Every reader of the residual stream is a LayerNorm followed by linear maps, and every writer ends in a linear map.
"""

import torch
from torch import Tensor, nn
from torch_geometric.utils import to_dense_batch

from gnnmc.models.adjacency import Adjacency
from gnnmc.models.convolutions import Gcn
from gnnmc.models.dot_product import DotProductAttention
from gnnmc.models.dropout import dropout
from gnnmc.models.edges import PreparedEdges, symmetric
from gnnmc.models.encoder import encoder_for
from gnnmc.models.features import PreparedFeatures
from gnnmc.models.options import Inputs, Options, readout_of
from gnnmc.models.readout import READOUTS
from gnnmc.models.resetting import reset


class Attention(DotProductAttention):
    """Attention among the nodes of each graph.

    Shapes: x (N, H), batch (N,) graph number of each node or None for one graph → (N, H).
    """

    def forward(self, x: Tensor, batch: Tensor | None, num_graphs: int | None) -> Tensor:
        query, key, value = self.query(x), self.key(x), self.value(x)
        if batch is None:
            return self.out(self.attend(query[None], key[None], value[None])[0])
        # Graphs are padded to the largest one, and what pads is attended to by nobody.
        order = torch.argsort(batch, stable=True)
        padded = [to_dense_batch(part[order], batch[order], batch_size=num_graphs) for part in (query, key, value)]
        real = padded[0][1]
        mixed = self.attend(padded[0][0], padded[1][0], padded[2][0], real[:, None, None, :])
        return self.out(mixed[real][torch.argsort(order)])


class Block(nn.Module):
    """x + attention(LN x) + neighbors(LN x), then x + feed-forward(LN x), with dropout on what is added.

    Shapes: x (N, H), edges (2, E) or Adjacency, batch (N,) → (N, H).
    """

    def __init__(self, hidden: int, heads: int, probability: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(hidden)
        self.attention = Attention(hidden, heads)
        self.neighbors = Gcn(hidden, hidden)
        self.feed_forward_norm = nn.LayerNorm(hidden)
        self.widen = nn.Linear(hidden, 2 * hidden)
        self.narrow = nn.Linear(2 * hidden, hidden)
        self.dropout = probability

    def forward(self, x: Tensor, edges: Tensor | Adjacency, batch: Tensor | None, num_graphs: int | None) -> Tensor:
        read = self.attention_norm(x)
        x = x + dropout(self.attention(read, batch, num_graphs), self.dropout, self.training)
        x = x + dropout(self.neighbors(read, edges), self.dropout, self.training)
        wide = dropout(torch.relu(self.widen(self.feed_forward_norm(x))), self.dropout, self.training)
        return x + dropout(self.narrow(wide), self.dropout, self.training)


class Transformer(nn.Module):
    """A linear map (or embedded categories), blocks, a last LayerNorm, and a linear map.

    Dense attention takes N² steps for a graph of N nodes. Structure enters by the neighbors alone: no positions.

    Shapes: x (N, F), dense or sparse, edge_index (2, E), batch (N,) → (N, C), or (G, C) with a readout.
    Source: local and global mixing side by side, Rampášek et al. 2022; pre-norm, Xiong et al. 2020.
    """

    def __init__(self, inputs: Inputs, options: Options) -> None:
        super().__init__()
        hidden = options.hidden
        self.encoder = encoder_for(inputs, hidden)
        self.blocks = nn.ModuleList(Block(hidden, options.heads, options.dropout) for _ in range(options.layers))
        self.norm = nn.LayerNorm(hidden)
        self.output = nn.Linear(hidden, inputs.num_outputs)
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
        x = self.encoder(self.features(x))
        edges = self.prepare(edge_index, len(x), x.dtype)
        for block in self.blocks:
            x = block(x, edges, batch, num_graphs)
        return self.output(READOUTS[self.readout](self.norm(x), batch, num_graphs))
