"""Stages `across` and `carry`: what was trained on a source, evaluated on a target. Target labels are used here."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import pandas as pd
import torch
from torch import Tensor, nn

from gnnmc.engine.function import private_copy
from gnnmc.errors import InputError
from gnnmc.problem import Problem, target_problem
from gnnmc.similarity import squared_mmd
from gnnmc.similarity.samples import drawn_rows
from gnnmc.store import Cell, Execution, Request, Result, Task
from gnnmc.studies.stages.connect import profiled
from gnnmc.studies.stages.graph import problem_of
from gnnmc.studies.stages.modes import common_of, mode_of
from gnnmc.training.hidden import HiddenActivations
from gnnmc.weights import Mode

ACROSS_VERSION = 1
CARRY_VERSION = 1


def across_task(profiles: Sequence[Cell], target: Cell, execution: Execution) -> Task:
    """The task that evaluates profiled paths of one source and model on a target, in the order of the profiles."""
    return Task(
        profile_across,
        tuple(
            Cell(
                "across",
                ACROSS_VERSION,
                cell.config,
                {**cell.inputs, "target": target},
                label=f"{cell.label} on {target.label}",
            )
            for cell in profiles
        ),
        execution,
    )


def profile_across(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """graph, target, two modes and a path → as stage `profile` gives, on the target as `on_target` splits it.

    BatchNorm statistics by the rule of the profile: by default re-estimated, at every point and on the target, for a
    curve is compared with one of modes that are at home there. The requests are of one source, target and model.
    """
    problem, model = common_of(requests)
    target = on_target(problem_of(cast(Result, requests[0].inputs["target"])), problem)
    return [profiled(request, target, model, execution) for request in requests]


def on_target(target: Problem, source: Problem) -> Problem:
    """The target with the source's classes: split "test" is its own, "train" all other labeled items.

    Nothing is trained on either; what is told of "train" rests on no label that the transfer gap rests on.
    """
    seen = target_problem(target, source)
    labeled, test = seen.splits["train"], target.splits["test"]
    return replace(seen, splits={"train": labeled[~torch.isin(labeled, test)], "test": test})


def carry_task(
    graph: Cell, target: Cell, model: Mapping[str, Any], endpoint: str, most: int, modes: Sequence[Cell], ex: Execution
) -> Task:
    """The task that evaluates modes of one source, model and method on a target."""
    config = {"model": model, "endpoint": endpoint, "most": most}
    inputs = {"graph": graph, "target": target}
    return Task(
        carry_modes,
        tuple(Cell("carry", CARRY_VERSION, config, inputs | {"mode": mode}, label=mode.label) for mode in modes),
        ex,
    )


def carry_modes(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """graph, target and a mode → `measured` (one row per split of the target: loss, metrics), `about`.

    about: `status`; `embedding_mmd`, the squared MMD of the mode's embeddings of both domains, of `most` items each at
    most, drawn alike for all modes. BatchNorm statistics are as stored with the modes: what transfer costs is what one
    loses who uses a network as it was trained. The requests are of one pair and model.
    """
    problem, model = common_of(requests)
    target = on_target(problem_of(cast(Result, requests[0].inputs["target"])), problem)
    places = problem.to(execution.device or "cpu"), target.to(execution.device or "cpu")
    return [_carried(request, *places, model) for request in requests]


def _carried(request: Request, source: Problem, target: Problem, model: nn.Module) -> Result:
    mode = mode_of(cast(Result, request.inputs["mode"]), request.config["endpoint"])
    columns = list(target.columns)
    if mode.status != "ok":
        lost = pd.DataFrame({"split": list(target.splits)}).assign(**dict.fromkeys(columns, float("nan")))
        return {"measured": lost, "about": {"status": mode.status, "embedding_mmd": None}}
    rows = []
    for name, problem in (("source", source), ("target", target)):
        outputs, hidden = _shown(model, mode, problem)
        drawn = drawn_rows(len(hidden), request.config["most"], "embeddings", name)
        rows.append(hidden[drawn.to(hidden.device)])
    measured = pd.DataFrame(target.measure(outputs).cpu().numpy(), columns=columns)
    measured.insert(0, "split", list(target.splits))
    known = all(bool(torch.isfinite(each).all()) and each.numel() and len(each) > 1 for each in rows)
    distance = float(squared_mmd(rows[0], rows[1]).value) if known else None
    return {"measured": measured, "about": {"status": mode.status, "embedding_mmd": distance}}


@torch.no_grad()
def _shown(model: nn.Module, mode: Mode, problem: Problem) -> tuple[Tensor, Tensor]:
    """What a mode says of all items, and its embeddings of them; no columns without a hidden layer.

    Shapes: (N, C), (N, F).
    """
    module = private_copy(model).to(problem.device).eval()
    module.load_state_dict(mode.weights)
    try:
        with HiddenActivations(module) as heard:
            outputs = problem.outputs(module)
    except InputError:
        outputs = problem.outputs(module)
        return outputs, outputs[:, :0]
    return outputs, heard.rows.flatten(0, -2)
