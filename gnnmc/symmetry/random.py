"""Random elements of a symmetry, to test it by and to plant in experiments."""

from collections.abc import Collection, Mapping

import torch
from torch import Tensor

from gnnmc.symmetry.classes import SymmetryClass
from gnnmc.symmetry.element import Element
from gnnmc.symmetry.group import Group
from gnnmc.symmetry.symmetry import Symmetry

# Spread of the logarithm of factors, and of invertible maps around rotations.
SPREAD = 0.3


def random_element(
    symmetry: Symmetry,
    generator: torch.Generator,
    classes: Mapping[str, Collection[SymmetryClass]] | Collection[SymmetryClass | str],
) -> Element:
    """An element with something random of these classes, for every group or for each by name.

    A group that has an orthogonal or invertible class among them gets a matrix, else an order.

    Shapes:
        .apply(symmetry, weights) of what it gives: name → tensor → name → tensor
    Source: science 3.
    """
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
            turned = _rotations(shape, generator, centered=False)
            factors = torch.exp(SPREAD * torch.randn(shape, generator=generator, dtype=torch.float64))
            matrices[name] = turned * factors[..., None, :] @ _rotations(shape, generator, centered=False)
        elif asked(group, SymmetryClass.ORTHOGONAL):
            matrices[name] = _rotations(shape, generator, centered=group.centered)
        elif asked(group, SymmetryClass.PERMUTATION):
            orders[name] = torch.rand(shape, generator=generator).argsort(-1)
    for name, scaling in symmetry.scalings.items():
        group = symmetry.groups[scaling.group]
        if asked(group, SymmetryClass.SCALING) and group.name not in matrices:
            normal = torch.randn(symmetry.shape(group.name), generator=generator, dtype=torch.float64)
            scales[name] = torch.exp(SPREAD * normal)
    for name, signing in symmetry.signings.items():
        group = symmetry.groups[signing.group]
        if asked(group, SymmetryClass.SIGNED) and group.name not in matrices:
            signs[name] = torch.randint(0, 2, symmetry.shape(group.name), generator=generator).double() * 2 - 1
    return Element(orders, matrices, scales, signs)


def _rotations(shape: tuple[int, ...], generator: torch.Generator, *, centered: bool) -> Tensor:
    """Orthogonal matrices, which leave the vector of ones where it is if `centered`. Shapes: (…, n) → (…, n, n)."""
    size = shape[-1] - int(centered)
    normal = torch.randn(*shape[:-1], size, size, generator=generator, dtype=torch.float64)
    rotation = torch.linalg.qr(normal)[0]
    if not centered:
        return rotation
    basis = centered_basis(shape[-1])
    return basis @ rotation @ basis.T + 1 / shape[-1]


def centered_basis(size: int) -> Tensor:
    """An orthonormal basis of what has mean 0. Shape (n, n − 1), float64."""
    columns = torch.cat([torch.ones(size, 1, dtype=torch.float64), torch.eye(size, dtype=torch.float64)[:, :-1]], 1)
    return torch.linalg.qr(columns)[0][:, 1:]
