"""Free numbers that stand for elements of a symmetry: what a descent over elements moves."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gnnmc.symmetry.centered import keeping_ones
from gnnmc.symmetry.classes import SymmetryClass
from gnnmc.symmetry.element import Element
from gnnmc.symmetry.matching.projections import assigned, rotation, sign
from gnnmc.symmetry.matching.relaxed import relaxed
from gnnmc.symmetry.symmetry import Symmetry

# Logarithms of factors, and the Frobenius norms of those of maps, stay below: the loss between two modes can be lowered
# without end by larger outputs there, and a map that is nearly singular keeps no function in single precision.
_LARGEST = 3.0
# The exact element of latent matrices and factors is made in double precision.
_EXACT = torch.float64


@dataclass(frozen=True, eq=False)
class Latents:
    """For K elements, all of which start as the one that changes nothing.

    orders: group → latent matrices whose assignment is the order; rotations: group → latent matrices, to be projected,
    in a basis of what has mean 0 where the group is centered; logarithms: group → of invertible maps, by the matrix
    exponential; scales: scaling → logarithms; signs: signing → latent signs.
    soft: latent order → the matrix that stands for it.

    A group gets the largest of its classes: an invertible map, else a rotation, else an order with factors and signs.

    Shapes (… = sizes of the groups around): orders, rotations, logarithms (K, …, n, n), of centered groups
    (K, …, n − 1, n − 1); scales, signs (K, …, n)
    """

    symmetry: Symmetry
    soft: Callable[[Tensor], Tensor]
    orders: Mapping[str, Tensor] = field(default_factory=dict)
    rotations: Mapping[str, Tensor] = field(default_factory=dict)
    logarithms: Mapping[str, Tensor] = field(default_factory=dict)
    scales: Mapping[str, Tensor] = field(default_factory=dict)
    signs: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def leaves(self) -> list[Tensor]:
        """What is moved."""
        kinds = (self.orders, self.rotations, self.logarithms, self.scales, self.signs)
        return [value for kind in kinds for value in kind.values()]

    @property
    def relaxed(self) -> Symmetry:
        """The symmetry that `elements` are of."""
        return relaxed(self.symmetry, self.orders, self.rotations)

    def elements(self) -> list[Element]:
        """Of matrices, factors and signs alone, and with derivatives by the latents."""
        matrices = {name: self.soft(latent) for name, latent in self.orders.items()}
        matrices |= {name: self._rotated(name, latent) for name, latent in self.rotations.items()}
        matrices |= {name: torch.matrix_exp(_bounded(latent)) for name, latent in self.logarithms.items()}
        scales = {name: _bounded_each(latent).exp() for name, latent in self.scales.items()}
        signs = {name: sign(latent) for name, latent in self.signs.items()}
        return [
            Element(matrices=matrices_k, scales=scales_k, signs=signs_k)
            for matrices_k, scales_k, signs_k in zip(
                self._each(matrices), self._each(scales), self._each(signs), strict=True
            )
        ]

    @torch.no_grad()
    def exact_elements(self) -> list[Element]:
        """The elements themselves: orders as orders, matrices in double precision."""
        orders = {name: assigned(self.soft(latent)) for name, latent in self.orders.items()}
        matrices = {name: self._rotated(name, latent.to(_EXACT)) for name, latent in self.rotations.items()}
        matrices |= {name: torch.matrix_exp(_bounded(latent.to(_EXACT))) for name, latent in self.logarithms.items()}
        scales = {name: _bounded_each(latent.to(_EXACT)).exp() for name, latent in self.scales.items()}
        signs = {name: sign(latent).to(_EXACT) for name, latent in self.signs.items()}
        every = zip(*map(self._each, (orders, matrices, scales, signs)), strict=True)
        return [Element(*of_one) for of_one in every]

    def _rotated(self, group: str, latent: Tensor) -> Tensor:
        return keeping_ones(rotation(latent)) if self.symmetry.groups[group].centered else rotation(latent)

    def _each(self, values: Mapping[str, Tensor]) -> Iterator[dict[str, Tensor]]:
        for k in range(len(self.leaves[0])):
            yield {name: value[k] for name, value in values.items()}


def latents_of(
    symmetry: Symmetry, count: int, device: torch.device, soft: Callable[[Tensor], Tensor], hold: Callable[[int], float]
) -> Latents:
    """For `count` elements. hold: size of a group → on the diagonal of latent orders: how firmly units stay in place.

    Signs start at the `hold` of groups of two: what may change, units against each other or a sign, is two ways.
    """
    orders: dict[str, Tensor] = {}
    rotations: dict[str, Tensor] = {}
    logarithms: dict[str, Tensor] = {}

    def of(shape: tuple[int, ...], diagonal: float) -> Tensor:
        eye = diagonal * torch.eye(shape[-1], device=device)
        return eye.expand(count, *shape[:-1], *eye.shape).clone().requires_grad_()

    for name, group in symmetry.groups.items():
        shape = symmetry.shape(name)
        if SymmetryClass.INVERTIBLE in group.classes:
            logarithms[name] = of(shape, 0.0)
        elif SymmetryClass.ORTHOGONAL in group.classes:
            rotations[name] = of((*shape[:-1], group.size - int(group.centered)), 1.0)
        elif SymmetryClass.PERMUTATION in group.classes:
            orders[name] = of(shape, hold(group.size))

    def of_units(group: str, kind: SymmetryClass) -> bool:
        return kind in symmetry.groups[group].classes and group not in rotations and group not in logarithms

    def filled(group: str, value: float) -> Tensor:
        return torch.full((count, *symmetry.shape(group)), value, device=device, requires_grad=True)

    scales = {
        name: filled(one.group, 0.0)
        for name, one in symmetry.scalings.items()
        if of_units(one.group, SymmetryClass.SCALING)
    }
    signs = {
        name: filled(one.group, hold(2))
        for name, one in symmetry.signings.items()
        if of_units(one.group, SymmetryClass.SIGNED)
    }
    return Latents(symmetry, soft, orders, rotations, logarithms, scales, signs)


def _bounded(latent: Tensor) -> Tensor:
    """Nearly the same where it is small. Shapes: (…, n, n) → the same, of a norm below `_LARGEST`."""
    return latent / (1 + latent.square().sum((-2, -1), keepdim=True) / _LARGEST**2).sqrt()


def _bounded_each(latent: Tensor) -> Tensor:
    return _LARGEST * (latent / _LARGEST).tanh()
