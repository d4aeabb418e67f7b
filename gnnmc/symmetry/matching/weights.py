"""Matching by weights: the element under which the moved weights are nearest, by ascent over the groups in turn."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from torch import Tensor

from gnnmc.seeding import torch_generator
from gnnmc.symmetry.classes import SymmetryClass
from gnnmc.symmetry.element import Element
from gnnmc.symmetry.matching.ascent import Ascent
from gnnmc.symmetry.matching.composing import composed
from gnnmc.symmetry.matching.folded import folded, without_gauges
from gnnmc.symmetry.matching.match import Found, Match, NoSettings, register
from gnnmc.symmetry.matching.scaling import match_gauge_signs, match_scales
from gnnmc.symmetry.symmetry import Symmetry
from gnnmc.weights import Weights, distance, finite

_DENSE = frozenset({SymmetryClass.ORTHOGONAL, SymmetryClass.INVERTIBLE})


@register("weights", classes=set(SymmetryClass) - {SymmetryClass.SEMI})
def by_weights(match: Match, _settings: NoSettings) -> list[Found]:
    """Coordinate ascent on −‖a − moved b‖², which is ⟨a, moved b⟩ where nothing changes lengths: each group in turn
    gets its best element with all others held. What is found is never farther from a than b is.

    Orders by linear assignment (groups inside others for every pair of these), exactly; a group that is on two axes of
    one tensor by steps that are only taken if the exact objective rises; rotations by Procrustes. It ends when no group
    gains more than 1e-12 of it. Where weights lie between groups that move, it starts from where the search for all
    orders at once ends (`Joint`); a second start is b as it is, further ones are drawn at random.

    With rotations or invertible maps there are three ascents: orders alone, these alone, and both in turn. The latter
    two have γ of every norm multiplied into what reads behind it, where a rotation acts plainly but distances are
    others. From each end ascent goes on in the weights as they are, with the γ that are nearest to those of a; the
    nearest end is kept. So more classes are never farther than permutations alone.

    Options: none. Objective: ‖a − moved b‖².
    Source: Ainsworth et al. 2022, algorithm 1; rotations, Theus et al. 2025; science 3. The starts are ours.
    """
    return [_best_of(match, a, b) for a, b in match.pairs]


def _best_of(match: Match, a: Weights, b: Weights) -> Found:
    symmetry = match.symmetry
    found = [_ascended(match, _of_orders(symmetry), match.counted, a, b)]
    if any(group.classes & _DENSE for group in symmetry.groups.values()):
        folded_a, counted = folded(symmetry, match.counted, a)
        folded_b, _ = folded(symmetry, match.counted, b)
        for some in (symmetry.restricted(_DENSE), symmetry):
            found.append(_ascended(match, without_gauges(some), counted, folded_a, folded_b))
        found = [_further(match, a, b, element) for element in found]
    if any(SymmetryClass.SCALING in group.classes for group in symmetry.groups.values()):
        found = [one.then(match_scales(symmetry, a, one.apply(symmetry, b), match.counted), symmetry) for one in found]
    squares = [squared_distance(match, a, b, one) for one in (*found, Element())]
    nearest = min(range(len(squares)), key=lambda k: squares[k])
    return Found.of([*found, Element()][nearest], squares[-1], squares[nearest])


def squared_distance(match: Match, a: Weights, b: Weights, element: Element) -> float:
    """‖a − moved b‖² over the tensors that count. Shapes: a, b name → tensor."""
    return distance(a, element.apply(match.symmetry, b), match.counted) ** 2


def _of_orders(symmetry: Symmetry) -> Symmetry:
    """Without rotations and maps; units that these may act on have no signs either, which one map would take in."""
    dense = {name for name, group in symmetry.groups.items() if group.classes & _DENSE}
    gone = _DENSE | {SymmetryClass.SIGNED}
    groups = {
        name: replace(group, classes=group.classes - gone, gauges=()) if name in dense else group
        for name, group in symmetry.groups.items()
    }
    signings = {name: one for name, one in symmetry.signings.items() if one.group not in dense}
    return replace(symmetry, groups=groups, signings=signings)


def _ascended(
    match: Match, symmetry: Symmetry, counted: Sequence[str], a: Mapping[str, Tensor], b: Mapping[str, Tensor]
) -> Element:
    """The best end of all starts."""
    best: Ascent | None = None
    for restart in range(match.restarts):
        ascent = Ascent(symmetry, counted, a, b, torch_generator("matching", match.seed, restart))
        at_hand = ascent.value
        ascent.start(restart)
        ascent.run()
        if best is None or ascent.value > best.value:
            best = ascent
        if ascent.is_best:
            break
    assert best is not None
    if best.value < at_hand:
        # From the search for all orders at once it may end lower than where b is.
        best = Ascent(symmetry, counted, a, b, torch_generator("matching", match.seed, "as it is"))
        best.run()
    return best.element


def _further(match: Match, a: Weights, b: Weights, first: Element) -> Element:
    """Ascent in the weights as they are from where an element puts b, with signs of γ as a has them where allowed. From
    b itself, where γ of exactly zero lets no rotation pass.
    """
    symmetry = match.symmetry
    moved = first.apply(symmetry, b)
    if not finite(moved):
        first, moved = Element(), dict(b)
    signed = composed(symmetry, first, match_gauge_signs(symmetry, a, moved, match.counted))
    generator = torch_generator("matching", match.seed, "further")
    ascent = Ascent(symmetry, match.counted, a, signed.apply(symmetry, b), generator)
    ascent.run()
    return composed(symmetry, signed, ascent.element)
