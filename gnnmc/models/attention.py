"""Layers that weigh neighbors by attention: PyTorch Geometric's, with a second route by sparse products.

Parameters and their names are PyTorch Geometric's. Both routes give the same up to rounding.
"""

from torch import Tensor, nn
from torch_geometric.nn import GATConv, GATv2Conv

from gnnmc.models.adjacency import Adjacency
from gnnmc.models.convolutions import Map
from gnnmc.sparse import SparseMatrix, additive_attention, dense, linear


class Gat(GATConv):
    """Veličković et al. 2018. Shapes: x (N, F), dense or sparse, edges (2, E) or Adjacency → (N, heads·H)."""

    def forward(self, x: Tensor | SparseMatrix, edges: Tensor | Adjacency) -> Tensor:
        if not isinstance(edges, Adjacency):
            return super().forward(dense(x), edges)
        hidden = linear(x, self.lin.weight).unflatten(1, (self.heads, self.out_channels))
        of_source, of_target = (hidden * self.att_src).sum(2), (hidden * self.att_dst).sum(2)
        out = additive_attention(edges.structure, of_target, of_source, hidden, self.negative_slope).flatten(1)
        return out if self.bias is None else out + self.bias


class Gatv2(GATv2Conv):
    """Brody et al. 2022, on the edge list alone: the score of an edge is no sum of scores of its ends.

    Shapes: x (N, F), dense or sparse, edges (2, E) → (N, heads·H).
    """

    def forward(self, x: Tensor | SparseMatrix, edges: Tensor) -> Tensor:
        return super().forward(dense(x), edges)


class GatSeparate(nn.Module):
    """Attention over the neighbors alone, beside a linear map of the node itself (GAT-sep, Platonov et al. 2023).

    A node and its neighbors enter through weights of their own, which helps where neighbors differ from it.
    The sum of two maps is one map of both, joined.

    Shapes: x (N, F), dense or sparse, edges (2, E) or Adjacency, without self-loops → (N, heads·H).
    """

    def __init__(self, width_in: int, out_channels: int, heads: int, bias: bool) -> None:
        super().__init__()
        self.ego = Map(width_in, heads * out_channels, bias=bias)
        self.neighbors = Gat(width_in, out_channels, heads=heads, add_self_loops=False, bias=False)

    def reset_parameters(self) -> None:
        """Initialize both maps anew."""
        self.ego.reset_parameters()
        self.neighbors.reset_parameters()

    def forward(self, x: Tensor | SparseMatrix, edges: Tensor | Adjacency) -> Tensor:
        return self.ego(x) + self.neighbors(x, edges)
