"""How the hidden units of two modes are correlated over the data, value by value of the forward."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gnnmc.problem import double
from gnnmc.symmetry.classes import SymmetryClass
from gnnmc.symmetry.element import Element
from gnnmc.symmetry.layout import Fixed, Layout, Units, blocks
from gnnmc.symmetry.recorded import CONSTANT_BELOW, Recorded
from gnnmc.symmetry.symmetry import Symmetry
from gnnmc.weights import Weights


@dataclass(frozen=True, eq=False)
class Seen:
    """A value on which units of `groups` (one axis each) are compared: correlations of those of a with those of b.

    matched: the groups that it counts for. dead_a, dead_b: units that do not vary over the data; their correlations
    are 0. flipped: the signings that change the sign of the value.

    Shapes: s… the sizes of the groups: correlation (s…, s…) float64; dead_a, dead_b (s…).
    """

    groups: tuple[str, ...]
    matched: frozenset[str]
    correlation: Tensor
    dead_a: Tensor
    dead_b: Tensor
    flipped: frozenset[str]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Of the groups."""
        return tuple(self.dead_a.shape)


def seen_of_pairs(
    recorded: Recorded, symmetry: Symmetry, weights: Sequence[Weights], pairs: Sequence[tuple[int, int]]
) -> list[list[Seen]]:
    """For each pair, by numbers of weights, all values that groups of the symmetry can be compared on.

    The forward is run once for all weights, and a value is let go when the products over it are done.
    """
    signings = list(symmetry.signings)
    mirrored = [_mirrored(symmetry, name).apply(symmetry, weights[0]) for name in signings]
    found: list[list[Seen]] = [[] for _ in pairs]
    layouts, matched = _compared(recorded, symmetry)
    for number, value in recorded.values([*weights, *mirrored], layouts):
        for groups, units, dead in _units(value, layouts[number]):
            counts = frozenset(matched[number].intersection(groups))
            if not counts:
                continue
            flipped = frozenset(
                name
                for place, name in enumerate(signings, start=len(weights))
                if float((units[0] * units[place]).sum()) < 0
            )
            twice = (*dead.shape[1:], *dead.shape[1:])
            for place, (a, b) in enumerate(pairs):
                # One product over nodes, pixels or tokens.
                correlation = (units[a].T @ units[b]).cpu().double().reshape(twice)
                found[place].append(Seen(groups, counts, correlation, dead[a], dead[b], flipped))
    return found


def _compared(recorded: Recorded, symmetry: Symmetry) -> tuple[dict[int, tuple[Layout, ...]], dict[int, set[str]]]:
    """The values by number: the layouts of their axes, and the groups that are compared on them."""
    activations = recorded.made_of_data()
    layouts: dict[int, tuple[Layout, ...]] = {}
    matched: dict[int, set[str]] = {}
    for name, taps in recorded.export.taps().items():
        group = symmetry.groups.get(name)
        if group is None or not group.classes & {SymmetryClass.PERMUTATION, SymmetryClass.SIGNED}:
            continue
        for number, axes in taps.items():
            if number in activations:
                layouts[number] = axes
                matched.setdefault(number, set()).add(name)
    return layouts, matched


def _units(value: Tensor, layouts: Sequence[Layout]) -> Iterator[tuple[tuple[str, ...], Tensor, Tensor]]:
    """Blocks of a value at K weights: their groups, the units over the data with mean 0 and sum of squares 1, and which
    of them do not vary.

    Shapes: value (K, …) → (K, N, U), (K, s…) with U the product of the sizes s of the groups.
    """
    for block, (_, *leaves) in blocks(value, [Fixed(len(value)), *layouts]):
        axes = [place for place, leaf in enumerate(leaves, start=1) if isinstance(leaf, Units)]
        groups = tuple(leaf.group for leaf in leaves if isinstance(leaf, Units))
        data = [place for place in range(1, block.dim()) if place not in axes]
        if not groups or len(set(groups)) < len(groups):
            continue
        sizes = [block.shape[place] for place in axes]
        flat = block.permute(0, *data, *axes).reshape(len(block), -1, torch.Size(sizes).numel())
        exact = double(flat)
        apart = exact - exact.mean(1, keepdim=True)
        spread = apart.square().sum(1, keepdim=True).sqrt()
        size = exact.square().sum(1, keepdim=True).sqrt()
        dead = ~(spread > CONSTANT_BELOW * size)
        units = torch.where(dead, 0.0, apart / spread)
        yield groups, units, dead[:, 0].reshape(len(block), *sizes).cpu()


def _mirrored(symmetry: Symmetry, signing: str) -> Element:
    """The sign of every unit changed."""
    shape = symmetry.shape(symmetry.signings[signing].group)
    return Element(signs={signing: -torch.ones(shape, dtype=torch.float64)})


def of_distinct(pairs: Sequence[tuple[Weights, Weights]]) -> tuple[list[Weights], list[tuple[int, int]]]:
    """Every mode once, and the pairs by numbers: a mode is often in several."""
    places: dict[tuple[int, ...], int] = {}
    weights: list[Weights] = []
    numbered = []
    for pair in pairs:
        both = []
        for one in pair:
            key = tuple(map(id, one.values()))
            if key not in places:
                places[key] = len(weights)
                weights.append(one)
            both.append(places[key])
        numbered.append((both[0], both[1]))
    return weights, numbered
