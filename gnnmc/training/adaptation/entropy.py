"""How undecided a model is."""

from torch import Tensor
from torch.nn import functional


def mean_entropy(outputs: Tensor) -> Tensor:
    """The mean entropy of the predicted classes, in nats. Shapes: (n, C) → a scalar."""
    logs = functional.log_softmax(outputs, dim=-1)
    return -(logs.exp() * logs).sum(dim=-1).mean()
