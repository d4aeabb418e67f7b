"""How large the products are, and the matrices of the data that they multiply by."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch_geometric.utils import add_self_loops

from gnnmc.sparse import compressed_rows

# Features with a smaller share of nonzeros are multiplied as a sparse matrix.
SPARSE_BELOW = 0.15


@dataclass(frozen=True)
class Sizes:
    """rows: the asked ones. points: T. controls: J. widths: of features, between layers, of outputs."""

    x: Tensor
    edge_index: Tensor
    rows: Tensor
    points: int
    controls: int
    widths: Sequence[int]
    heads: int = 1

    def features(self, rows: Tensor | None = None) -> Tensor:
        """Of these rows, as they multiply faster."""
        x = self.x if rows is None else self.x[rows]
        return x.to_sparse_csr() if torch.count_nonzero(x) < SPARSE_BELOW * x.numel() else x

    def adjacency(self, *, loops: bool) -> Tensor:
        """(N, N) in compressed rows; the values do not matter."""
        n, edges = len(self.x), self.edge_index
        if loops:
            edges = add_self_loops(edges, num_nodes=n)[0]
        order = torch.argsort(edges[1] * n + edges[0])
        starts = torch.zeros(n + 1, dtype=torch.long)
        starts[1:] = torch.bincount(edges[1], minlength=n).cumsum(0)
        return compressed_rows(starts, edges[0][order], torch.ones(len(order)), (n, n), checked=False)


def needed(matrix: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """These rows of a sparse matrix, and the columns that they have entries in: it has no others."""
    starts, columns = matrix.crow_indices(), matrix.col_indices()
    counts = starts.diff()[rows]
    entries = torch.cat([torch.arange(int(starts[row]), int(starts[row + 1])) for row in rows.tolist()])
    kept, places = columns[entries].unique(return_inverse=True)
    taken = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    shape = (len(rows), len(kept))
    return compressed_rows(taken, places, torch.ones(len(entries)), shape, checked=False), kept
