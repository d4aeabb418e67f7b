"""Data set classes that keep the features they read from npz files by their non-zeros, and read no pickle."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor
from torch_geometric.data import Data, InMemoryDataset
from torch_geometric.datasets import Amazon, CitationFull, Coauthor, Twitch
from torch_geometric.io.npz import parse_npz

from gnnmc.data.layout import sparse_tensor


class _SparseNpz(InMemoryDataset):
    """What is put before a class that reads by `torch_geometric.io.read_npz`, which makes the features dense.

    Coauthor Physics has 1.1 million non-zeros: 14 MB instead of 1.2 GB, in memory and in `processed/`.
    """

    to_undirected: bool = True

    def process(self) -> None:
        with np.load(self.raw_paths[0]) as file:
            data = read_sparse_npz(dict(file), self.to_undirected)
        self.save([data], self.processed_paths[0])


class SparseAmazon(_SparseNpz, Amazon):
    """`Amazon` with sparse features."""


class SparseCoauthor(_SparseNpz, Coauthor):
    """`Coauthor` with sparse features."""


class SparseCitationFull(_SparseNpz, CitationFull):
    """`CitationFull` with sparse features."""


class SparseTwitch(Twitch):
    """`Twitch` with sparse features, read without pickles."""

    def process(self) -> None:
        with np.load(Path(self.raw_paths[0])) as file:
            x = sparse_tensor(sp.csr_array(file["features"]))
            y = torch.from_numpy(file["target"]).long()
            edge_index = torch.from_numpy(file["edges"]).long().t().contiguous()
        self.save([Data(x=x, y=y, edge_index=edge_index)], self.processed_paths[0])


def read_sparse_npz(arrays: Mapping[str, np.ndarray], to_undirected: bool) -> Data:
    """What `torch_geometric.io.npz.parse_npz` makes of the arrays, with sparse features: positive ones become 1.

    Shapes:
        arrays: `attr_*` and `adj_*` hold the parts of CSR matrices, (N, F) and (N, N); `labels`, (N,)
        x: (N, F) sparse CSR; edge_index: (2, E); y: (N,)
    """
    parts = [arrays[f"attr_{part}"] for part in ("data", "indices", "indptr")]
    features = sp.csr_array(tuple(parts), shape=tuple(arrays["attr_shape"]))
    features.sum_duplicates()
    features.data[features.data > 0] = 1
    # Edges and labels as the class reads them, beside one column of zeros.
    no_features = {
        "attr_data": np.zeros(0, dtype=np.float32),
        "attr_indices": np.zeros(0, dtype=np.int32),
        "attr_indptr": np.zeros(features.shape[0] + 1, dtype=np.int32),
        "attr_shape": np.array([features.shape[0], 1]),
    }
    data = parse_npz({**arrays, **no_features}, to_undirected=to_undirected)
    data.x = _kept(features)
    return data


def _kept(features: sp.csr_array) -> Tensor:
    features.eliminate_zeros()
    return sparse_tensor(features)
