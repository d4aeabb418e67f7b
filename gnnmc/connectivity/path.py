"""Paths: basis functions of t times control points, φ(t) = Σ_j c_j(t)·P_j (design idea 2)."""

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from gnnmc.errors import InputError
from gnnmc.registry import Registry
from gnnmc.weights import clone, combine, require_matching, weights_of

Floats = NDArray[np.float64]

# Chords that a curve's length is the sum of, at least.
FINE = 2048


class Path(ABC):
    """A curve in weight space from the first control point (t = 0) to the last (t = 1).

    control_points: J dicts, name → tensor; copies, so the modes they came from stay as they are.
    unused: parameters that received a gradient at neither end; a plain state_dict states none.
    record: how the path came about (fit settings), as JSON values.
    Whatever else a subclass keeps (knots) goes along with `with_points` and, as JSON values, into its file.
    """

    kind: ClassVar[str]
    most: ClassVar[int | None] = None
    straight: ClassVar[bool] = False  # between its breaks

    def __init__(self, *points: object, record: dict[str, Any] | None = None) -> None:
        self.check_count(len(points))
        self.control_points = matching_copies(points)
        # Of the ends only: points between them are made from weights and state nothing.
        self.unused = sorted(set(getattr(points[0], "unused", ())) & set(getattr(points[-1], "unused", ())))
        self.record = dict(record or {})

    @classmethod
    def check_count(cls, points: int) -> None:
        """Raise InputError unless a path of this kind can have so many control points, ends included."""
        if points < 2 or (cls.most is not None and points > cls.most):
            allowed = "at least 2" if cls.most is None else f"exactly {cls.most}"
            raise InputError(f"a {cls.kind} path has {allowed} control points, ends included; got {points}")

    @abstractmethod
    def coefficients(self, coords: ArrayLike) -> Floats:
        """The basis functions c_j at the coordinates. Shapes: coords (T,) in [0, 1] → (T, J)."""

    @property
    def ends(self) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The weights at t = 0 and t = 1."""
        return self.control_points[0], self.control_points[-1]

    def point(self, t: float) -> dict[str, Tensor]:
        """The weights at t; entries that are not floating point are those of the nearer end."""
        nearest = 0 if t <= 0.5 else len(self.control_points) - 1
        return combine(self.control_points, self.coefficients([t])[0].tolist(), nearest)

    def with_points(self, points: Sequence[object]) -> Self:
        """The same path through other control points, as many; all else stays, what a subclass keeps included.

        Raises InputError for another number of points, and for points that do not match each other.
        """
        if len(points) != len(self.control_points):
            raise InputError(f"the path has {len(self.control_points)} control points; got {len(points)}: pass as many")
        moved = copy.copy(self)
        moved.control_points = matching_copies(points)
        moved.unused, moved.record = list(self.unused), dict(self.record)
        return moved

    def state(self) -> dict[str, Any]:
        """What the path is besides its control points and record, as JSON values, for its file.

        All of its attributes; a subclass with one that is no JSON value overrides this and `restore_state`.
        """
        return {name: value for name, value in vars(self).items() if name not in ("control_points", "record")}

    def restore_state(self, state: dict[str, Any]) -> None:
        """Take over what `state` gave, on a path that has its control points and record only."""
        vars(self).update(state)

    def arc_length(self, coords: ArrayLike, names: Sequence[str] | None = None) -> Floats:
        """Euclidean length of the path from t = 0 to each coordinate, whatever lies between the coordinates.

        Exact for straight pieces; for curves the sum of at least FINE chords, which falls short by less than 1e-6 of
        the length where the curve is smooth.

        Shapes: coords (T,) increasing → (T,). names: the entries that count; all floating-point ones by default,
        without parameters that never received a gradient.
        """
        return self.lengths(coords, names)[0]

    def chord_length(self, names: Sequence[str] | None = None) -> float:
        """Euclidean distance between the ends, over the same entries as `arc_length`."""
        return self.lengths([], names)[1]

    def lengths(self, coords: ArrayLike, names: Sequence[str] | None = None) -> tuple[Floats, float]:
        """`arc_length` and `chord_length`, after one look at the weights."""
        gram = self.gram(names)
        asked = _unit_interval(coords)
        between = np.array([]) if self.straight else np.linspace(0, 1, FINE + 1)
        fine = np.unique(np.concatenate([between, asked, self.breaks()]))
        steps = np.diff(self.coefficients(fine), axis=0)
        # ‖Σ_j Δc_j·P_j‖² = Δcᵀ G Δc with G the Gram matrix of P_j − P_0, since every basis sums to 1.
        squares = ((steps @ gram) * steps).sum(1)
        length = np.concatenate([[0.0], np.cumsum(np.sqrt(np.maximum(squares, 0.0)))])
        return length[np.searchsorted(fine, asked)], math.sqrt(gram[-1, -1])

    def breaks(self) -> Floats:
        """Coordinates between which the path is smooth: corners, and both ends. Shapes: (K,)."""
        return np.array([0.0, 1.0])

    def gram(self, names: Sequence[str] | None = None) -> Floats:
        """Inner products of the control points less the first one, over the same entries. Shapes: (J, J)."""
        chosen = [name for name in (self.control_points[0] if names is None else names) if name not in self.unused]
        total = np.zeros((len(self.control_points),) * 2)
        for name in chosen:
            if self.control_points[0][name].is_floating_point():
                first, *others = (point[name].reshape(-1) for point in self.control_points)
                shifted = first.new_empty(len(others), len(first), dtype=torch.float64)
                for row, other in zip(shifted, others, strict=True):
                    row.copy_(other).sub_(first)
                total[1:, 1:] += (shifted @ shifted.T).cpu().numpy()
        return total

    def save(self, path: str | FilePath) -> None:
        """Write one safetensors file with all control points; `load_path` reads it."""
        from gnnmc.connectivity.files import save_path

        save_path(path, self)

    def __repr__(self) -> str:
        status = self.record.get("status", "ok")
        troubled = "" if status == "ok" else f", {status}"
        return f"{type(self).__name__}({len(self.control_points)} control points{troubled})"


PATHS: Registry[type[Path]] = Registry("path")


@PATHS.register("linear")
class LinearPath(Path):
    """The straight line (1−t)·a + t·b, between Modes or state_dicts, which stay as they are.

    Shapes:
        a, b: name → tensor each, shaped as the model's parameters and buffers
        .coefficients(coords): (T,) in [0, 1] → (T, 2)

    Raises InputError for points whose names or shapes differ, and for coordinates outside of [0, 1].
    """

    kind = "linear"
    most = 2
    straight = True

    def __init__(self, a: object, b: object, *, record: dict[str, Any] | None = None) -> None:
        super().__init__(a, b, record=record)

    def coefficients(self, coords: ArrayLike) -> Floats:
        t = _unit_interval(coords)
        return np.stack([1 - t, t], axis=1)


@PATHS.register("polygonal")
class PolygonalPath(Path):
    """Straight pieces through all control points (Modes or state_dicts), each piece taking an equal share of t.

    Shapes:
        points: name → tensor each, shaped as the model's parameters and buffers
        .coefficients(coords): (T,) in [0, 1] → (T, J)

    Raises InputError for points whose names or shapes differ, and for coordinates outside of [0, 1].
    """

    kind = "polygonal"
    straight = True

    def coefficients(self, coords: ArrayLike) -> Floats:
        t = _unit_interval(coords)
        pieces = len(self.control_points) - 1
        position = t * pieces
        # Hat functions: 1 at the point's own node, falling to 0 at its neighbors.
        return np.clip(1 - np.abs(position[:, None] - np.arange(pieces + 1)), 0, 1)

    def breaks(self) -> Floats:
        return np.linspace(0, 1, len(self.control_points))


@PATHS.register("bezier")
class BezierPath(Path):
    """The Bézier curve of degree J − 1: Bernstein polynomials times control points (Modes or state_dicts).

    Shapes:
        points: name → tensor each, shaped as the model's parameters and buffers
        .coefficients(coords): (T,) in [0, 1] → (T, J)

    Raises InputError for points whose names or shapes differ, and for coordinates outside of [0, 1].

    Source: Garipov et al. 2018.
    """

    kind = "bezier"

    def coefficients(self, coords: ArrayLike) -> Floats:
        t = _unit_interval(coords)[:, None]
        degree = len(self.control_points) - 1
        j = np.arange(degree + 1)
        binomial = np.array([math.comb(degree, int(k)) for k in j], dtype=float)
        return binomial * t**j * (1 - t) ** (degree - j)


def matching_copies(points: Sequence[object], names: Sequence[str] | None = None) -> list[dict[str, Tensor]]:
    """Copies of the weights; `names`: what the points are called in an error, control points by default.

    Raises InputError for points that do not match the first one.
    """
    copies = [clone(weights_of(point)) for point in points]
    called = [f"control point {number}" for number in range(len(copies))] if names is None else names
    for point, name in zip(copies[1:], called[1:], strict=True):
        require_matching(copies[0], point, called[0], name)
    return copies


def _unit_interval(coords: ArrayLike) -> Floats:
    t = np.asarray(coords, dtype=float)
    if t.ndim != 1 or not bool(np.all((t >= 0) & (t <= 1))):
        raise InputError(f"path coordinates are {t.tolist()}; expected a list of numbers in [0, 1]")
    return t
