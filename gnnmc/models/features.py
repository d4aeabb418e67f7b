"""The features of nodes as the first layer takes them: sparse where they are mostly zeros."""

import torch
from torch import Tensor
from torch._C._functorch import is_functorch_wrapped_tensor  # torch.func has no word for it
from torch.utils.weak import WeakTensorKeyDictionary

from gnnmc.sparse import SparseMatrix, Structure, row_starts

# Up to this share of nonzeros a sparse product with the weights is no slower than a dense one; at a tenth of it, with
# dropout, six to fifteen times faster (medians on one CPU core: benchmarks/sparse_features.py).
_SPARSE_BELOW = 0.15
# Smaller features are multiplied faster than looked at.
_LEAST = 2**17


class PreparedFeatures:
    """Features as dense or as sparse matrix, whichever multiplies faster, remembered for as long as the tensor lives.

    Dense features are looked at on a CPU alone: an accelerator does the arithmetic with zeros in less time than one
    more launch takes, and what did fit there as a dense matrix need not be made smaller. Neither numbers nor random
    draws depend on what is remembered, so a copy of it remembers nothing, and it is no part of a state_dict.
    """

    def __init__(self) -> None:
        # Recognized by identity, never by size, and dropped with the tensor.
        self._known = WeakTensorKeyDictionary()

    def __reduce__(self) -> tuple[type["PreparedFeatures"], tuple[()]]:
        return PreparedFeatures, ()

    def __call__(self, x: Tensor) -> Tensor | SparseMatrix:
        """Shapes: x (N, F), strided or torch.sparse_csr."""
        if x.layout == torch.strided and not _worth_a_look(x):
            return x
        version, known = self._known.get(x, (None, None))
        if version != x._version:
            known = _prepared(x)
            self._known[x] = x._version, known
        return x if known is None else known


def _worth_a_look(x: Tensor) -> bool:
    constant = not x.requires_grad and not is_functorch_wrapped_tensor(x)
    return constant and x.device.type == "cpu" and x.dim() == 2 and x.numel() >= _LEAST and x.is_floating_point()


def _prepared(x: Tensor) -> Tensor | SparseMatrix | None:
    """None: as it is."""
    is_sparse = x.layout != torch.strided
    entries = len(x.values()) if is_sparse else int(torch.count_nonzero(x))
    if entries >= _SPARSE_BELOW * x.numel():
        return x.to_dense() if is_sparse else None
    if is_sparse:
        return SparseMatrix.of(x)
    rows, columns = x.nonzero().unbind(1)
    structure = Structure(row_starts(rows, len(x)), columns, (x.shape[0], x.shape[1]))
    return SparseMatrix(structure, x[rows, columns])
