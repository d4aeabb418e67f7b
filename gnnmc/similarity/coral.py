"""CORAL: how far the covariances of two samples are apart."""

import scipy.sparse as sp
import torch
from torch import Tensor

from gnnmc.similarity.samples import require_samples, sparse_rows

# Columns of a covariance that are held at a time, in entries.
_BLOCK = 2**25


def coral(first: Tensor, second: Tensor) -> Tensor:
    """‖C₁ − C₂‖²_F / 4F², C the covariances of the features, divided by n − 1; a scalar tensor.

    In the fourth power of the features' unit. Differentiable in both samples, where they are dense. Sparse samples are
    multiplied as such.

    Shapes:
        first: (n, F); second: (m, F), dense or sparse

    Raises InputError: samples that are not as above, fewer than 2 rows.

    Source: Sun and Saenko 2016, equations 1 to 3 (arXiv 1607.01719).
    """
    first, second = require_samples(first, second, least=2, sparse=True)
    width = first.shape[1]
    if any(rows.layout != torch.strided for rows in (first, second)):
        return _of_sparse(sparse_rows(first), sparse_rows(second)).to(first) / (4 * max(width, 1) ** 2)
    step = max(1, _BLOCK // max(width, 1))
    centered = [rows - rows.mean(dim=0) for rows in (first, second)]
    total = torch.zeros((), dtype=first.dtype, device=first.device)
    for start in range(0, width, step):
        one, other = (rows.T @ rows[:, start : start + step] / (len(rows) - 1) for rows in centered)
        total = total + (one - other).square().sum()
    return total / (4 * max(width, 1) ** 2)


def _of_sparse(first: sp.csr_array, second: sp.csr_array) -> Tensor:
    """‖C₁ − C₂‖²_F. A centered sparse matrix would not be sparse: C = S − w·μμᵀ with S = XᵀX/(n−1), w = n/(n−1)."""
    counts = [rows.shape[0] for rows in (first, second)]
    one, other = (rows.T @ rows / (count - 1) for rows, count in zip((first, second), counts))
    mean, other_mean = (rows.mean(axis=0) for rows in (first, second))
    weight, other_weight = (count / (count - 1) for count in counts)
    difference = one - other
    lowered = weight * (mean @ (difference @ mean)) - other_weight * (other_mean @ (difference @ other_mean))
    outer = (
        (weight * (mean @ mean)) ** 2
        + (other_weight * (other_mean @ other_mean)) ** 2
        - 2 * weight * other_weight * (mean @ other_mean) ** 2
    )
    total = float(difference.power(2).sum() - 2 * lowered + outer)
    return torch.tensor(max(total, 0.0), dtype=torch.float64)
