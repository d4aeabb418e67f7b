"""Stages `plane` and `planes`: losses around two modes and the curve between them, and all of them in one table."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pandas as pd

from gnnmc.config import PathBlock, PlaneBlock
from gnnmc.connectivity import plane
from gnnmc.store import Cell, Execution, Request, Result, Task
from gnnmc.studies.stages.connect import common_of, ends_of, path_of, status_of

VERSION = 2
GATHER_VERSION = 1

Labeled = Sequence[tuple[Mapping[str, Any], Cell]]


def plane_task(profile: Cell, block: PlaneBlock, execution: Execution) -> Task:
    """The task of the plane around a pair whose fitted curve `profile` was measured on."""
    shared = {name: profile.config[name] for name in ("model", "path", "endpoint")}
    config = shared | {"plane": block.model_copy(update={"graphs": 2}).differing()}
    return Task(make_planes, (Cell("plane", VERSION, config, profile.inputs, label=profile.label),), execution)


def gather_task(planes: Labeled) -> Task:
    """The task of the tables of all planes; each cell comes with the labels of its rows."""
    config = {"labels": [dict(labels) for labels, _ in planes]}
    inputs = {"planes": tuple(cell for _, cell in planes)}
    return Task(gather, (Cell("planes", GATHER_VERSION, config, inputs, label="planes"),))


def make_planes(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """graph, two modes and a fitted path → `plane`, `marks`, `line` (tables) and `about` (status, distance)."""
    return [_plane(request, execution) for request in requests]


def _plane(request: Request, execution: Execution) -> Result:
    a, b = ends_of(request)
    status = status_of(request, a, b)
    if status != "ok":
        empty = pd.DataFrame()
        return {"plane": empty, "marks": empty, "line": empty, "about": {"status": status, "path_distance": None}}
    problem, model = common_of([request])
    path = path_of(request, PathBlock(**request.config["path"]), a, b)
    points = PlaneBlock(**request.config["plane"]).points
    surface = plane(model, problem, a, b, path, points=points, **execution.settings())
    about: dict[str, Any] = {"status": "ok", "path_distance": surface.path_distance}
    if surface.points_at_once:
        about["points_at_once"] = surface.points_at_once
    return {
        "plane": surface.frame(),
        "marks": surface.marks(),
        "line": pd.DataFrame(surface.path, columns=["x", "y"]),
        "about": about,
    }


def gather(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """planes → `planes` (one row per x, y, split), `plane_marks`, `plane_lines`, each with the labels of its plane."""
    return [_gathered(request) for request in requests]


def _gathered(request: Request) -> Result:
    parts: dict[str, list[pd.DataFrame]] = {"planes": [], "plane_marks": [], "plane_lines": []}
    found = cast(Sequence[Result], request.inputs["planes"])
    for labels, result in zip(request.config["labels"], found, strict=True):
        about = cast(Mapping[str, Any], result["about"])
        if about["status"] != "ok":
            continue
        for name, source in (("planes", "plane"), ("plane_marks", "marks"), ("plane_lines", "line")):
            more = {"path_distance": about["path_distance"]} if name == "plane_lines" else {}
            parts[name].append(cast(pd.DataFrame, result[source]).assign(**labels, **more))
    return [{name: pd.concat(rows, ignore_index=True) if rows else pd.DataFrame() for name, rows in parts.items()}][0]
