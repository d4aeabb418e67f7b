"""Matrices by their non-zeros, as torch's compressed sparse rows."""

import warnings

import torch
from torch import Tensor


def compressed_rows(
    starts: Tensor, columns: Tensor, values: Tensor, shape: tuple[int, ...], *, checked: bool
) -> Tensor:
    """A `torch.sparse_csr` tensor; `checked`: whether torch looks if the indices are those of such a matrix.

    Shapes: starts (M + 1,) first entry of every row, columns (Z,) ascending in every row, values (Z,) → (M, K).
    """
    with warnings.catch_warnings():
        # torch says once per process that CSR is in beta and that invariants are not checked: both are known here.
        warnings.simplefilter("ignore")
        return torch.sparse_csr_tensor(starts, columns, values, size=shape, check_invariants=checked)
