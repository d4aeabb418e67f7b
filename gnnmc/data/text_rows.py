"""WebKB and WikipediaNetwork read row by row: their classes hold every word of every page as a Python number."""

import warnings
from pathlib import Path

import numpy as np
import scipy.sparse as sp
import torch
from torch_geometric.data import Data, InMemoryDataset
from torch_geometric.datasets import WebKB, WikipediaNetwork
from torch_geometric.utils import coalesce

from gnnmc.data.layout import sparse_tensor


class _TextRows(InMemoryDataset):
    """What is put before a class that reads geom-gcn's text files: the same graph, with sparse features.

    Squirrel's 22 MB of text take 0.6 GB as Python numbers.
    """

    def process(self) -> None:
        table, edges, *folds = (Path(path) for path in self.raw_paths)
        features, labels = read_rows(table)
        edge_index = torch.from_numpy(np.loadtxt(edges, dtype=np.int64, delimiter="\t", skiprows=1, ndmin=2).T.copy())
        data = Data(
            x=sparse_tensor(features),
            edge_index=coalesce(edge_index, num_nodes=len(labels)),
            y=torch.tensor(labels),
        )
        for mask in ("train_mask", "val_mask", "test_mask"):
            data[mask] = torch.stack([_mask(fold, mask) for fold in folds], dim=1)
        self.save([data], self.processed_paths[0])


class TextWebKB(_TextRows, WebKB):
    """`WebKB` with sparse features."""


class TextWikipediaNetwork(_TextRows, WikipediaNetwork):
    """`WikipediaNetwork` as geom-gcn has it, with sparse features."""


def read_rows(path: Path) -> tuple[sp.csr_array, list[int]]:
    """Features and labels of all nodes, from a line of names and lines `number, tab, features by commas, tab, label`.

    Shapes: features (N, F); labels N

    Raises ValueError for a line that is not of this form or has another number of features than the first.
    """
    columns, values, ends, labels, width = [], [], [0], [], None
    with path.open() as file:
        next(file)
        for line in file:
            _, text, label = line.split("\t")
            row = _numbers(text)
            width = len(row) if width is None else width
            if len(row) != width:
                raise ValueError(f"{len(row)} features of a node, {width} of those before")
            columns.append(np.flatnonzero(row))
            values.append(row[columns[-1]])
            ends.append(ends[-1] + len(columns[-1]))
            labels.append(int(label))
    if width is None:
        raise ValueError("no node")
    return sp.csr_array((np.concatenate(values), np.concatenate(columns), ends), shape=(len(labels), width)), labels


def _numbers(text: str) -> np.ndarray:
    with warnings.catch_warnings():
        # Where the text is no number numpy stops, and warns in some versions and raises in others.
        warnings.simplefilter("ignore", DeprecationWarning)
        values = np.fromstring(text, dtype=np.float32, sep=",")
    if len(values) != text.count(",") + 1:
        raise ValueError(f"not a number after {len(values)} features")
    return values


def _mask(path: Path, name: str) -> torch.Tensor:
    with np.load(path) as file:
        return torch.from_numpy(file[name]).bool()
