"""Norms of the weights."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from gnnmc.measures.measure import MEASURES, Measure, Measured

_NORMS = "Neyshabur et al. 2015; Bartlett et al. 2017; Jiang et al. 2020, appendix C"


def weight_matrices(at: Measured) -> Iterator[Tensor]:
    """Every trained parameter of two axes or more, as the matrix (first axis, all others), in double precision."""
    for value in at.trained.values():
        if value.dim() >= 2 and min(value.shape) > 0:
            yield value.reshape(len(value), -1).cpu().double()


def _frobenius(at: Measured) -> float:
    return math.sqrt(sum(float(value.square().sum()) for value in weight_matrices(at)))


def _log_spectral_product(at: Measured) -> float:
    """Σ 2·log σ_max over the weight matrices: the logarithm of the product of their squared spectral norms."""
    largest = [float(torch.linalg.matrix_norm(value, 2)) for value in weight_matrices(at)]
    return sum(2 * math.log(value) for value in largest) if largest and min(largest) > 0 else float("nan")


MEASURES.add("frobenius", Measure(_frobenius, 1, "Frobenius norm of the weight matrices", "1", _NORMS))
MEASURES.add(
    "log_spectral_product",
    Measure(_log_spectral_product, 1, "log of the product of squared spectral norms", "nats", _NORMS),
)
