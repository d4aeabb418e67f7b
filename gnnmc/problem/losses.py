"""Losses per item, by name."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from gnnmc.registry import Registry

# What targets may be: class numbers (N,), zeros and ones (N, T) with NaN where unknown, or real numbers (N, …).
CLASSES, BINARY, NUMBERS = "classification", "binary", "regression"


@dataclass(frozen=True)
class Loss:
    """A loss per item: `(n, …)` outputs and `(n, …)` targets → `(n,)`, in `unit`; or a scalar for all of them.

    targets: the kind of targets it is for; None: whatever the user's own function takes.
    """

    per_item: Callable[[Tensor, Tensor], Tensor]
    unit: str
    targets: str | None = None

    @property
    def classification(self) -> bool:
        """Whether outputs have one column for each class."""
        return self.targets == CLASSES


LOSSES: Registry[Loss] = Registry("loss")


def _cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    return functional.cross_entropy(outputs, targets, reduction="none")


def _binary_cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    """Mean over the tasks whose label is known; every item counts the same, however many that are."""
    known = ~targets.isnan()
    entropy = functional.binary_cross_entropy_with_logits(outputs, targets.nan_to_num(), reduction="none")
    return (entropy * known).sum(1) / known.sum(1)


def _squared_error(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs.reshape(targets.shape) - targets).square().reshape(len(targets), -1).mean(1)


LOSSES.add("cross_entropy", Loss(_cross_entropy, "nats per labeled item", CLASSES))
LOSSES.add("binary_cross_entropy", Loss(_binary_cross_entropy, "nats per known label", BINARY))
LOSSES.add("squared_error", Loss(_squared_error, "squared units of the target", NUMBERS))
