"""Matching by a straight-through estimator (Ainsworth et al. 2022)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gnnmc.seeding import stream
from gnnmc.symmetry.classes import SymmetryClass
from gnnmc.symmetry.element import Element
from gnnmc.symmetry.matching.composing import composed
from gnnmc.symmetry.matching.match import Found, Match, found_by, register
from gnnmc.symmetry.matching.objectives import Objective, by_loss
from gnnmc.symmetry.matching.relaxed import moving_names
from gnnmc.symmetry.matching.start import Best, Start, starts
from gnnmc.training import LearningRate, make_optimizer, real_number, whole_number


@dataclass(frozen=True, kw_only=True)
class StraightThroughSettings:
    """steps, lr: of Adam, on the latent weights. schedule: of the rate. batch: labeled items in a step, all by default.
    start: what moves b before anything else: a method's name, an Element, one for each pair, or None.

    lr .1 [ours]: a latent weight has to move by about its own size for an assignment to change.
    """

    steps: int = 100
    lr: float = 0.1
    schedule: str = "cosine"
    batch: int | None = None
    start: Start = None

    def __post_init__(self) -> None:
        whole_number("steps", self.steps, 1)
        real_number("lr", self.lr, zero=False)
        if self.batch is not None:
            whole_number("batch", self.batch, 1)


@register("ste", classes=set(SymmetryClass) - {SymmetryClass.SEMI}, settings=StraightThroughSettings, fitted=True)
def straight_through(match: Match, chosen: StraightThroughSettings) -> list[Found]:
    """The element under which b is nearest to latent weights, which descend the loss at the midpoint of a and moved b.

    Latent weights start at a. In every step b is moved onto them (matching by weights, from where it is), the gradient
    of the training loss at ½(a + moved b) is taken at the moved b, and given to the latent weights as if they were it.
    The element of least loss at the midpoint on all train items is kept; nothing below that of the start: the start.

    Options: `StraightThroughSettings`. Objective: the loss at the midpoint on all train items in nats.
    Source: Ainsworth et al. 2022 (straight-through estimator).
    """
    first = starts(match, chosen.start)

    def find(places: Sequence[int], objective: Objective) -> list[Found]:
        best = Best(match, places, [first[k] for k in places], objective)
        for restart in range(match.restarts):
            _descend(match, places, [first[k] for k in places], objective, chosen, restart, best)
        return best.found()

    return by_loss(match, find, chosen.batch, match.seed)


def _descend(
    match: Match,
    places: Sequence[int],
    elements: list[Element],
    objective: Objective,
    chosen: StraightThroughSettings,
    restart: int,
    best: Best,
) -> None:
    pairs = [match.pairs[k] for k in places]
    # What never moves has no part in which element is nearest.
    names = [name for name in moving_names(match.symmetry) if name in match.counted]
    latents = [{name: a[name].detach().clone() for name in names} for a, _ in pairs]
    leaves = [latent[name] for latent in latents for name in names]
    moved = [element.apply(match.symmetry, b) for element, (_, b) in zip(elements, pairs, strict=True)]
    if not leaves:
        return
    optimizer = make_optimizer("adam", leaves, chosen.lr, 0.0)
    rate = LearningRate(optimizer, chosen.schedule, chosen.steps)
    for step in range(chosen.steps):
        rate.set(step)
        nearer = found_by(
            "weights",
            replace(
                match,
                pairs=[({**a, **latent}, b) for latent, (a, _), b in zip(latents, pairs, moved, strict=True)],
                seed=stream("matching", match.seed, restart, step),
                restarts=1,
            ),
        )
        elements = [composed(match.symmetry, one, more.element) for one, more in zip(elements, nearer, strict=True)]
        moved = [element.apply(match.symmetry, b) for element, (_, b) in zip(elements, pairs, strict=True)]
        losses, gradients = objective(moved, 0.5)
        best.see(elements, losses if chosen.batch is None else objective.score(moved))
        _give(latents, gradients, losses)
        optimizer.step()


def _give(latents: Sequence[dict[str, Tensor]], gradients: Sequence[dict[str, Tensor]], losses: Tensor) -> None:
    """Gradients to the latent weights; none to those of a pair whose loss is not finite, which stay where they are."""
    for latent, of_pair, finite in zip(latents, gradients, losses.isfinite().tolist(), strict=True):
        for name, value in latent.items():
            found = of_pair.get(name) if finite else None
            value.grad = torch.zeros_like(value) if found is None else found.detach().nan_to_num(0, 0, 0).clone()
