"""Random elements of a symmetry, to test it by and to plant in experiments."""

from collections.abc import Collection, Mapping

import torch
from torch import Tensor

from gnnmc.symmetry.centered import keeping_ones
from gnnmc.symmetry.classes import SymmetryClass
from gnnmc.symmetry.element import Element
from gnnmc.symmetry.group import Group
from gnnmc.symmetry.symmetry import Symmetry

# Spread of the logarithm of factors, and of invertible maps around rotations.
SPREAD = 0.3


class Draws:
    """What a random element is made of. Shapes: (…, n), with the sizes of the groups around as …"""

    def orders(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Orders of n units."""
        return torch.rand(shape, generator=generator).argsort(-1)

    def logarithms(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Of positive factors."""
        return SPREAD * torch.randn(shape, generator=generator, dtype=torch.float64)

    def signs(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """1 and −1."""
        return torch.randint(0, 2, shape, generator=generator).double() * 2 - 1

    def turned(self, matrices: Tensor) -> Tensor:
        """What is taken for random matrices M, of which −M are as likely. Shapes: (…, n, n) → the same."""
        return matrices


def random_element(
    symmetry: Symmetry,
    generator: torch.Generator,
    classes: Mapping[str, Collection[SymmetryClass]] | Collection[SymmetryClass | str],
    *,
    draws: Draws | None = None,
) -> Element:
    """An element with something random of these classes, for every group or for each by name.

    A group that has an orthogonal or invertible class among them gets a matrix, else an order. draws: uniform ones by
    default, which often leave a small group as it is.

    Shapes:
        .apply(symmetry, weights) of what it gives: name → tensor → name → tensor
    Source: science 3.
    """
    draws = draws or Draws()
    orders: dict[str, Tensor] = {}
    matrices: dict[str, Tensor] = {}
    scales: dict[str, Tensor] = {}
    signs: dict[str, Tensor] = {}

    def asked(group: Group, kind: SymmetryClass) -> bool:
        of_group = classes.get(group.name, ()) if isinstance(classes, Mapping) else classes
        return kind in group.classes and kind in of_group

    for name, group in symmetry.groups.items():
        shape = symmetry.shape(name)
        if asked(group, SymmetryClass.INVERTIBLE):
            rotated = _rotations(shape, generator)
            factors = torch.exp(draws.logarithms(shape, generator))
            matrices[name] = draws.turned(rotated * factors[..., None, :] @ _rotations(shape, generator))
        elif asked(group, SymmetryClass.ORTHOGONAL):
            matrices[name] = _orthogonal(shape, generator, draws, centered=group.centered)
        elif asked(group, SymmetryClass.PERMUTATION):
            orders[name] = draws.orders(shape, generator)
    for name, scaling in symmetry.scalings.items():
        group = symmetry.groups[scaling.group]
        if asked(group, SymmetryClass.SCALING) and group.name not in matrices:
            scales[name] = torch.exp(draws.logarithms(symmetry.shape(group.name), generator))
    for name, signing in symmetry.signings.items():
        group = symmetry.groups[signing.group]
        if asked(group, SymmetryClass.SIGNED) and group.name not in matrices:
            signs[name] = draws.signs(symmetry.shape(group.name), generator)
    return Element(orders, matrices, scales, signs)


def _orthogonal(shape: tuple[int, ...], generator: torch.Generator, draws: Draws, *, centered: bool) -> Tensor:
    """Orthogonal matrices, which leave the vector of ones where it is if `centered`. Shapes: (…, n) → (…, n, n)."""
    if not centered:
        return draws.turned(_rotations(shape, generator))
    return keeping_ones(draws.turned(_rotations((*shape[:-1], shape[-1] - 1), generator)))


def _rotations(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Random orthogonal matrices. Shapes: (…, n) → (…, n, n)."""
    normal = torch.randn(*shape, shape[-1], generator=generator, dtype=torch.float64)
    rotation, upper = torch.linalg.qr(normal)
    # Uniform only with the signs that make R's diagonal positive: without them a single unit never changes sign.
    return rotation * upper.diagonal(dim1=-2, dim2=-1).sign()[..., None, :]
