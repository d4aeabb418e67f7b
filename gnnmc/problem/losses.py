"""Losses per item, by name."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from gnnmc.registry import Registry

# What targets may be: class numbers (N,), zeros and ones (N, T) with NaN where unknown, or real numbers (N, …).
CLASSES, BINARY, NUMBERS = "classification", "binary", "regression"


@dataclass(frozen=True)
class Loss:
    """A loss per item: `(n, …)` outputs and `(n, …)` targets → `(n,)`, in `unit`; or a scalar for all of them.

    targets: the kind of targets it is for; None: whatever the user's own function takes.
    many: the mean loss of many outputs at once, `(T, n, …)` and targets, of all or `(T, n, …)` → `(T,)`, where there is
    a faster way.
    """

    per_item: Callable[[Tensor, Tensor], Tensor]
    unit: str
    targets: str | None = None
    many: Callable[[Tensor, Tensor], Tensor] | None = None

    @property
    def classification(self) -> bool:
        """Whether outputs have one column for each class."""
        return self.targets == CLASSES

    def means(self, outputs: Tensor, targets: Tensor, *, each: bool = False) -> Tensor:
        """The mean loss of each of many outputs. each: on targets of its own.

        Shapes: (T, n, …), (n, …) or (T, n, …) → (T,).
        """
        if self.many is not None:
            return self.many(outputs, targets)
        pairs = zip(outputs, targets if each else [targets] * len(outputs), strict=True)
        return torch.stack([self.per_item(one, wanted).mean() for one, wanted in pairs])


LOSSES: Registry[Loss] = Registry("loss")


def _cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    return functional.cross_entropy(outputs, targets, reduction="none")


def _cross_entropies(outputs: Tensor, targets: Tensor) -> Tensor:
    # Classes first: a softmax over a short last axis is twenty times slower.
    likelihoods = functional.log_softmax(outputs.permute(2, 0, 1).contiguous(), dim=0)
    wanted = targets.expand(1, *outputs.shape[:2])
    return -likelihoods.gather(0, wanted)[0].mean(1)


def _binary_cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    """Mean over the tasks whose label is known; every item counts the same, however many that are."""
    known = ~targets.isnan()
    entropy = functional.binary_cross_entropy_with_logits(outputs, targets.nan_to_num(), reduction="none")
    return (entropy * known).sum(1) / known.sum(1)


def _squared_error(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs.reshape(targets.shape) - targets).square().reshape(len(targets), -1).mean(1)


LOSSES.add("cross_entropy", Loss(_cross_entropy, "nats per labeled item", CLASSES, _cross_entropies))
LOSSES.add("binary_cross_entropy", Loss(_binary_cross_entropy, "nats per known label", BINARY))
LOSSES.add("squared_error", Loss(_squared_error, "squared units of the target", NUMBERS))
