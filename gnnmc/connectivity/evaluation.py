"""Loss and metrics at points of a path or a plane, each after its transforms and the rule for BatchNorm."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from gnnmc.connectivity.path import Floats
from gnnmc.connectivity.transform import Transform, transformed
from gnnmc.engine import ENGINES, Combinations, ModelFunction, evaluate_points, has_batchnorm, reestimate_batchnorm
from gnnmc.registry import unknown_name
from gnnmc.weights import Weights

BATCHNORM = ("reestimate", "stored")


def check_rules(batchnorm: str, engine: str) -> None:
    """Raise InputError for a rule for BatchNorm or an engine that there is not."""
    if batchnorm not in BATCHNORM:
        raise unknown_name("batchnorm rule", batchnorm, BATCHNORM)
    ENGINES[engine]


class Surface(Protocol):
    """What a path and a plane have in common: combinations of control points, by coordinate."""

    control_points: list[dict[str, Tensor]]

    def coefficients(self, coords: Any) -> Floats:
        """Shapes: T coordinates → (T, J), rows summing to 1."""

    def point(self, coord: Any) -> dict[str, Tensor]:
        """The weights at one coordinate."""


class Evaluation:
    """Evaluates a function at coordinates of a surface that is on its device."""

    def __init__(
        self,
        function: ModelFunction,
        surface: Surface,
        ends: tuple[Weights, Weights],
        transforms: Sequence[Transform],
        batchnorm: str,
        engine: str,
    ) -> None:
        self._function, self._surface, self._ends, self._transforms = function, surface, ends, transforms
        self.reestimates = batchnorm == "reestimate" and has_batchnorm(function.module)
        self._many = Combinations(function) if ENGINES[engine].many_at_once else None

    def measure(self, coords: Sequence[Any], along: Sequence[float] | None = None) -> Floats:
        """Loss and metrics of every split. along: the t that transforms are told, the coordinates by default.

        Shapes: T coordinates → (T, S, 1 + M).
        """
        if self._many and not self._transforms and not self.reestimates:
            coefficients = torch.as_tensor(self._surface.coefficients(coords))
            found = self._many.measure(self._surface.control_points, coefficients)
            if found is not None:
                return found.cpu().numpy()
        points = self._points(coords, along)
        fresh = (reestimate_batchnorm(self._function, point) for point in points) if self.reestimates else points
        return evaluate_points(self._function, fresh).double().numpy()

    def with_stored_statistics(self, coords: Sequence[Any]) -> Floats:
        """The same without re-estimation. Shapes: T coordinates → (T, S, 1 + M)."""
        return evaluate_points(self._function, self._points(coords, None)).double().numpy()

    def _points(self, coords: Sequence[Any], along: Sequence[float] | None) -> Iterator[dict[str, Tensor]]:
        for coord, t in zip(coords, coords if along is None else along, strict=True):
            yield transformed(self._function, t, self._surface.point(coord), self._ends, self._transforms)
