"""Matching by doubly stochastic relaxations (Peña et al. 2023)."""

import math
from dataclasses import dataclass

from gnnmc.symmetry.classes import SymmetryClass
from gnnmc.symmetry.matching.descent import DescentSettings, descend
from gnnmc.symmetry.matching.latents import latents_of
from gnnmc.symmetry.matching.match import Found, Match, register
from gnnmc.symmetry.matching.projections import doubly_stochastic

# Of restarts, on the logits.
_NOISE = 1.0


@dataclass(frozen=True, kw_only=True)
class SinkhornSettings(DescentSettings):
    """As `DescentSettings`, on the logits of the matrices. Steps and rate are ours."""

    steps: int = 200
    lr: float = 0.1
    between: tuple[float, float] = (0.5, 0.5)
    optimizer: str = "adam"


@register("sinkhorn", classes=[SymmetryClass.PERMUTATION], settings=SinkhornSettings, fitted=True)
def by_sinkhorn(match: Match, chosen: SinkhornSettings) -> list[Found]:
    """Orders found through doubly stochastic matrices, one for each group, whose logits descend the objective.

    The objective is the training loss at the midpoint of a and the moved b, at a random point (between=(0, 1)), or the
    squared distance between them (distance=True): the three of the paper. The derivative of Sinkhorn's limit is taken
    by the implicit function theorem and not through the rounds that led there: it is exact and needs no memory for
    them. Matrices start even, or, from a start that was given, with half of every unit where it is; they are rounded to
    the nearest order, of which the best is kept, and the start if none is better. Only permutations are found.

    Options: `SinkhornSettings`. Objective: the loss at the midpoint on all train items in nats, or ‖a − moved b‖².
    Source: Peña et al. 2023.
    """
    symmetry = match.symmetry.restricted([SymmetryClass.PERMUTATION])
    device = match.model.function.device
    return descend(
        match,
        chosen,
        lambda count: latents_of(symmetry, count, device, doubly_stochastic, _even if chosen.start is None else _half),
        _NOISE,
    )


def _even(size: int) -> float:
    """All orders alike. From half of every unit in place a GCN's barrier on Cora ends twice as high."""
    return 0.0


def _half(size: int) -> float:
    """The logit that leaves half of a unit where it is, the rest evenly spread."""
    return math.log(max(size - 1, 1))
