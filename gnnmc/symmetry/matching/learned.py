"""Learned matching over all classes of symmetry (Theus et al. 2025)."""

from dataclasses import dataclass

from gnnmc.symmetry.classes import SymmetryClass
from gnnmc.symmetry.matching.descent import DescentSettings, descend
from gnnmc.symmetry.matching.latents import latents_of
from gnnmc.symmetry.matching.match import Found, Match, register
from gnnmc.symmetry.matching.projections import permutation
from gnnmc.symmetry.matching.start import Start

# Latent orders start at this multiple of the identity: what must be gone before two units change places [ours]. With a
# rate of 3e-4 an entry moves by .05 in 300 steps of a cosine.
_HOLD = 0.03


@dataclass(frozen=True, kw_only=True)
class LearnedSettings(DescentSettings):
    """As `DescentSettings`, with the defaults of Theus et al. 2025; the number of steps is ours."""

    steps: int = 300
    lr: float = 3e-4
    between: tuple[float, float] = (0.4, 0.6)
    weight_decay: float = 0.01
    warmup: float = 0.05
    start: Start = "weights"


@register(
    "learned", classes=set(SymmetryClass) - {SymmetryClass.SEMI}, usual=None, settings=LearnedSettings, fitted=True
)
def learned(match: Match, chosen: LearnedSettings) -> list[Found]:
    """Elements of all classes at once, by descent on the training loss at points between a and the moved b.

    From the start, matching by weights, latent matrices move and are projected in every step: to the nearest
    permutation, whose gradient is passed straight through, or to the nearest rotation, among those that keep the vector
    of ones where a group is centered. Invertible maps are matrix exponentials, factors exponentials: neither can
    degenerate, and weight decay pulls both to the start. The element of least loss at the midpoint on all train items
    is kept; nothing below that of the start: the start.

    Options: `LearnedSettings`. Objective: the loss at the midpoint on all train items in nats, or ‖a − moved b‖².
    Source: Theus et al. 2025; science 3.
    """
    device = match.model.function.device
    return descend(
        match,
        chosen,
        lambda count: latents_of(match.symmetry, count, device, permutation, lambda size: _HOLD),
        _HOLD / 4,
    )
