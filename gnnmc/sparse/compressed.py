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
    return torch.sparse_csr_tensor(starts, columns, values, size=shape, check_invariants=checked)


with warnings.catch_warnings():
    # torch says once per process that its compressed rows are in beta, which is known here.
    warnings.simplefilter("ignore")
    compressed_rows(
        torch.zeros(1, dtype=torch.long), torch.zeros(0, dtype=torch.long), torch.zeros(0), (0, 0), checked=True
    )
