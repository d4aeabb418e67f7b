"""Which labeled items each optimizer step sees."""

import torch
from torch import Tensor

from gnnmc.seeding import torch_generator


class BatchOrder:
    """Mini-batches of a split: every item once per epoch, shuffled anew for every epoch on a stream of its own.

    The stream is named by values and lies beside the global generator: what a model draws changes no order.
    A last batch of a single item joins the one before, since BatchNorm can learn nothing of one item. Where that leaves
    one batch, or none is asked for, every step sees all items in the order of the split.

    Shapes: index (n,).
    """

    def __init__(self, index: Tensor, batch_size: int | None, *stream: object) -> None:
        self.index = index
        self._size = len(index) if batch_size is None else min(batch_size, len(index))
        self._generator = torch_generator(*stream)
        self._waiting: list[Tensor] = []
        self.per_epoch = len(self._split(index))

    @property
    def epoch_done(self) -> bool:
        """Whether every item was seen as often as every other."""
        return not self._waiting

    def next(self) -> Tensor:
        """The items of the next step `(b,)`."""
        if not self._waiting:
            self._waiting = self._shuffled(self.index)
        return self._waiting.pop(0)

    def moved_to(self, *stream: object) -> "BatchOrder":
        """The same place in the same epoch; what is left of it, and all later epochs, shuffled on another stream."""
        other = BatchOrder(self.index, self._size, *stream)
        if self._waiting:
            other._waiting = other._shuffled(torch.cat(self._waiting))
        return other

    def _shuffled(self, index: Tensor) -> list[Tensor]:
        if self.per_epoch == 1:
            return [index]
        return self._split(index[torch.randperm(len(index), generator=self._generator).to(index.device)])

    def _split(self, index: Tensor) -> list[Tensor]:
        parts = list(index.split(self._size))
        if len(parts) > 1 and len(parts[-1]) == 1 < self._size:
            parts[-2:] = [torch.cat(parts[-2:])]
        return parts
