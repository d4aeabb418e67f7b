"""The plane through three points of weight space: affine coordinates times the three points (design idea 2)."""

import copy
from collections.abc import Sequence
from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from gnnmc.connectivity.path import Floats, matching_copies
from gnnmc.errors import InputError
from gnnmc.weights import Weights, combine, finite

NAMES = ("the first point", "the second point", "the third point")

# Three points whose third is closer to the line through the others than this share of its distance lie on a line: with
# weights in single precision, rounding alone would decide where the plane is.
FLATNESS = 1e-4


class Plane:
    """The plane through a, b and c with an orthonormal frame: x from a to b, y from that line towards c (Gram–Schmidt).

    Coordinates are distances in weight space over the entries that count: a is (0, 0), b is (|b − a|, 0), and c has
    y > 0. All floating-point entries are combined, buffers included; others are those of the nearest of the points.

    a, b, c: Modes or state_dicts, which stay as they are.
    names: the entries that count in distances; all floating-point ones by default, without parameters that received a
    gradient at neither a nor b.
    control_points: the three points. positions: (3, 2) their coordinates.

    Raises InputError for points that do not match, that are not finite, that are equal, or that lie on one line.

    Source: Garipov et al. 2018; science 2.
    """

    def __init__(self, a: object, b: object, c: object, names: Sequence[str] | None = None) -> None:
        self.control_points = matching_copies([a, b, c], NAMES)
        unused = set(getattr(a, "unused", ())) & set(getattr(b, "unused", ()))
        self.names = tuple(
            name
            for name in (self.control_points[0] if names is None else names)
            if name not in unused and self.control_points[0][name].is_floating_point()
        )
        self.positions = self._frame()

    def coefficients(self, coords: ArrayLike) -> Floats:
        """Affine coordinates with respect to a, b and c; they sum to 1. Shapes: coords (T, 2) → (T, 3)."""
        given = np.asarray(coords, dtype=np.float64)
        if given.ndim != 2 or given.shape[1] != 2 or not np.isfinite(given).all():
            raise InputError(f"plane coordinates have shape {given.shape}: expected finite (x, y), shape (T, 2)")
        (_, (b, _), (c, height)) = self.positions
        # In this order of operations each of the three points gets exactly 1, 0 and 0.
        third = given[:, 1] / height
        second = (given[:, 0] - third * c) / b
        return np.stack([1 - second - third, second, third], axis=1)

    def point(self, coords: Sequence[float]) -> dict[str, Tensor]:
        """The weights at (x, y); entries that are not floating point are those of the nearest of the three points."""
        away = np.linalg.norm(self.positions - np.asarray(coords, dtype=np.float64), axis=1)
        return combine(self.control_points, self.coefficients([coords])[0].tolist(), int(away.argmin()))

    def with_points(self, points: Sequence[object]) -> Self:
        """The same frame over other copies of the three points, as on another device."""
        if len(points) != 3:
            raise InputError(f"a plane has 3 points; got {len(points)}")
        moved = copy.copy(self)
        moved.control_points = matching_copies(points, NAMES)
        return moved

    def project(self, points: Sequence[Weights]) -> tuple[Floats, Floats]:
        """Where points lie on the plane, and what is left over of them.

        Any combination Σ_j c_j·P_j whose coefficients sum to 1 lies at Σ_j c_j·(coordinates of P_j), at a distance of
        sqrt(cᵀ G c) from the plane. What equals one of the three points is exactly there.

        Shapes: J points → coordinates (J, 2), G (J, J).
        """
        known = [self._known(point) for point in points]
        coords = np.array([(0.0, 0.0) if number is None else self.positions[number] for number in known])
        left = np.zeros((len(points), len(points)))
        away = [j for j, number in enumerate(known) if number is None]
        if not away:
            return coords, left
        others = [points[j] for j in away]
        for name in self.names:
            coords[away] += (self._rows(others, name) @ self._directions(name).T).numpy()
        for name in self.names:
            rest = self._rows(others, name) - torch.as_tensor(coords[away]) @ self._directions(name)
            left[np.ix_(away, away)] += (rest @ rest.T).numpy()
        return coords, left

    def _frame(self) -> Floats:
        for point, name in zip(self.control_points, NAMES, strict=True):
            if not finite({entry: point[entry] for entry in self.names}):
                raise InputError(f"{name} has weights that are not finite: that training diverged, and spans no plane")
        square_b = square_c = between = product = 0.0
        for name in self.names:
            b, c = self._rows(self.control_points[1:], name)
            square_b, square_c, product = square_b + float(b @ b), square_c + float(c @ c), product + float(b @ c)
            between += float((c - b).square().sum())
        for square, pair in ((square_b, "first and second"), (square_c, "first and third"), (between, "last two")):
            if square <= 1e-12 * max(square_b, square_c):
                raise InputError(f"the {pair} points of the plane are equal: give three different points")
        length = square_b**0.5
        along = product / length
        # ‖c − a − (along/length)·(b − a)‖² summed itself: a difference of squares would lose what is small.
        height = 0.0
        for name in self.names:
            b, c = self._rows(self.control_points[1:], name)
            height += float((c - along / length * b).square().sum())
        height **= 0.5
        if height <= FLATNESS * square_c**0.5:
            raise InputError(
                "the three points of the plane lie on one line: give a third point off the line, "
                "such as the control point of a fitted curve"
            )
        return np.array([[0.0, 0.0], [length, 0.0], [along, height]])

    def _directions(self, name: str) -> Tensor:
        """The frame's two unit vectors, this entry's part. Shapes: (2, numel)."""
        (_, (length, _), (along, height)) = self.positions
        b, c = self._rows(self.control_points[1:], name)
        x = b / float(length)
        return torch.stack([x, (c - float(along) * x) / float(height)])

    def _rows(self, points: Sequence[Weights], name: str) -> Tensor:
        """One entry of every point less that of a, in double precision. Shapes: (J, numel)."""
        first = self.control_points[0][name].cpu().double().reshape(-1)
        return torch.stack([point[name].cpu().double().reshape(-1) - first for point in points])

    def _known(self, point: Weights) -> int | None:
        """Which of the three points this is, if any."""
        for number, own in enumerate(self.control_points):
            if all(torch.equal(own[name], point[name]) for name in self.names):
                return number
        return None
