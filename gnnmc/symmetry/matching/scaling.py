"""The positive factors of units that bring one mode nearest to another, in closed form (balance of ReLU units)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gnnmc.symmetry.classes import SymmetryClass
from gnnmc.symmetry.element import Element
from gnnmc.symmetry.layout import Leaf, Units, blocks
from gnnmc.symmetry.matching.composing import signing_of
from gnnmc.symmetry.symmetry import Symmetry
from gnnmc.weights import Weights, distance

# A factor beyond would leave hardly anything of a unit on one of its sides.
LIMIT = 1e3
FACTOR_ROUNDS = 20
HALVINGS = 8


def match_scales(
    symmetry: Symmetry,
    a: Weights,
    b: Weights,
    counted: Collection[str],
    *,
    rounds: int = FACTOR_ROUNDS,
    tolerance: float = 1e-9,
    scalings: Collection[str] | None = None,
) -> Element:
    """Factors that bring b nearest to a, over the tensors that count; it never goes farther away.

    scalings: names of those to use; all that the symmetry holds by default. γ of a norm is one: what reads behind it is
    divided by what γ is multiplied by.

    One scaling after another, until a round gains less than `tolerance` of the distance. For one scaling the units are
    apart, and the factor s of each is a root of a polynomial: the derivative of Σ_e ‖A_e − sᵉ·B_e‖² (exponents e = 1
    for what writes a ReLU unit, −1 for what reads it) vanishes. Where one tensor has a scaling on two axes the units
    are not apart: the step is halved until it helps.

    Shapes: a, b name → tensor.
    Source: ours; the balance of ReLU units (Neyshabur et al. 2015), towards a second mode instead of equal norms.
    """
    factors: dict[str, Tensor] = {}
    asked = symmetry.scalings if scalings is None else scalings
    places = {name: _places(symmetry, name, counted) for name in asked}
    touched = {place.tensor for of_scaling in places.values() for place in of_scaling}
    moved = {name: b[name].double() for name in touched}
    aim = {name: a[name].double() for name in touched}
    whole = distance(aim, moved) ** 2
    for _ in range(rounds):
        gained = 0.0
        for name, of_scaling in places.items():
            tensors = list(dict.fromkeys(place.tensor for place in of_scaling))
            if not tensors:
                continue
            factor = _nearest(symmetry, name, of_scaling, aim, moved)
            before = distance(aim, moved, tensors) ** 2
            for _ in range(HALVINGS):
                tried = Element(scales={name: factor}).apply(symmetry, {one: moved[one] for one in tensors})
                gain = before - distance(aim, tried, tensors) ** 2
                if gain > 0:
                    moved |= tried
                    factors[name] = factors[name] * factor if name in factors else factor
                    gained += gain
                    break
                factor = factor.sqrt()
        whole -= gained
        if gained <= tolerance * whole:
            break
    return Element(scales=factors)


def match_gauge_signs(symmetry: Symmetry, a: Weights, b: Weights, counted: Collection[str]) -> Element:
    """Signs of γ and of what reads behind it that bring b nearer to a, where the symmetry has signs of these alone.

    Shapes: a, b name → tensor.
    """
    signs: dict[str, Tensor] = {}
    for group in symmetry.groups.values():
        for scaling, _ in group.gauges:
            signing = signing_of(symmetry, scaling)
            if signing is None or SymmetryClass.SIGNED not in group.classes:
                continue
            inner, _ = _sums(symmetry, scaling, _places(symmetry, scaling, counted), a, b)
            odd = [value for exponent, value in inner.items() if exponent % 2]
            if odd:
                flipped = torch.stack(odd).sum(0) < 0
                signs[signing] = torch.where(flipped, -1.0, 1.0).double()
    return Element(signs={name: sign for name, sign in signs.items() if bool((sign < 0).any())})


def nearest_factors(inner: Sequence[Tensor], squares: Sequence[Tensor], exponents: Sequence[int]) -> Tensor:
    """s > 0 that makes Σ_e (−2·sᵉ·inner_e + s²ᵉ·squares_e) smallest, for each unit; 1 where no root does better.

    Shapes: inner, squares: one (…) for each exponent → (…), float64.
    """
    powers = [power for e in exponents for power in (e, 2 * e)]
    lowest = min(powers)
    coefficients = [torch.zeros_like(inner[0]) for _ in range(max(powers) - lowest + 1)]
    for c, g, e in zip(inner, squares, exponents, strict=True):
        coefficients[e - lowest] = coefficients[e - lowest] - e * c
        coefficients[2 * e - lowest] = coefficients[2 * e - lowest] + e * g
    roots = _positive_roots(torch.stack(coefficients, -1))
    one = torch.ones_like(inner[0])
    tried = torch.cat([one[..., None], roots], -1).clamp(1 / LIMIT, LIMIT)
    values = torch.zeros_like(tried)
    for c, g, e in zip(inner, squares, exponents, strict=True):
        values = values - 2 * c[..., None] * tried**e + g[..., None] * tried ** (2 * e)
    best = values.argmin(-1, keepdim=True)
    return torch.gather(tried, -1, best).squeeze(-1)


def _positive_roots(coefficients: Tensor) -> Tensor:
    """Real parts of all roots, those that are not positive replaced by 1. Shapes: (…, degree + 1), lowest first."""
    size = coefficients.abs().amax(-1, keepdim=True)
    scaled = coefficients / torch.where(size > 0, size, 1)
    leading = scaled[..., -1:]
    # Nothing is written (or read) there: a root at infinity, cut off by the limit.
    leading = torch.where(leading.abs() < 1e-12, 1e-12, leading)
    degree = coefficients.shape[-1] - 1
    companion = torch.diag_embed(torch.ones_like(scaled[..., : degree - 1]), -1)
    companion[..., :, -1] = -scaled[..., :-1] / leading
    roots = torch.linalg.eigvals(companion).real
    return torch.where(roots > 0, roots, 1)


@dataclass(frozen=True)
class _Place:
    """A tensor, and which of its blocks the scaling enters, on which axis and to which power."""

    tensor: str
    block: int
    axis: int
    exponent: int
    leaf: tuple[Leaf, ...]


def _places(symmetry: Symmetry, scaling: str, counted: Collection[str]) -> list[_Place]:
    found = []
    for tensor in counted:
        layouts = symmetry.layouts.get(tensor, ())
        empty = torch.empty([layout.size for layout in layouts], device="meta")
        for number, (_, on) in enumerate(blocks(empty, layouts)):
            for axis, leaf in enumerate(on):
                exponent = dict(leaf.scalings).get(scaling, 0) if isinstance(leaf, Units) else 0
                if exponent:
                    found.append(_Place(tensor, number, axis, exponent, on))
    return found


def _nearest(symmetry: Symmetry, scaling: str, places: Sequence[_Place], a: Weights, b: Weights) -> Tensor:
    inner, squares = _sums(symmetry, scaling, places, a, b)
    exponents = sorted(inner)
    return nearest_factors([inner[e] for e in exponents], [squares[e] for e in exponents], exponents)


def _sums(
    symmetry: Symmetry, scaling: str, places: Sequence[_Place], a: Weights, b: Weights
) -> tuple[dict[int, Tensor], dict[int, Tensor]]:
    """By exponent Σ a·b and Σ b² of every unit. Shapes: exponent → (…, n), float64."""
    group = symmetry.scalings[scaling].group
    outer = symmetry.groups[group].outer
    shape = symmetry.shape(group)
    inner: dict[int, Tensor] = {}
    squares: dict[int, Tensor] = {}
    for place in places:
        layouts = symmetry.layouts[place.tensor]
        of_a, of_b = (list(blocks(one[place.tensor], layouts))[place.block][0].double() for one in (a, b))
        names = [leaf.group if isinstance(leaf, Units) else None for leaf in place.leaf]
        kept = [*(names.index(name) for name in outer), place.axis]
        for sums, product in ((inner, of_a * of_b), (squares, of_b * of_b)):
            summed = product.movedim(kept, list(range(len(kept)))).reshape(*shape, -1).sum(-1)
            sums[place.exponent] = sums.get(place.exponent, 0) + summed
    return inner, squares
