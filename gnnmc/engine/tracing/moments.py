"""BatchNorm in training, with what it leaves in its running statistics as results."""

from torch import Tensor
from torch.nn import functional


def learned_batch_norm(
    x: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor,
    running_var: Tensor,
    training: bool,
    momentum: float,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Outputs, and the running mean and variance after them. Shapes: x (N, C, …), the others (C,)."""
    mean, variance = running_mean.clone(), running_var.clone()
    return functional.batch_norm(x, mean, variance, weight, bias, training, momentum, eps), mean, variance
