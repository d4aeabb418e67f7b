"""PyTorch Geometric's layers with a second route: given an `Adjacency` they work by sparse products.

Parameters and their names are PyTorch Geometric's. Both routes give the same up to rounding.
"""

import torch
from torch import Tensor, nn
from torch_geometric.nn import APPNP, GCN2Conv, GCNConv, GINConv, SAGEConv, SGConv

from gnnmc.models.adjacency import Adjacency, propagated_linear
from gnnmc.sparse import SparseMatrix, dense, linear, product


class Map(nn.Linear):
    """A linear map of each node alone. Shapes: x (N, F), dense or sparse → (N, H)."""

    def forward(self, x: Tensor | SparseMatrix) -> Tensor:
        return linear(x, self.weight, self.bias)


class Gcn(GCNConv):
    """Kipf & Welling 2017. Shapes: x (N, F), dense or sparse, edges (2, E) or Adjacency → (N, H)."""

    def forward(self, x: Tensor | SparseMatrix, edges: Tensor | Adjacency) -> Tensor:
        if isinstance(edges, Adjacency):
            return propagated_linear(edges, x, self.lin.weight, self.bias)
        return super().forward(dense(x), edges)


class Sage(SAGEConv):
    """Hamilton et al. 2017, mean aggregation. Shapes: x (N, F), dense or sparse, edges (2, E) or Adjacency → (N, H)."""

    def forward(self, x: Tensor | SparseMatrix, edges: Tensor | Adjacency) -> Tensor:
        if isinstance(edges, Adjacency):
            return propagated_linear(edges, x, self.lin_l.weight, self.lin_l.bias) + linear(x, self.lin_r.weight)
        return super().forward(dense(x), edges)


class Gin(GINConv):
    """Xu et al. 2019: two linear maps with a ReLU between them, of the node's own features plus its neighbors' sum.

    ε is fixed at 0 (GIN-0 of the paper). Shapes: x (N, F), dense or sparse, edges (2, E) or Adjacency → (N, H).
    """

    def __init__(self, width_in: int, width_out: int, bias: bool) -> None:
        first, second = (nn.Linear(width, width_out, bias=bias) for width in (width_in, width_out))
        super().__init__(nn.Sequential(first, nn.ReLU(), second))

    def forward(self, x: Tensor | SparseMatrix, edges: Tensor | Adjacency) -> Tensor:
        if not isinstance(edges, Adjacency):
            return super().forward(dense(x), edges)
        # The first map is linear: it may go before the sum, which makes sparse features dense where they are narrow.
        first = self.nn[0]
        mapped = linear(x, first.weight)
        out = product(edges, mapped) + (1 + self.eps) * mapped
        return self.nn[1:](out if first.bias is None else out + first.bias)


class Sgc(SGConv):
    """Wu et al. 2019: K propagations and one linear map.

    Shapes: x (N, F), dense or sparse, edges (2, E) or Adjacency → (N, H).
    """

    def forward(self, x: Tensor | SparseMatrix, edges: Tensor | Adjacency) -> Tensor:
        if not isinstance(edges, Adjacency):
            return super().forward(dense(x), edges)
        out = propagated_linear(edges, x, self.lin.weight) if self.K else linear(x, self.lin.weight)
        for _ in range(self.K - 1):
            out = product(edges, out)
        return out if self.lin.bias is None else out + self.lin.bias


class PersonalizedPageRank(APPNP):
    """Gasteiger et al. 2019: K steps of x ← (1−α)·A·x + α·x₀.

    Shapes: x (N, C), edges (2, E) or Adjacency → (N, C).
    """

    def forward(self, x: Tensor, edges: Tensor | Adjacency) -> Tensor:
        if not isinstance(edges, Adjacency):
            return super().forward(x, edges)
        first = x
        for _ in range(self.K):
            x = (1 - self.alpha) * product(edges, x) + self.alpha * first
        return x


class Gcn2(GCN2Conv):
    """Chen et al. 2020: ((1−α)·A·x + α·x₀)·((1−β)·I + β·W), β = log(θ/layer + 1).

    Shapes: x, first (N, H), edges (2, E) or Adjacency → (N, H).
    """

    def forward(self, x: Tensor, first: Tensor, edges: Tensor | Adjacency) -> Tensor:
        if not isinstance(edges, Adjacency):
            return super().forward(x, first, edges)
        mixed = (1 - self.alpha) * product(edges, x) + self.alpha * first
        return torch.addmm(mixed, mixed, self.weight1, beta=1 - self.beta, alpha=self.beta)
