"""Losses per item, by name."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from gnnmc.registry import Registry

# What targets may be: class numbers (N,), or (N, L) of the positions of an item; zeros and ones (N, T) with NaN where
# unknown; or real numbers (N, …).
CLASSES, BINARY, NUMBERS = "classification", "binary", "regression"


@dataclass(frozen=True)
class Loss:
    """A loss per item: `(n, …)` outputs and `(n, …)` targets → `(n,)`, in `unit`; or a scalar for all of them.

    targets: the kind of targets it is for; None: whatever the user's own function takes.
    many: the same of many outputs at once, `(T, C, n)` with items last and targets, `(n,)` or `(T, n)` → `(T, n)`,
    where there is a faster way; the positions of an item count as items there.
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
            return self.many(items_last(outputs), targets.flatten(1) if each else targets.flatten()).mean(1)
        pairs = zip(outputs, targets if each else [targets] * len(outputs), strict=True)
        return torch.stack([self.per_item(one, wanted).mean() for one, wanted in pairs])


LOSSES: Registry[Loss] = Registry("loss")


def _cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    """Of an item with several positions the mean over them."""
    if targets.dim() == 1:
        return functional.cross_entropy(outputs, targets, reduction="none")
    entropies = functional.cross_entropy(outputs.flatten(0, -2), targets.flatten(), reduction="none")
    return entropies.reshape(len(targets), -1).mean(1)


def _cross_entropies(outputs: Tensor, targets: Tensor) -> Tensor:
    return -of_target(functional.log_softmax(outputs, dim=1), targets)


def items_last(outputs: Tensor) -> Tensor:
    """Softmax, and the largest of few classes, are many times faster along an axis that is not the last in memory.

    Shapes: (T, n, C) → (T, C, n), contiguous; positions between n and C are as many more items.
    """
    outputs = outputs.flatten(1, -2)
    items_first = outputs.movedim(1, 0)
    if items_first.is_contiguous():
        # Of two axes torch turns blocks in cache; of three it does not.
        return items_first.flatten(1).t().contiguous().unflatten(0, outputs.shape[::2])
    return outputs.movedim(1, 2).contiguous()


def of_target(values: Tensor, targets: Tensor) -> Tensor:
    """The value of every item's own class. Shapes: (T, C, n), (n,) or (T, n) → (T, n)."""
    return values.gather(1, targets.expand(len(values), -1).unsqueeze(1)).squeeze(1)


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
