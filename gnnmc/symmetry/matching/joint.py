"""All orders at once: Frank–Wolfe over doubly stochastic matrices in the place of orders.

Where weights lie between two groups, the best order of each depends on the other's, and ascent over the groups in turn
ends where the order at hand led it. From the middle of all orders, from which all groups are moved together, it ends
higher where groups are coupled (residual nets, ResNets, deep CNNs); `benchmarks/NOTES.md` has what was measured.

Source: Frank–Wolfe over the layers, Crisostomi et al. 2024; groups within groups, signs and the start are ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gnnmc.symmetry.element import Element
from gnnmc.symmetry.matching.family import Face, Family, Key, best_element, faces, flat_order, moves
from gnnmc.symmetry.matching.terms import inner, products, terms
from gnnmc.symmetry.symmetry import Symmetry

# A step gains less and less; the ascent that follows does the rest.
STEPS, ENOUGH = 30, 4e-4

# A matrix for each key. Shape (U, U), U the units of all copies of the group.
Matrices = dict[Key, Tensor]


@dataclass(frozen=True, eq=False)
class _Block:
    """Of a and of b, and the faces that move it."""

    a: Tensor
    b: Tensor
    faces: tuple[Face, ...]


class Joint:
    """⟨a, b moved by matrices⟩, as far as it depends on the families given.

    Families that are on a block in a way that no matrix for each has (`faces`) are left where they are.
    """

    def __init__(
        self,
        symmetry: Symmetry,
        counted: Sequence[str],
        a: Mapping[str, Tensor],
        b: Mapping[str, Tensor],
        moving: Sequence[Family],
    ) -> None:
        self._symmetry = symmetry
        names = {name for family in moving for name in family.names}
        found = list(terms(symmetry, counted, a, b, names))
        self._families = [
            family for family in moving if all(faces(symmetry, family, term) is not None for term in found)
        ]
        self._blocks = []
        for term in found:
            on = [face for family in self._families for face in faces(symmetry, family, term) or ()]
            if on:
                self._blocks.append(_Block(term.a, term.b, tuple(on)))
        self._sizes = {
            face.key: torch.Size(symmetry.shape(face.key[0])).numel() for block in self._blocks for face in block.faces
        }

    @property
    def is_linear(self) -> bool:
        """Whether no weights lie between two moved axes, so that each family can be assigned by itself."""
        return all(len(block.faces) == 1 for block in self._blocks)

    @property
    def largest(self) -> int:
        """Units of the largest group, of all copies together."""
        return max(self._sizes.values(), default=0)

    def middle(self) -> Matrices:
        """The mean of all orders (and, where units have signs, of all signs: 0)."""
        found = {}
        groups = {group.name: group for family in self._families for group in family.groups}
        for (name, labels), size in self._sizes.items():
            matrix = torch.ones(1, 1)
            for one in (*groups[name].outer, name):
                n = groups[one].size
                matrix = torch.kron(matrix, torch.full((n, n), 1 / n) if moves(groups[one]) else torch.eye(n))
            found[name, labels] = torch.zeros(size, size) if labels else matrix
        return found

    def value(self, at: Matrices) -> float:
        """The objective."""
        return sum(inner(block.a, _moved(block, at)) for block in self._blocks)

    def gradient(self, at: Matrices) -> Matrices:
        """In every matrix."""
        found = {key: torch.zeros(size, size) for key, size in self._sizes.items()}
        for block in self._blocks:
            for place, face in enumerate(block.faces):
                others = _moved(block, at, but=place)
                found[face.key] += products(block.a, others, face.axes).cpu()
        return found

    def best_of(self, gains: Matrices) -> Element:
        """The orders (and signs) with the largest Σ gains·matrix."""
        orders: dict[str, Tensor] = {}
        signs: dict[str, Tensor] = {}
        for family in self._families:
            of_family = {key: value for key, value in gains.items() if key[0] in family.names}
            found = best_element(self._symmetry, family, of_family)
            orders |= found.orders
            signs |= found.signs
        return Element(orders, signs=signs)

    def matrices(self, element: Element) -> Matrices:
        """Of orders and signs."""
        found = {}
        for (name, labels), size in self._sizes.items():
            matrix = torch.eye(size)[flat_order(self._symmetry, name, element.orders)]
            for label in set(labels) & element.signs.keys():
                matrix *= element.signs[label].reshape(-1, 1).to(matrix)
            found[name, labels] = matrix
        return found

    def ascend(self, at: Matrices) -> Element:
        """Steps towards the best orders for the gradient, each as far as is best; the orders nearest to the end."""
        degree = max(2, *(len(block.faces) for block in self._blocks))
        before = self.value(at)
        for _ in range(STEPS):
            gradient = self.gradient(at)
            vertex = self.matrices(self.best_of(gradient))
            toward = {key: vertex[key] - at[key] for key in at}
            slope = sum(float((gradient[key] * toward[key]).double().sum()) for key in at)
            share = self._best_share(at, toward, before, slope, degree)
            if share == 0:
                break
            at = {key: at[key] + share * toward[key] for key in at}
            after = self.value(at)
            if after - before <= ENOUGH * abs(after):
                break
            before = after
        return self.best_of(at)

    def _best_share(self, at: Matrices, toward: Matrices, here: float, slope: float, degree: int) -> float:
        """Where on [0, 1] the objective is highest: along the line it is a polynomial of this degree."""
        shares = np.linspace(0, 1, degree)[1:]
        values = [self.value({key: at[key] + float(share) * toward[key] for key in at}) for share in shares]
        powers = np.arange(2, degree + 1)
        higher = np.linalg.lstsq(shares[:, None] ** powers, np.array(values) - here - slope * shares, rcond=None)[0]
        line = np.polynomial.Polynomial([0, slope, *higher])
        turns = [float(root.real) for root in line.deriv().roots() if abs(root.imag) < 1e-9]
        return max([0.0, *(turn for turn in turns if 0 < turn < 1), 1.0], key=line)


def _moved(block: _Block, at: Matrices, but: int | None = None) -> Tensor:
    """The block of b moved on every face, but one if asked for."""
    value = block.b
    for place, face in enumerate(block.faces):
        if place == but:
            continue
        front = value.movedim(face.axes, tuple(range(len(face.axes))))
        sizes = front.shape[: len(face.axes)]
        matrix = at[face.key].to(value)
        mixed = (matrix @ front.reshape(len(matrix), -1)).reshape(*sizes, *front.shape[len(sizes) :])
        value = mixed.movedim(tuple(range(len(face.axes))), face.axes)
    return value
