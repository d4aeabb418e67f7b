"""LINKX's social networks with sparse features; the one pickle among them is read without running what it says."""

import codecs
import pickle
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import scipy.io
import scipy.sparse as sp
import torch
from torch_geometric.data import Data
from torch_geometric.datasets import LINKXDataset

from gnnmc.data.layout import sparse_tensor

_RECONSTRUCT = np.zeros(0).__reduce__()[0]


class SparseLINKX(LINKXDataset):
    """`LINKXDataset`; the one-hot columns of Penn94 alone would take 0.8 GB dense, and twice that on the way."""

    def _process_facebook(self) -> Data:
        stored = scipy.io.loadmat(self.raw_paths[0])
        links = sp.coo_array(sp.csr_array(stored["A"]))
        edge_index = torch.stack([torch.from_numpy(part).long() for part in (links.row, links.col)])
        table = stored["local_info"].astype("int64")
        # Column 1 is the gender, 1 or 2, 0 where unknown; every value of every other column becomes a feature.
        data = Data(
            x=sparse_tensor(one_hot_columns(np.delete(table, 1, axis=1))),
            edge_index=edge_index,
            y=torch.from_numpy(table[:, 1] - 1),
        )
        if self.name in self.splits:
            folds = read_object_array(Path(self.raw_paths[1]))
            for mask, part in (("train_mask", "train"), ("val_mask", "valid"), ("test_mask", "test")):
                data[mask] = torch.zeros(len(table), len(folds), dtype=torch.bool)
                for fold, split in enumerate(folds):
                    data[mask][torch.from_numpy(np.asarray(split[part])), fold] = True
        return data


def one_hot_columns(table: np.ndarray) -> sp.csr_array:
    """One column for every value of every column, in ascending order.

    Shapes: (N, K) integers → (N, number of values)
    """
    codes, start = [], 0
    for column in table.T:
        values, code = np.unique(column, return_inverse=True)
        codes.append(code + start)
        start += len(values)
    columns = np.stack(codes, axis=1)
    rows = np.arange(0, columns.size + 1, columns.shape[1])
    return sp.csr_array((np.ones(columns.size, dtype=np.float32), columns.ravel(), rows), shape=(len(table), start))


def read_object_array(path: Path) -> Any:
    """A one-dimensional .npy array of dicts of arrays, which is a pickle; anything but arrays in it is refused.

    Raises pickle.UnpicklingError or ValueError for anything else.
    """
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        read_header(file)
        return _ArraysOnly(file).load()


class _ArraysOnly(pickle.Unpickler):
    """Knows what numpy needs to rebuild an array and nothing else: a pickle can only run what it can name."""

    # What an array's pickle names, under the names that numpy gave it before and since its version 2.
    known: ClassVar[dict[tuple[str, str], Any]] = {
        ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
        ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("_codecs", "encode"): codecs.encode,
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.known:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is no part of an array")
        return self.known[module, name]
