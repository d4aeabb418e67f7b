"""Fit curves: train the control points between two modes (Garipov et al. 2018; science 2)."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gnnmc.connectivity.fit_in_turn import Fitted, fit_in_turn
from gnnmc.connectivity.fit_jointly import fit_jointly
from gnnmc.connectivity.fit_settings import DEFAULT_SCHEDULE, FitSettings
from gnnmc.connectivity.path import PATHS, LinearPath, Path
from gnnmc.engine import ENGINES, MEMORY, ModelFunction, NotTraceable, described, out_of_memory
from gnnmc.errors import InputError
from gnnmc.numbers import whole_number
from gnnmc.problem import Problem, require_problem
from gnnmc.training import ModuleOrFactory, module_of
from gnnmc.weights import finite, require_matching, to_device, weights_of

_LOG = logging.getLogger(__name__)


def fit_path(model: ModuleOrFactory, problem: Problem, a: object, b: object, **settings: Any) -> Path:
    """A path from a to b whose inner control points minimize E over t of the training loss on it.

    The curve that `fit_paths` gives for this pair alone, with the same keywords.

    Shapes:
        a, b: name → tensor each, shaped as the model's parameters and buffers
        .control_points: `points` of such dicts, the first a and the last b, on the CPU

    Raises InputError as `fit_paths` does.

    Source: Garipov et al. 2018; for graph networks Adam .01, 200–1000 steps (science 2).
    """
    return fit_paths(model, problem, [(a, b)], **settings)[0]


def fit_paths(
    model: ModuleOrFactory,
    problem: Problem,
    pairs: Iterable[tuple[object, object]],
    *,
    kind: str = "bezier",
    points: int = 3,
    steps: int = 400,
    lr: float = 0.01,
    l2: float | None = None,
    optimizer: str = "adam",
    momentum: float | None = None,
    batch_size: int | None = None,
    schedule: str = DEFAULT_SCHEDULE,
    dropout: bool = True,
    seed: int = 0,
    engine: str = "stacked",
    memory: int = MEMORY,
    device: str | torch.device = "auto",
) -> list[Path]:
    """A path of `kind` for each pair (a, b), as a fit of that pair alone would give, up to rounding.

    model: a module, or a factory as for `train`; its own weights do not matter.
    a, b: Modes or state_dicts; they stay as they are and are a path's ends. points: control points, ends included.
    One t ~ U(0, 1) a step. schedule: a name in SCHEDULES; by default the learning rate is constant for half of the
    steps, then falls linearly to 1 % at 90 %. momentum: of SGD (.9 unless given). batch_size: labeled items in a step,
    as for `train`; all by default.
    l2: weight of ½‖φ(t)‖² over the parameters of the point *on* the curve, in units of weight decay; by default the
    ends' own weight decay (5e-4 for ends that record none). dropout: as in training, or off
    (BatchNorm takes the statistics of the batch either way).
    seed: names the streams of t, of the order of mini-batches and of the model's own draws, the same for every pair.
    engine: "stacked" fits the curves together where the model allows; "loop" is the reference, one after another.
    memory: bytes that fitting together may take beside model and data; no more curves at once than fit, one at least.
    Returns new paths; a path's record has the settings, the fit's `loss` at every step, and the `status`: "ok", or
    "diverged at step k: …" where the loss or the weights stop being finite. That fit ends there and the path is that of
    step k, not one to measure; `loss` has the finite values up to it.

    Shapes:
        a, b: name → tensor each, shaped as the model's parameters and buffers
        .control_points: `points` of such dicts, the first a and the last b, on the CPU

    Raises InputError for ends that do not match or are not finite, for ends with different weight decays and no l2, for
    a model whose parameters are all frozen, for settings out of range, and for what is no model or no Problem.

    Source: Garipov et al. 2018; for graph networks Adam .01, 200–1000 steps (science 2).
    """
    chosen = FitSettings(
        kind=kind,
        points=points,
        steps=steps,
        lr=lr,
        l2=l2,
        optimizer=optimizer,
        momentum=momentum,
        batch_size=batch_size,
        schedule=schedule,
        dropout=dropout,
        seed=seed,
    )
    many, budget = ENGINES[engine].many_at_once, whole_number("memory", memory, least=1)
    module = module_of(model)
    function = ModelFunction(module, require_problem(problem), device)
    both = list(pairs)
    paths = [_start(function, a, b, chosen) for a, b in both]
    decays = [chosen.decay(a, b) for a, b in both]
    if not function.trainable_names:
        raise InputError("every parameter of the model is frozen (requires_grad=False): there is nothing to fit")
    if not paths or chosen.points == 2:
        fits = [Fitted([], [], "ok") for _ in paths]
    else:
        # Each begins with the model as it was given, whatever its forwards keep from one to the next.
        fits = _fit(lambda: ModelFunction(module, problem, function.device), paths, decays, chosen, many, budget)
    return [_finished(path, fit, chosen, decay) for path, fit, decay in zip(paths, fits, decays, strict=True)]


def _fit(
    fresh: Callable[[], ModelFunction],
    paths: list[Path],
    decays: list[float],
    chosen: FitSettings,
    many: bool,
    memory: int,
) -> list[Fitted]:
    about = {}
    if many:
        try:
            return fit_jointly(fresh(), paths, decays, chosen, memory)
        except NotTraceable as reason:
            _LOG.debug("one fit after another: %s", reason)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            _LOG.warning("%s: one fit after another", described(error))
            about = {"curves_at_once": 1}
    fits = [fit_in_turn(fresh(), path, decay, chosen) for path, decay in zip(paths, decays, strict=True)]
    return [replace(fit, about=about) for fit in fits]


def _finished(path: Path, fit: Fitted, chosen: FitSettings, decay: float) -> Path:
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
