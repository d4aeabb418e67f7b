"""Training losses of K models and their gradients, step after step, as the weights change where they are."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from gnnmc.engine.repeated import Repeated
from gnnmc.engine.together import Together

# Losses (K,) → what is to be minimized, a scalar.
Objective = Callable[[Tensor], Tensor]


class Gradients:
    """Puts the gradient of the objective in `grad` of every leaf, and what the forward left in the buffers.

    weights: name → (K, …), tensors that stay the same while their numbers change. leaves: those of them that are to
    have gradients, zero where none arrives. generators: one for each model's own random numbers. objective: the sum of
    the losses, by default.
    """

    def __init__(
        self,
        together: Together,
        weights: Mapping[str, Tensor],
        leaves: Sequence[Tensor],
        generators: Sequence[torch.Generator],
        objective: Objective = torch.sum,
    ) -> None:
        self._together, self._weights, self._objective = together, weights, objective
        self._leaves, self._generators = leaves, generators
        self._steps: dict[int | None, _Step] = {}

    def __call__(self, items: Tensor | None) -> Tensor:
        """The losses, in memory of their own. Shapes: items (K, n) as `Together.losses` → (K,)."""
        size = None if items is None else items.shape[1]
        if size not in self._steps:
            self._steps[size] = _Step(self, items)
        return self._steps[size](items)


class _Step:
    """A step on so many items."""

    def __init__(self, of: Gradients, items: Tensor | None) -> None:
        self._of = of
        self._items = None if items is None else items.clone()
        self._updated: list[str] = []
        inputs = [*of._weights.values(), *([] if self._items is None else [self._items])]
        self._repeated = Repeated(self._compute, inputs, of._generators)

    def __call__(self, items: Tensor | None) -> Tensor:
        if self._items is not None and items is not None:
            self._items.copy_(items)
        losses, *rest = self._repeated()
        leaves = self._of._leaves
        for leaf, gradient in zip(leaves, rest, strict=False):
            leaf.grad = gradient
        for name, left in zip(self._updated, rest[len(leaves) :], strict=True):
            self._of._weights[name].copy_(left)
        return losses.clone()

    def _compute(self) -> list[Tensor]:
        of = self._of
        losses, buffers = of._together.losses(of._weights, self._items, of._generators)
        found = torch.autograd.grad(of._objective(losses), of._leaves, allow_unused=True)
        gradients = [_like(leaf, one) for leaf, one in zip(of._leaves, found, strict=True)]
        self._updated = list(buffers)
        return [losses.detach(), *gradients, *(left.detach() for left in buffers.values())]


def _like(leaf: Tensor, gradient: Tensor | None) -> Tensor:
    """The gradient in the leaf's own order in memory: fused optimizers go through both number by number."""
    if gradient is None:  # through items of other splits alone: nothing, but weight decay acts on the leaf
        return torch.zeros_like(leaf)
    return gradient if gradient.stride() == leaf.stride() else torch.empty_like(leaf).copy_(gradient)
