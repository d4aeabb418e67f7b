"""Inverted dropout, fast on a CPU and for sparse features too."""

import torch
from torch import Tensor


def dropout(x: Tensor, probability: float, training: bool) -> Tensor:
    """Inverted dropout, as `torch.nn.functional.dropout`, from uniform numbers: on a CPU several times faster.

    Of a sparse x the stored values are dropped, which is the same in law: zeros stay zeros.
    """
    if not training or probability == 0:
        return x
    if x.layout == torch.sparse_csr:
        values = dropout(x.values(), probability, training)
        return torch.sparse_csr_tensor(
            x.crow_indices(), x.col_indices(), values, x.shape, dtype=x.dtype, check_invariants=False
        )
    return x * torch.rand_like(x).ge_(probability).mul_(1 / (1 - probability))
