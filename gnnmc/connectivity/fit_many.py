"""Fit curves on several problems, each as it would be alone; together where the problems are of one shape."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gnnmc.connectivity.fit_in_turn import Fitted, fit_in_turn
from gnnmc.connectivity.fit_jointly import Fitting, fit_jointly
from gnnmc.connectivity.fit_settings import FitSettings
from gnnmc.connectivity.path import PATHS, LinearPath, Path
from gnnmc.engine import ENGINES, MEMORY, ModelFunction, attempt
from gnnmc.errors import InputError
from gnnmc.numbers import whole_number
from gnnmc.problem import Problem, require_problem
from gnnmc.training import ModuleOrFactory, module_of, settings_of, triples
from gnnmc.weights import finite, require_matching, to_device, weights_of


def fit_many(
    fittings: Iterable[tuple[ModuleOrFactory, Problem, Iterable[tuple[object, object]]]],
    *,
    engine: str = "stacked",
    memory: int = MEMORY,
    device: str | torch.device = "auto",
    **settings: Any,
) -> list[list[Path]]:
    """Fit on several problems: for each (model, problem, pairs) the paths that `fit_paths` gives of it.

    Keywords are those of `fit_paths`. With engine="stacked" the curves of all problems are fitted together where one
    model does the same on all of them, on graphs of as many nodes and features say, where each has as many pairs, and
    where all fit in the memory; else one problem after another. The numbers are the same up to rounding.

    Shapes:
        returns: for each fitting a list of a Path per pair, in their order; .control_points: `points` of name → tensor

    Raises InputError as `fit_paths` does.
    """
    chosen = settings_of(FitSettings, settings, ("engine", "memory", "device"))
    together, budget = ENGINES[engine].many_at_once, whole_number("memory", memory, least=1)
    asked = triples(fittings, "(model, problem, pairs)")
    checked = [_Checked.of(module_of(model), problem, pairs, chosen, device) for model, problem, pairs in asked]
    fits = _fit(checked, chosen, together, budget)
    return [each.finished(made, chosen) for each, made in zip(checked, fits, strict=True)]


@dataclass(frozen=True)
class _Checked:
    """paths: with control points evenly on the line between the ends, on the device."""

    module: nn.Module
    problem: Problem
    device: torch.device
    paths: list[Path]
    decays: list[float]

    @staticmethod
    def of(
        module: nn.Module,
        problem: Problem,
        pairs: Iterable[tuple[object, object]],
        chosen: FitSettings,
        device: str | torch.device,
    ) -> "_Checked":
        function = ModelFunction(module, require_problem(problem), device)
        both = list(pairs)
        paths = [_start(function, a, b, chosen) for a, b in both]
        decays = [chosen.decay(a, b) for a, b in both]
        if not function.trainable_names:
            raise InputError("every parameter of the model is frozen (requires_grad=False): there is nothing to fit")
        return _Checked(module, problem, function.device, paths, decays)

    def fresh(self) -> ModelFunction:
        """Each fit begins with the model as it was given, whatever its forwards keep from one to the next."""
        return ModelFunction(self.module, self.problem, self.device)

    def finished(self, fits: Sequence[Fitted], chosen: FitSettings) -> list[Path]:
        """The paths, on the CPU, with their records."""
        return [_finished(*each, chosen) for each in zip(self.paths, fits, self.decays, strict=True)]


def _fit(checked: Sequence[_Checked], chosen: FitSettings, together: bool, memory: int) -> list[list[Fitted]]:
    def one_by_one() -> list[list[Fitted]]:
        return [_fit_one(each, chosen, together, memory) for each in checked]

    if not together or len(checked) < 2 or chosen.points == 2 or not all(each.paths for each in checked):
        return one_by_one()
    return attempt(lambda: _jointly(checked, chosen, memory), one_by_one, "one problem after another", _note_problems)


def _note_problems(fits: list[list[Fitted]]) -> None:
    for of_problem in fits:
        for fit in of_problem:
            fit.about.setdefault("curves_at_once", len(of_problem))


def _fit_one(checked: _Checked, chosen: FitSettings, together: bool, memory: int) -> list[Fitted]:
    if not checked.paths or chosen.points == 2:
        return [Fitted([], [], "ok") for _ in checked.paths]

    def in_turn() -> list[Fitted]:
        pairs = zip(checked.paths, checked.decays, strict=True)
        return [fit_in_turn(checked.fresh(), path, decay, chosen) for path, decay in pairs]

    def jointly() -> list[Fitted]:
        return _jointly([checked], chosen, memory)[0]

    return attempt(jointly, in_turn, "one fit after another", _note_turns) if together else in_turn()


def _note_turns(fits: list[Fitted]) -> None:
    for fit in fits:
        fit.about["curves_at_once"] = 1


def _jointly(checked: Sequence[_Checked], chosen: FitSettings, memory: int) -> list[list[Fitted]]:
    return fit_jointly([Fitting(each.fresh(), each.paths, each.decays) for each in checked], chosen, memory)


def _finished(path: Path, fit: Fitted, decay: float, chosen: FitSettings) -> Path:
    first, *_, last = path.control_points
    points = [first, *(fit.inner or path.control_points[1:-1]), last]
    status = fit.status
    if status == "ok" and not all(finite(point) for point in points[1:-1]):
        status = f"diverged at step {len(fit.losses)}: the weights are not finite"
    fitted = path.with_points([to_device(point, torch.device("cpu")) for point in points])
    fitted.record = chosen.record(decay, fit.losses, status) | fit.about
    return fitted


def _start(function: ModelFunction, a: object, b: object, chosen: FitSettings) -> Path:
    """A path on the function's device whose control points are evenly on the line from a to b."""
    ends: list[dict[str, Tensor]] = [
        function.load(weights_of(end), f"the {name} end") for end, name in ((a, "first"), (b, "second"))
    ]
    require_matching(ends[0], ends[1], "the first end", "the second end")
    for end, name in zip(ends, ("first", "last"), strict=True):
        if not finite(end):
            raise InputError(f"the path's {name} end has weights that are not finite: train it again, or leave it out")
    line = LinearPath(*ends)
    inner = [line.point(s) for s in np.linspace(0, 1, chosen.points)[1:-1].tolist()]
    # Made from what was given, which may state what is unused; then moved to the device.
    return PATHS[chosen.kind](a, *inner, b).with_points([ends[0], *inner, ends[1]])
