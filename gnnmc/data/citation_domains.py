"""ACMv9, Citationv1 and DBLPv7, a data set class that torch_geometric lacks."""

from typing import Any

import numpy as np
import scipy.io
import scipy.sparse as sp
import torch
from torch_geometric.data import Data, InMemoryDataset, download_url
from torch_geometric.utils import from_scipy_sparse_matrix, remove_self_loops

from gnnmc.data.layout import sparse_tensor


class CitationDomain(InMemoryDataset):
    """Papers of one of three libraries: 6,775 words, five fields, of which a few papers have two.

    The files are those of Shen et al. 2020 (arXiv 2002.07366). `y` is the first field of a paper, `y_multi`
    (N, 5) marks all. Citations go both ways, as stored; self-loops are left out.
    """

    url = "https://raw.githubusercontent.com/shenxiaocam/ACDNE/master/ACDNE_codes/input"

    def __init__(self, root: str, name: str) -> None:
        self.name = name
        super().__init__(root)
        self.load(self.processed_paths[0])

    @property
    def raw_dir(self) -> str:
        return self.root

    @property
    def raw_file_names(self) -> str:
        return f"{self.name}.mat"

    @property
    def processed_file_names(self) -> str:
        return f"{self.name}.pt"

    def download(self) -> None:
        download_url(f"{self.url}/{self.name}.mat", self.raw_dir)

    def process(self) -> None:
        stored: dict[str, Any] = scipy.io.loadmat(self.raw_paths[0])
        edge_index, _ = remove_self_loops(from_scipy_sparse_matrix(sp.csr_matrix(stored["network"]))[0])
        fields = torch.from_numpy(stored["group"].astype("int64"))
        data = Data(
            x=sparse_tensor(sp.csr_array(np.ascontiguousarray(stored["attrb"]))),
            edge_index=edge_index.long(),
            y=fields.argmax(dim=1),
            y_multi=fields,
        )
        self.save([data], self.processed_paths[0])
