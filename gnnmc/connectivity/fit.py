"""Fit curves: train the control points between two modes (Garipov et al. 2018; science 2)."""

from collections.abc import Iterable
from typing import Any

import torch

from gnnmc.connectivity.fit_many import fit_many
from gnnmc.connectivity.fit_settings import DEFAULT_SCHEDULE
from gnnmc.connectivity.path import Path
from gnnmc.engine import MEMORY
from gnnmc.problem import Problem
from gnnmc.training import ModuleOrFactory


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
    return fit_many(
        [(model, problem, pairs)],
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
        engine=engine,
        memory=memory,
        device=device,
    )[0]
