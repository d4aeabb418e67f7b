"""Descent over elements: latent numbers that stand for them go down the gradient of an objective of the moved b."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gnnmc.errors import InputError
from gnnmc.seeding import numpy_generator, torch_generator
from gnnmc.symmetry.element import Element
from gnnmc.symmetry.matching.composing import composed
from gnnmc.symmetry.matching.latents import Latents
from gnnmc.symmetry.matching.match import Found, Match
from gnnmc.symmetry.matching.objectives import Objective, by_distance, by_loss
from gnnmc.symmetry.matching.relaxed import moving_names
from gnnmc.symmetry.matching.start import Best, Start, starts
from gnnmc.symmetry.symmetry import Symmetry
from gnnmc.training import LearningRate, make_optimizer, real_number, share, whole_number

# How often on the way elements are compared at the midpoint, about.
_COMPARED = 20


@dataclass(frozen=True, kw_only=True)
class DescentSettings:
    """steps, lr, optimizer, weight_decay, schedule, warmup: of the descent, on the latents.

    between: where on the line from a to the moved b the loss is taken, t ~ U(between); distance: ‖a − moved b‖² is
    lowered, and no loss. batch: labeled items in a step, all by default. start: what moves b before anything else: a
    method's name, an Element, one for each pair, or None.
    """

    steps: int
    lr: float
    between: tuple[float, float]
    distance: bool = False
    optimizer: str = "adamw"
    weight_decay: float = 0.0
    schedule: str = "cosine"
    warmup: float = 0.0
    batch: int | None = None
    start: Start = None

    def __post_init__(self) -> None:
        whole_number("steps", self.steps, 1)
        real_number("lr", self.lr, zero=False)
        if self.batch is not None:
            whole_number("batch", self.batch, 1)
        real_number("weight_decay", self.weight_decay, zero=True)
        share("warmup", self.warmup)
        if not isinstance(self.between, tuple | list) or len(self.between) != 2:
            raise InputError(f"between={self.between!r}: allowed: two numbers in [0, 1]")
        low, high = (real_number("between", end, zero=True) for end in self.between)
        if not low <= high <= 1:
            raise InputError(f"between={self.between}: allowed: two numbers in [0, 1], the lower one first")


# how many → latents
MakeLatents = Callable[[int], Latents]


def descend(match: Match, chosen: DescentSettings, make: MakeLatents, noise: float) -> list[Found]:
    """For every pair the element of least score that a descent from its start meets, which may be the start.

    noise: standard deviation of what restarts after the first add to the latents.
    """
    first = starts(match, chosen.start)

    def find(places: Sequence[int], objective: Objective) -> list[Found]:
        descent = _Descent(match, places, [first[k] for k in places], objective, chosen)
        for restart in range(match.restarts):
            descent.run(make(len(places)), restart, noise if restart else 0.0)
        return descent.best.found()

    return by_distance(match, find) if chosen.distance else by_loss(match, find, chosen.batch, match.seed)


class _Descent:
    """Of some pairs together; `best` is over all runs."""

    def __init__(
        self,
        match: Match,
        places: Sequence[int],
        elements: Sequence[Element],
        objective: Objective,
        chosen: DescentSettings,
    ) -> None:
        self._match, self._objective, self._chosen, self._first = match, objective, chosen, list(elements)
        # All else is found from where the start puts b.
        self._from = [
            element.apply(match.symmetry, match.pairs[k][1]) for k, element in zip(places, elements, strict=True)
        ]
        self._moving = moving_names(match.symmetry)
        self.best = Best(match, places, elements, objective)

    def run(self, latents: Latents, restart: int, noise: float) -> None:
        """One descent."""
        chosen, match = self._chosen, self._match
        if not latents.leaves:
            return
        generator = torch_generator("matching", "latents", match.seed, restart)
        with torch.no_grad():
            for leaf in latents.leaves if noise else []:
                # The same for every pair, so that each gets what it gets alone.
                leaf += noise * torch.randn(leaf.shape[1:], generator=generator).to(leaf)
        optimizer = make_optimizer(chosen.optimizer, latents.leaves, chosen.lr, chosen.weight_decay)
        rate = LearningRate(optimizer, chosen.schedule, chosen.steps, chosen.warmup)
        places = numpy_generator("matching", "t", match.seed, restart).uniform(*chosen.between, size=chosen.steps)
        every = max(1, chosen.steps // _COMPARED)
        symmetry = latents.relaxed
        for step, t in enumerate(places.tolist()):
            rate.set(step)
            self._step(latents, symmetry, t)
            optimizer.step()
            if (step + 1) % every == 0 or step + 1 == chosen.steps:
                self._compare(latents)

    def _step(self, latents: Latents, symmetry: Symmetry, t: float) -> None:
        """Gradients of the latents, through the moved weights."""
        elements = latents.elements()
        moved = [
            weights | element.apply(symmetry, {name: weights[name] for name in self._moving})
            for element, weights in zip(elements, self._from, strict=True)
        ]
        values, gradients = self._objective([_detached(one) for one in moved], t)
        made: list[Tensor] = []
        given: list[Tensor] = []
        for one, of_pair, finite in zip(moved, gradients, values.isfinite().tolist(), strict=True):
            for name, gradient in of_pair.items():
                if one[name].requires_grad:
                    made.append(one[name])
                    # A pair that is lost stays where it is, and takes no other with it.
                    given.append(gradient.nan_to_num(0, 0, 0) if finite else torch.zeros_like(gradient))
        for leaf in latents.leaves:
            leaf.grad = torch.zeros_like(leaf)
        if made:
            torch.autograd.backward(made, given)

    def _compare(self, latents: Latents) -> None:
        symmetry = self._match.symmetry
        elements = latents.exact_elements()
        moved = [element.apply(symmetry, weights) for element, weights in zip(elements, self._from, strict=True)]
        whole = [composed(symmetry, one, more) for one, more in zip(self._first, elements, strict=True)]
        self.best.see(whole, self._objective.score(moved))


def _detached(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach() for name, value in weights.items()}
