"""Loss and metrics at points of a path or a plane, each after its transforms and the rule for BatchNorm."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from gnnmc.connectivity.path import Floats
from gnnmc.connectivity.transform import Transform, transformed
from gnnmc.engine import (
    ENGINES,
    ModelFunction,
    Prepared,
    evaluate_points,
    has_batchnorm,
    prepared,
    reestimate_batchnorm,
)
from gnnmc.numbers import whole_number
from gnnmc.problem import Problem
from gnnmc.registry import unknown_name
from gnnmc.training import ModuleOrFactory, module_of
from gnnmc.weights import Weights

BATCHNORM = ("reestimate", "stored")


@dataclass(frozen=True)
class How:
    """How points are evaluated. Raises InputError for a rule for BatchNorm or an engine that there is not."""

    batchnorm: str
    engine: str
    memory: int

    def __post_init__(self) -> None:
        if self.batchnorm not in BATCHNORM:
            raise unknown_name("batchnorm rule", self.batchnorm, BATCHNORM)
        ENGINES[self.engine]
        whole_number("memory", self.memory, least=1)

    @contextmanager
    def prepared(self, model: ModuleOrFactory, problem: Problem, device: str | torch.device) -> Iterator[Prepared]:
        """The model and the problem on the device; the reference engine's own copies."""
        module = module_of(model)
        if self.engine_is_many:
            with prepared(module, problem, device) as found:
                yield found
        else:
            yield Prepared(ModelFunction(module, problem, device))

    @property
    def engine_is_many(self) -> bool:
        """Whether points are evaluated together."""
        return ENGINES[self.engine].many_at_once


class Surface(Protocol):
    """What a path and a plane have in common: combinations of control points, by coordinate."""

    control_points: list[dict[str, Tensor]]

    def coefficients(self, coords: Any) -> Floats:
        """Shapes: T coordinates → (T, J), rows summing to 1."""

    def point(self, coord: Any) -> dict[str, Tensor]:
        """The weights at one coordinate."""


class Evaluation:
    """Evaluates a function at coordinates of a surface that is on its device.

    points_at_once: what memory made of the number of points, None where it was enough.
    """

    points_at_once: int | None = None

    def __init__(
        self,
        ready: Prepared,
        surface: Surface,
        ends: tuple[Weights, Weights],
        transforms: Sequence[Transform],
        how: How,
    ) -> None:
        self._function, self._surface, self._ends, self._transforms = ready.function, surface, ends, transforms
        self._how = how
        self.reestimates = how.batchnorm == "reestimate" and has_batchnorm(ready.function.module)
        self._many = ready.combinations(reestimate=self.reestimates) if how.engine_is_many and not transforms else None

    def measure(self, coords: Sequence[Any], along: Sequence[float] | None = None) -> Floats:
        """Loss and metrics of every split. along: the t that transforms are told, the coordinates by default.

        Shapes: T coordinates → (T, S, 1 + M).
        """
        if self._many:
            coefficients = torch.as_tensor(self._surface.coefficients(coords))
            found = self._many.measure(self._surface.control_points, coefficients, memory=self._how.memory)
            if found is not None:
                self.points_at_once = found.at_once or self.points_at_once
                return found.values.cpu().double().numpy()
        points = self._points(coords, along)
        fresh = (reestimate_batchnorm(self._function, point) for point in points) if self.reestimates else points
        return evaluate_points(self._function, fresh).double().numpy()

    def with_stored_statistics(self, coords: Sequence[Any]) -> Floats:
        """The same without re-estimation. Shapes: T coordinates → (T, S, 1 + M)."""
        return evaluate_points(self._function, self._points(coords, None)).double().numpy()

    def _points(self, coords: Sequence[Any], along: Sequence[float] | None) -> Iterator[dict[str, Tensor]]:
        for coord, t in zip(coords, coords if along is None else along, strict=True):
            yield transformed(self._function, t, self._surface.point(coord), self._ends, self._transforms)
