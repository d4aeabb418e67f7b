"""How the features of a graph lie in memory: dense, or by their non-zeros (torch's compressed sparse rows)."""

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from gnnmc.registry import Registry
from gnnmc.sparse import compressed_rows

# Up to this size dense features are the faster ones and fit everywhere.
DENSE_BYTES = 256 * 2**20
# A sparse non-zero costs 12 bytes and more arithmetic: from this share of non-zeros on, dense is better, in memory and
# in a store.
SPARSE_BELOW = 0.25

LAYOUTS: Registry[Callable[[Tensor], Tensor]] = Registry("layout")


@LAYOUTS.register("auto")
def auto(x: Tensor) -> Tensor:
    """Dense up to 256 MiB as float32; above that by its non-zeros where less than a quarter is non-zero.

    Shapes: (N, F) → (N, F)
    """
    fits = 4 * x.numel() <= DENSE_BYTES
    return dense(x) if fits or num_nonzero(x) >= SPARSE_BELOW * x.numel() else sparse(x)


@LAYOUTS.register("dense")
def dense(x: Tensor) -> Tensor:
    """All entries.

    Shapes: (N, F) → (N, F)
    """
    return x if x.layout == torch.strided else x.to_dense()


@LAYOUTS.register("sparse")
def sparse(x: Tensor) -> Tensor:
    """The non-zeros: `torch.sparse_csr`, which `torch.nn.functional.linear` takes and differentiates through.

    Shapes: (N, F) → (N, F)
    """
    return x if x.layout == torch.sparse_csr else sparse_tensor(sp.csr_array(x.numpy()))


def num_nonzero(x: Tensor) -> int:
    """Entries that are not zero; of a sparse tensor, those that are stored."""
    return int(x.count_nonzero()) if x.layout == torch.strided else x.values().numel()


def with_values(x: Tensor, values: Tensor) -> Tensor:
    """A sparse tensor with the non-zeros of `x` at their places replaced.

    Shapes:
        x: (N, F) sparse CSR; values: (Z,)
    """
    return compressed_rows(x.crow_indices(), x.col_indices(), values, tuple(x.shape), checked=True)


def sparse_tensor(matrix: sp.csr_array) -> Tensor:
    """A scipy matrix as a float32 tensor of compressed rows, columns ascending.

    Shapes: (N, F) → (N, F)
    """
    matrix.sort_indices()
    rows, columns = (torch.from_numpy(part.astype(np.int64)) for part in (matrix.indptr, matrix.indices))
    values = torch.from_numpy(matrix.data.astype(np.float32))
    return compressed_rows(rows, columns, values, matrix.shape, checked=True)
