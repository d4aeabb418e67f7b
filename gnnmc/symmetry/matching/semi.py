"""Semi-permutations at equal width: units that do nothing make room for copies of others (Theus et al. 2025)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gnnmc.seeding import torch_generator
from gnnmc.symmetry.classes import SymmetryClass
from gnnmc.symmetry.element import Element
from gnnmc.symmetry.group import Group
from gnnmc.symmetry.matching.match import Found, Match, register
from gnnmc.symmetry.matching.start import Start, starts
from gnnmc.symmetry.matching.terms import products, terms
from gnnmc.symmetry.matching.weights import squared_distance
from gnnmc.weights import Weights

# What a unit adds to the outputs, as a share of what the one that adds most does, to be nothing; and the outputs'.
_NOTHING, _TOLERANCE = 1e-7, 1e-5


@dataclass(frozen=True, kw_only=True)
class SemiSettings:
    """start: what moves b before: a method's name, an Element, one for each pair, or None."""

    start: Start = "weights"


@register(
    "semi",
    classes=[SymmetryClass.SEMI],
    usual=[SymmetryClass.PERMUTATION, SymmetryClass.SEMI],
    settings=SemiSettings,
)
def semi(match: Match, chosen: SemiSettings) -> list[Found]:
    """The start, after which units of b that are dead on every item are replaced by shares of live ones.

    At equal widths a semi-permutation that keeps the function is a permutation unless units can be spared. A unit that
    adds nothing to any output of the problem (a ReLU below zero on all items, train or not) can: in its place stands a
    copy of a live one, and what reads them takes α of the one and 1 − α of the other, where that brings the moved b
    nearer to a. So the outputs are kept on these items, which is checked; where weight decay has taken the dead unit's
    weights to zero, on any. Units of groups inside others stay as they are.

    Options: `SemiSettings`. Objective: ‖a − moved b‖².
    Source: Theus et al. 2025 (the class; that dead units make room is ours).
    """
    found = []
    for start, (a, b) in zip(starts(match, chosen.start), match.pairs, strict=True):
        element = _split(match, start, a, b)
        before, after = (squared_distance(match, a, b, one) for one in (Element(), element))
        found.append(Found.of(element, before, after))
    return found


def _split(match: Match, start: Element, a: Weights, b: Weights) -> Element:
    symmetry, function = match.symmetry, match.model.function
    groups = [group for group in symmetry.groups.values() if SymmetryClass.SEMI in group.classes and not group.outer]
    moved = start.apply(symmetry, b)
    if not groups:
        return start
    orders: dict[str, Tensor] = {}
    shares: dict[str, Tensor] = {}
    for group, dead in zip(groups, _dead(match, groups, moved), strict=True):
        found = _Distances(match, group, a, moved).split(dead) if bool(dead.any()) else None
        if found is not None:
            orders[group.name], shares[group.name] = found
    if not orders:
        return start
    step = Element(orders, shares=shares)
    with torch.no_grad():
        before, after = function(moved), function(step.apply(symmetry, moved))
    kept = bool(((before - after).abs() <= _TOLERANCE * before.abs().max()).all())
    return start.then(step, symmetry) if kept else start


def _dead(match: Match, groups: list[Group], weights: Weights) -> list[Tensor]:
    """Whether a unit adds nothing: the derivative of the outputs by how much is taken of it. Shapes: → (n,) each."""
    function = match.model.function
    shares = {group.name: torch.ones(group.size, device=function.device, requires_grad=True) for group in groups}
    outputs = function(Element(shares=shares).apply(match.symmetry, weights))
    # A sum of outputs may be zero where they are not; one with random factors is not.
    generator = torch_generator("matching", "semi", match.seed)
    factors = torch.randn(outputs.shape, generator=generator).to(outputs)
    gradients = torch.autograd.grad((outputs * factors).sum(), list(shares.values()), allow_unused=True)
    return [
        torch.zeros_like(share, dtype=torch.bool) if g is None else (g.abs() <= _NOTHING * g.abs().max()).detach()
        for share, g in zip(shares.values(), gradients, strict=True)
    ]


class _Distances:
    """Of the units of a and b, on what writes them and on what reads them."""

    def __init__(self, match: Match, group: Group, a: Weights, b: Weights) -> None:
        empty = torch.zeros(group.size, group.size, dtype=torch.float64)
        self._inner, self._square = {True: empty, False: empty}, {True: empty[0], False: empty[0]}
        self._coupled = False
        for term in terms(match.symmetry, match.counted, a, b, [group.name]):
            axes, leaves = term.axes[group.name], term.leaves[group.name]
            if len(axes) > 1:
                self._coupled = True
                return
            reads = leaves[0].reads
            self._inner[reads] = self._inner[reads] + products(term.a, term.b, axes).double().cpu()
            rest = [axis for axis in range(term.b.dim()) if axis != axes[0]]
            squares = term.b.double().square().sum(rest) if rest else term.b.double().square()
            self._square[reads] = self._square[reads] + squares.cpu()

    def split(self, dead: Tensor) -> tuple[Tensor, Tensor] | None:
        """The order and the shares that bring b nearest, one dead unit after another; None where nothing does."""
        if self._coupled:
            return None
        order = torch.arange(len(dead))
        shares = torch.ones(len(dead), dtype=torch.float64)
        live = ~dead.cpu()
        for place in torch.nonzero(~live)[:, 0].tolist():
            gain, alphas = self._gains(place, shares)
            gain[~live] = -torch.inf
            unit = int(gain.argmax())
            if float(gain[unit]) <= 0:
                continue
            alpha = float(alphas[unit])
            order[place] = unit
            shares[place], shares[unit] = alpha * float(shares[unit]), (1 - alpha) * float(shares[unit])
        changed = not torch.equal(order, torch.arange(len(order)))
        return (order, shares) if changed else None

    def _gains(self, place: int, shares: Tensor) -> tuple[Tensor, Tensor]:
        """By how much ‖a − b‖² falls if a copy of each unit stands at `place`, and the best share of the copy."""
        written, read = self._inner[False], self._inner[True]
        size = self._square[True] * shares.square()
        of_copy, of_unit = read[place] * shares, read.diagonal() * shares
        alphas = ((of_copy - of_unit + size) / (2 * size).clamp(min=1e-300)).clamp(0, 1)
        now = (
            2 * (written[place, place] + read[place, place])
            - (self._square[False][place] + self._square[True][place])
            + 2 * of_unit
            - size
        )
        then = (
            2 * written[place]
            - self._square[False]
            + 2 * (alphas * of_copy + (1 - alphas) * of_unit)
            - (alphas.square() + (1 - alphas).square()) * size
        )
        return then - now, alphas
