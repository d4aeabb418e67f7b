"""Inverted dropout, fast on a CPU and for sparse features too."""

from typing import overload

import torch
from torch import Tensor

from gnnmc.sparse import SparseMatrix


@overload
def dropout(x: Tensor, probability: float, training: bool) -> Tensor: ...
@overload
def dropout(x: SparseMatrix, probability: float, training: bool) -> SparseMatrix: ...
def dropout(x: Tensor | SparseMatrix, probability: float, training: bool) -> Tensor | SparseMatrix:
    """Inverted dropout, as `torch.nn.functional.dropout`, from uniform numbers: on a CPU several times faster.

    Of a sparse x the stored values are dropped, which is the same in law: zeros stay zeros.
    """
    if not training or probability == 0:
        return x
    if isinstance(x, SparseMatrix):
        return x.with_values(dropout(x.values, probability, training))
    return x * torch.rand_like(x).ge_(probability).mul_(1 / (1 - probability))
