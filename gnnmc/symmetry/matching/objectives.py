"""What descent lowers, for K pairs at once: the training loss between a and the moved b, or their distance."""

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor

from gnnmc.engine import (
    MEMORY,
    Gradients,
    ModelFunction,
    NotTraceable,
    Together,
    TrainingForward,
    all_places,
    attempt,
    places_at_once,
    stacked_weights,
)
from gnnmc.seeding import device_generator, forked
from gnnmc.symmetry.matching.match import Found, Match
from gnnmc.training import BatchOrder
from gnnmc.weights import Weights

Moved = Sequence[Weights]


class Objective(Protocol):
    """Of K pairs, given what b was moved to in each.

    Shapes: K dicts → values (K,), and K dicts of gradients at what was moved, of the parameters that have one.
    """

    def __call__(self, moved: Moved, t: float) -> tuple[Tensor, list[dict[str, Tensor]]]:
        """Values at (1−t)·a + t·moved and their gradients, on the items of the next step."""

    def score(self, moved: Moved) -> Tensor:
        """What elements are compared by: at t = ½, on all items of the train split."""


# (numbers of the pairs, their objective) → what was found
Find = Callable[[Sequence[int], Objective], list[Found]]


def by_loss(match: Match, find: Find, batch: int | None, seed: int) -> list[Found]:
    """What `find` gives for all pairs, as many at once as the model and the memory allow.

    The loss is that of training with dropout off: BatchNorm takes the statistics of the items, as it does where they
    are estimated anew at every point of a path. batch: items of the train split in a step, all if None.
    """
    function, pairs = match.model.function, match.pairs

    def order() -> BatchOrder:
        return BatchOrder(function.problem.splits["train"], batch, "matching", "order", seed)

    def jointly() -> list[Found]:
        some = [weights for pair in pairs for weights in pair][:2]
        forward = TrainingForward(function, some[0], all_items=order().per_epoch == 1, dropout=False)
        together = Together([forward], [some])
        if not together.reached:
            raise NotTraceable("no parameter receives a gradient")

        def work(places: Sequence[int]) -> list[Found]:
            return find(places, _Jointly(function, together, [pairs[k][0] for k in places], order()))

        at_once = places_at_once(together, [len(pairs)], MEMORY)
        return all_places(work, "matching {count} pairs", together, [len(pairs)], at_once)[0][0]

    def in_turn() -> list[Found]:
        return [find([k], _Alone(function, a, order()))[0] for k, (a, _) in enumerate(pairs)]

    return attempt(jointly, in_turn, "one pair after another", lambda made: None) if pairs else []


def by_distance(match: Match, find: Find) -> list[Found]:
    """What `find` gives for all pairs, by ‖a − moved‖² over the tensors that count."""
    places = range(len(match.pairs))
    return find(places, _Distances([match.pairs[k][0] for k in places], match.counted)) if match.pairs else []


class _Jointly:
    """Losses of the recorded forward, all pairs in one."""

    def __init__(self, function: ModelFunction, together: Together, ends: Moved, order: BatchOrder) -> None:
        self._together, self._order = together, order
        self._ends = stacked_weights(ends, together.trace.inputs)
        self._at = {name: value.clone() for name, value in self._ends.items()}
        self._names = [name for name in function.parameter_names if name in self._at]
        for name in self._names:
            self._at[name].requires_grad_()
        self._generators = [device_generator("matching", "draws", device=function.device) for _ in ends]
        leaves = [self._at[name] for name in self._names]
        self._gradients = Gradients(together, self._at, leaves, self._generators)

    def __call__(self, moved: Moved, t: float) -> tuple[Tensor, list[dict[str, Tensor]]]:
        self._go_to(moved, t)
        items = None if self._order.per_epoch == 1 else self._order.next().repeat(len(moved), 1)
        losses = self._gradients(items)
        found = {name: self._at[name].grad for name in self._names}
        return losses, [{n: t * g[k] for n, g in found.items() if g is not None} for k in range(len(moved))]

    def score(self, moved: Moved) -> Tensor:
        self._go_to(moved, 0.5)
        # Not without gradients: then some operations give other results than those that were recorded.
        return self._together.losses(self._at, None, self._generators)[0].detach()

    @torch.no_grad()
    def _go_to(self, moved: Moved, t: float) -> None:
        for name, value in self._at.items():
            ends = self._ends[name]
            if ends.is_floating_point():
                value.copy_(ends.lerp(torch.stack([one[name] for one in moved]).to(ends), t))


class _Alone:
    """The loss of one pair, as torch has it."""

    def __init__(self, function: ModelFunction, end: Weights, order: BatchOrder) -> None:
        self._function, self._end, self._order = function, end, order

    def __call__(self, moved: Moved, t: float) -> tuple[Tensor, list[dict[str, Tensor]]]:
        at = self._between(moved[0], t)
        names = [name for name in self._function.parameter_names if name not in self._function.tied]
        leaves = [at[name].requires_grad_() for name in names]
        loss = self._loss(at, self._order.next())
        found = torch.autograd.grad(loss, leaves, allow_unused=True)
        gradients = {name: t * g for name, g in zip(names, found, strict=True) if g is not None}
        return loss.detach()[None], [gradients]

    @torch.no_grad()
    def score(self, moved: Moved) -> Tensor:
        return self._loss(self._between(moved[0], 0.5), self._order.index)[None]

    def _loss(self, weights: Weights, items: Tensor) -> Tensor:
        # A model that draws in its forward draws the same for every element.
        with forked("matching", "draws", device=self._function.device):
            return self._function.loss(weights, items, training=True, dropout=False)

    @torch.no_grad()
    def _between(self, moved: Weights, t: float) -> dict[str, Tensor]:
        return {
            name: end.lerp(moved[name].to(end), t) if end.is_floating_point() else end
            for name, end in self._end.items()
        }


class _Distances:
    """Squared distances."""

    def __init__(self, ends: Moved, counted: Sequence[str]) -> None:
        self._ends, self._counted = ends, counted

    def __call__(self, moved: Moved, t: float) -> tuple[Tensor, list[dict[str, Tensor]]]:
        gradients = [
            {name: 2 * (one[name].detach() - end[name]) for name in self._counted}
            for one, end in zip(moved, self._ends, strict=True)
        ]
        return self.score(moved), gradients

    @torch.no_grad()
    def score(self, moved: Moved) -> Tensor:
        squares = [
            torch.stack([(one[name].double() - end[name].double()).square().sum() for name in self._counted]).sum()
            for one, end in zip(moved, self._ends, strict=True)
        ]
        return torch.stack(squares)
