"""Stages `path` and `profile`: two modes connected, and what is on the way."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias, cast

import numpy as np
import pandas as pd
from torch import Tensor, nn

from gnnmc.config import ModelBlock, PathBlock, ProfileBlock
from gnnmc.connectivity import BARRIERS, PATHS, LinearPath, Path, Transform, fit_many, profile
from gnnmc.connectivity.files import by_number, from_numbers
from gnnmc.diagnostics import Diagnostic
from gnnmc.problem import Problem
from gnnmc.store import Cell, Execution, Request, Result, Task
from gnnmc.studies.stages.modes import by_graph, common_of, mode_of
from gnnmc.symmetry import repair
from gnnmc.training import VARY
from gnnmc.weights import Mode

# A mode's cell and the number it goes by among those of its graph and model.
Numbered: TypeAlias = tuple[int, Cell]

# What may be done to every point of a path, by the name that a config has for it.
_TRANSFORMS: Mapping[str, Callable[..., Transform]] = {"repair": repair}

PATH_VERSION = 6
PROFILE_VERSION = 4


def connect_tasks(
    graphs: Sequence[Cell],
    model: ModelBlock,
    pairs: Sequence[Sequence[tuple[Numbered, Numbered]]],
    path: PathBlock,
    grid: ProfileBlock,
    endpoint: str,
    execution: Execution,
) -> tuple[list[Task], list[list[tuple[int, int, Cell]]]]:
    """Tasks that connect pairs by one kind of path and profile it; and of each graph (number a, number b, the profile).

    pairs: of each graph. The graphs are of one shape, so that the curves of all pairs are one task; the profiles of a
    graph are one, having its data and model in common.
    """
    # How many pairs get the path decides which cells there are, not what is in them.
    shared = {
        "model": model.differing(),
        "path": path.model_copy(update={"pairs": None}).differing(),
        "endpoint": endpoint,
    }
    curves: list[list[Cell]] = []
    profiles: list[list[tuple[int, int, Cell]]] = []
    for graph, of_graph in zip(graphs, pairs, strict=True):
        curves.append([])
        profiles.append([])
        for (number_a, a), (number_b, b) in of_graph[: path.pairs] if path.pairs else of_graph:
            inputs: dict[str, Cell | tuple[Cell, ...]] = {"graph": graph, "a": a, "b": b}
            label = f"{graph.label} {model.name} {path.kind} {number_a}–{number_b}"
            if path.kind != LinearPath.kind:
                fitted = Cell("path", PATH_VERSION, shared, inputs, label=label)
                curves[-1].append(fitted)
                inputs = inputs | {"path": fitted}
            cell = Cell("profile", PROFILE_VERSION, shared | {"profile": grid.differing()}, inputs, label=label)
            profiles[-1].append((number_a, number_b, cell))
    parts = tuple(tuple(some) for some in curves if some)
    tasks = [Task(fit_paths, tuple(itertools.chain(*parts)), execution, parts)] if parts else []
    tasks += [Task(profile_paths, tuple(cell for _, _, cell in some), execution) for some in profiles]
    return tasks, profiles


def fit_paths(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """graph and two modes → `inner` control points and the fit's `record`; both empty where an end diverged.

    The requests are of one model and path; those of one graph follow each other.
    """
    settings = PathBlock(**requests[0].config["path"]).model_dump(exclude={"pairs"})
    pairs = [[ends_of(request) for request in some] for some in by_graph(requests)]
    sound = [[pair for pair in some if usable(*pair)] for some in pairs]
    asked = [
        (model, problem, some)
        for (problem, model), some in zip(map(common_of, by_graph(requests)), sound, strict=True)
        if some
    ]
    fitted = itertools.chain(*fit_many(asked, **execution.settings(), **settings))
    return [_fitted(next(fitted)) if usable(*pair) else {"inner": {}, "record": {}} for some in pairs for pair in some]


def _fitted(path: Path) -> Result:
    return {"inner": by_number(path.control_points[1:-1], first=1), "record": path.record}


def profile_paths(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """graph, two modes and a path → `profile` and `barriers` (tables), and `about` (status, lengths, diagnostics).

    `moved`: what stands for the second mode once it is moved onto the first. `transform` of the config: what is done to
    every point. The requests are of one graph and model.
    """
    problem, model = common_of(requests)
    return [profiled(request, problem, model, execution) for request in requests]


def profiled(request: Request, problem: Problem, model: nn.Module, execution: Execution) -> Result:
    """What `profile_paths` gives of one request, on any problem that its model can be asked about."""
    a, b = ends_of(request)
    block = PathBlock(**request.config["path"])
    if (status := status_of(request, a, b)) != "ok":
        code = "GMC014" if usable(a, b) else "GMC012"
        lost = Diagnostic(code, f"{block.kind} path {a.seed}–{b.seed}: {status}")
        lost_about = {"status": status, "distance": None, "length": None, "diagnostics": records([lost])}
        return {"profile": pd.DataFrame(), "barriers": _lost_barriers(problem), "about": lost_about}
    path = path_of(request, block, a, b)
    grid = ProfileBlock(**request.config["profile"]).model_dump()
    transforms = [
        _TRANSFORMS[name](model, problem, device=execution.device) for name in request.config.get("transforms", ())
    ]
    result = profile(model, problem, path, transforms=transforms, **execution.settings(), **grid)
    found = result.diagnostics()
    if a.init_digest == b.init_digest and "init" in VARY[a.settings.get("vary", "all")]:
        found.append(Diagnostic("GMC002", f"seeds {a.seed} and {b.seed} start from equal weights"))
    about = {
        "status": "ok",
        "distance": result.chord_length,
        "length": result.length,
        "diagnostics": records(found),
    }
    if result.points_at_once:
        about["points_at_once"] = result.points_at_once
    along = result.frame()
    along["arc_length"] = np.repeat(result.arc_length, len(result.splits))
    return {"profile": along, "barriers": result.barriers(), "about": about}


def _lost_barriers(problem: Problem) -> pd.DataFrame:
    """A row for every barrier that could not be measured, so that none is lost from sight."""
    keys = itertools.product(problem.splits, problem.columns, BARRIERS)
    return pd.DataFrame(keys, columns=["split", "metric", "barrier_kind"]).assign(barrier=np.nan)


def ends_of(request: Request) -> tuple[Mode, Mode]:
    """The two modes of a request, the second where it was moved to."""
    a, b = (mode_of(cast(Result, request.inputs[role]), request.config["endpoint"]) for role in ("a", "b"))
    if "moved" in request.inputs:
        weights = dict(cast(Mapping[str, Tensor], cast(Result, request.inputs["moved"])["moved"]))
        b = replace(b, best=weights) if b.endpoint == "best_val" else replace(b, last=weights)
    return a, b


def status_of(request: Request, a: Mode, b: Mode) -> str:
    """ "ok", or why there is nothing to profile: an end or the fitted curve diverged."""
    lost = [f"end {mode.seed} {mode.status}" for mode in (a, b) if mode.status != "ok"]
    if not lost and "path" in request.inputs:
        record = cast(Mapping[str, Any], cast(Result, request.inputs["path"])["record"])
        if record.get("status", "ok") != "ok":
            lost = [f"the fitted curve {record['status']}"]
    return "; ".join(lost) or "ok"


def usable(*modes: Mode) -> bool:
    """Whether none of the modes diverged."""
    return all(mode.status == "ok" for mode in modes)


def path_of(request: Request, block: PathBlock, a: Mode, b: Mode) -> Path:
    if "path" not in request.inputs:
        return LinearPath(a, b)
    stored = cast(Result, request.inputs["path"])
    points = from_numbers(cast(Mapping[str, Tensor], stored["inner"]), block.points - 2, first=1)
    return PATHS[block.kind](a, *points, b, record=cast(dict[str, Any], stored["record"]))


def records(found: Sequence[Diagnostic]) -> list[dict[str, str]]:
    """Diagnostics as a result keeps them."""
    return [{"code": diagnostic.code, "message": diagnostic.message} for diagnostic in found]
