"""Stage `bridge`: a mode of a source and a mode of a target connected, and the loss of both domains on the way."""

from collections.abc import Sequence
from typing import cast

import pandas as pd

from gnnmc.config import ModelBlock, PathBlock, ProfileBlock
from gnnmc.connectivity import LinearPath, Path, fit_path, profile
from gnnmc.store import Cell, Execution, Request, Result, Task
from gnnmc.studies.stages.connect import usable
from gnnmc.studies.stages.graph import problem_of
from gnnmc.studies.stages.modes import common_of, mode_of

VERSION = 1

SOURCE, TARGET = "source", "target"


def bridge_task(
    graph: Cell,
    target: Cell,
    model: ModelBlock,
    ends: Sequence[tuple[Cell, Cell]],
    path: PathBlock,
    fitted_on: str | None,
    grid: ProfileBlock,
    endpoint: str,
    execution: Execution,
) -> Task:
    """The task that connects modes of a source with modes of a target; a curve is fitted to the loss of `fitted_on`."""
    config = {
        "model": model.differing(),
        "path": path.model_copy(update={"pairs": None}).differing(),
        "profile": grid.differing(),
        "endpoint": endpoint,
        "fitted_on": fitted_on,
    }
    words = path.kind + (f" fitted on the {fitted_on}" if fitted_on else "")
    label = f"{graph.label} — {target.label} {model.name} {words}"
    cells = [
        Cell("bridge", VERSION, config, {"graph": graph, "target": target, "a": a, "b": b}, label=label)
        for a, b in ends
    ]
    return Task(bridge_domains, tuple(cells), execution)


def bridge_domains(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """graph, target, a mode of each → `profile` and `barriers` with the column `domain`, and `about` (status, lengths).

    Each domain has its own splits, and its own classes: those of the source must be those of the target. BatchNorm
    statistics by the rule of the profile: by default re-estimated at every point, on each domain for itself.
    """
    return [_bridged(request, execution) for request in requests]


def _bridged(request: Request, execution: Execution) -> Result:
    source, model = common_of([request])
    domains = {SOURCE: source, TARGET: problem_of(cast(Result, request.inputs["target"]))}
    a, b = (mode_of(cast(Result, request.inputs[role]), request.config["endpoint"]) for role in ("a", "b"))
    block, fitted_on = PathBlock(**request.config["path"]), request.config["fitted_on"]
    lost = pd.DataFrame(columns=["domain"])
    status = "ok" if usable(a, b) else f"an end diverged: {a.status if a.status != 'ok' else b.status}"
    if status == "ok" and source.num_outputs != domains[TARGET].num_outputs:
        status = f"other classes: {source.num_outputs} of the source and {domains[TARGET].num_outputs} of the target"
    if status != "ok":
        return {"profile": lost, "barriers": lost, "about": {"status": status, "distance": None, "length": None}}
    path: Path = LinearPath(a, b)
    if fitted_on is not None:
        settings = block.model_dump(exclude={"pairs"}) | execution.settings()
        path = fit_path(model, domains[fitted_on], a, b, **settings)
        if path.record.get("status", "ok") != "ok":
            status = f"the fitted curve {path.record['status']}"
            return {"profile": lost, "barriers": lost, "about": {"status": status, "distance": None, "length": None}}
    grid = ProfileBlock(**request.config["profile"]).model_dump()
    found = {name: profile(model, problem, path, **execution.settings(), **grid) for name, problem in domains.items()}
    first = found[SOURCE]
    return {
        "profile": pd.concat([each.frame().assign(domain=name) for name, each in found.items()], ignore_index=True),
        "barriers": pd.concat([each.barriers().assign(domain=name) for name, each in found.items()], ignore_index=True),
        "about": {"status": "ok", "distance": first.chord_length, "length": first.length},
    }
