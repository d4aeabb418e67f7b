"""Fit a curve: train the control points between two modes (Garipov et al. 2018; science 2)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gnnmc.connectivity.path import PATHS, LinearPath, Path
from gnnmc.engine import ModelFunction
from gnnmc.errors import InputError
from gnnmc.problem import Problem, require_problem
from gnnmc.seeding import forked, numpy_generator
from gnnmc.training import (
    SCHEDULES,
    BatchOrder,
    LearningRate,
    ModuleOrFactory,
    make_optimizer,
    module_of,
    real_number,
    require_optimizer,
    share,
    whole_number,
)
from gnnmc.weights import finite, require_matching, to_device, weights_of

# train's default, for ends that do not say what they were trained with (a plain state_dict).
DEFAULT_L2 = 5e-4
DEFAULT_SCHEDULE = "garipov"


def fit_path(
    model: ModuleOrFactory,
    problem: Problem,
    a: object,
    b: object,
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
    device: str | torch.device = "auto",
) -> Path:
    """A path of `kind` from a to b whose inner control points minimize E over t of the training loss on it.

    model: a module, or a factory as for `train`; its own weights do not matter.
    a, b: Modes or state_dicts; they stay as they are and are the path's ends. points: control points, ends included.
    One t ~ U(0, 1) a step. schedule: a name in SCHEDULES; by default the learning rate is constant for half of the
    steps, then falls linearly to 1 % at 90 %. momentum: of SGD (.9 unless given). batch_size: labeled items in a step,
    as for `train`; all by default.
    l2: weight of ½‖φ(t)‖² over the parameters of the point *on* the curve, in units of weight decay; by default the
    ends' own weight decay (5e-4 for ends that record none). dropout: as in training, or off
    (BatchNorm takes the statistics of the batch either way).
    Returns a new path; its record has the settings, the fit's `loss` at every step, and the `status`: "ok", or
    "diverged at step k: …" where the loss or the weights stop being finite. The fit ends there and the path is that of
    step k, not one to measure; `loss` has the finite values up to it.

    Shapes:
        a, b: name → tensor each, shaped as the model's parameters and buffers
        .control_points: `points` of such dicts, the first a and the last b, on the CPU

    Raises InputError for ends that do not match or are not finite, for ends with different weight decays and no l2, for
    a model whose parameters are all frozen, for settings out of range, and for what is no model or no Problem.

    Source: Garipov et al. 2018; for graph networks Adam .01, 200–1000 steps (science 2).
    """
    points, steps = whole_number("points", points), whole_number("steps", steps, least=1)
    lr, seed = real_number("lr", lr, zero=False), whole_number("seed", seed)
    PATHS[kind].check_count(points)
    options = _options(optimizer, momentum, batch_size, schedule)
    function = ModelFunction(module_of(model), require_problem(problem), device)
    path = _start(function, a, b, kind, points)
    for end, name in zip(path.ends, ("first", "last"), strict=True):
        if not finite(end):
            raise InputError(f"the path's {name} end has weights that are not finite: train it again, or leave it out")
    decay = _ends_weight_decay(a, b) if l2 is None else real_number("l2", l2, zero=True)
    trained = function.trainable_names
    if not trained:
        raise InputError("every parameter of the model is frozen (requires_grad=False): there is nothing to fit")
    inner = path.control_points[1:-1]
    leaves = [point[name].requires_grad_() for point in inner for name in trained]
    for point in inner:
        point |= {name: point[original] for name, original in function.tied.items()}
    log: list[float] = []
    status = "ok"
    if leaves:
        chosen = make_optimizer(optimizer, leaves, lr, 0.0, options.get("momentum"))
        rate = LearningRate(chosen, schedule, steps)
        order = BatchOrder(function.problem.splits["train"], options.get("batch_size"), "fit", "order", seed)
        coords = numpy_generator("fit", "t", seed).uniform(size=steps)
        with forked("fit", "dropout", seed, device=function.device):
            for step, t in enumerate(coords.tolist()):
                rate.set(step)
                chosen.zero_grad(set_to_none=True)
                weights = path.point(t)
                loss = function.loss(weights, order.next(), training=True, dropout=dropout)
                value = float(loss.detach())
                if not np.isfinite(value):
                    status = f"diverged at step {step + 1}: the loss is not finite"
                    break
                log.append(value)
                if decay:
                    loss = loss + 0.5 * decay * _square_norm(weights, trained)
                loss.backward()
                chosen.step()
        if status == "ok" and not all(finite(point) for point in inner):
            status = f"diverged at step {len(log)}: the weights are not finite"
    fitted = path.with_points([to_device(point, torch.device("cpu")) for point in path.control_points])
    fitted.record = {
        "kind": kind,
        "points": points,
        "steps": steps,
        "lr": lr,
        "l2": decay,
        "optimizer": optimizer,
        "dropout": dropout,
        "seed": seed,
        "loss": log,
        "status": status,
        **options,
    }
    return fitted


def _start(function: ModelFunction, a: object, b: object, kind: str, points: int) -> Path:
    """A path on the function's device whose control points are evenly on the line from a to b."""
    ends = function.load(weights_of(a), "the first end"), function.load(weights_of(b), "the second end")
    require_matching(*ends, "the first end", "the second end")
    line = LinearPath(*ends)
    inner = [line.point(s) for s in np.linspace(0, 1, points)[1:-1].tolist()]
    # Made from what was given, which may state what is unused; then moved to the device.
    return PATHS[kind](a, *inner, b).with_points([ends[0], *inner, ends[1]])


def _ends_weight_decay(a: object, b: object) -> float:
    stated = [getattr(end, "settings", {}).get("weight_decay") for end in (a, b)]
    known = {float(value) for value in stated if value is not None}
    if len(known) > 1:
        raise InputError(f"the ends were trained with different weight decays {sorted(known)}: say which with l2=")
    return known.pop() if known else DEFAULT_L2


def _options(optimizer: str, momentum: float | None, batch_size: int | None, schedule: str) -> dict[str, Any]:
    """Those settings that differ from their defaults, checked; a record has them beside the others."""
    options: dict[str, Any] = {}
    if momentum is not None:
        options["momentum"] = share("momentum", momentum)
    if batch_size is not None:
        options["batch_size"] = whole_number("batch_size", batch_size, least=1)
    require_optimizer(optimizer, momentum)
    SCHEDULES[schedule]
    if schedule != DEFAULT_SCHEDULE:
        options["schedule"] = schedule
    return options


def _square_norm(weights: dict[str, Tensor], names: Sequence[str]) -> Tensor:
    return torch.stack([weights[name].square().sum() for name in names]).sum()
