"""Stage `align`: the second mode of a pair moved onto the first by a symmetry of their model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from gnnmc.config import AlignmentBlock, ModelBlock, PathBlock, ProfileBlock
from gnnmc.draw.looks import WITH_REPAIR
from gnnmc.store import Cell, Execution, Request, Result, Task
from gnnmc.studies.stages.connect import PROFILE_VERSION, Numbered, ends_of, profile_paths, records, usable
from gnnmc.studies.stages.modes import common_of
from gnnmc.symmetry import Alignment, align_many
from gnnmc.symmetry.bands import bands
from gnnmc.weights import Mode

VERSION = 3

# Leaves the modes as they were trained.
AS_TRAINED = "none"


@dataclass(frozen=True, eq=False)
class Aligned:
    """A line from one mode to another that was moved onto it: their numbers, what the line is called, its profile.

    alignment: the cell that moved, None where REPAIR alone was applied.
    """

    a: int
    b: int
    called: str
    alignment: Cell | None
    profile: Cell


def align_tasks(
    graph: Cell,
    model: ModelBlock,
    pairs: Sequence[tuple[Numbered, Numbered]],
    alignment: AlignmentBlock,
    grid: ProfileBlock,
    endpoint: str,
    execution: Execution,
) -> tuple[list[Task], list[Aligned]]:
    """Tasks that align the pairs of one graph and model, all together, and profile the lines between them."""
    shared = {"model": model.differing(), "endpoint": endpoint}
    asked = alignment.model_copy(update={"repair": False, "name": None}).differing()
    along = shared | {"path": PathBlock().differing(), "profile": grid.differing()}
    kinds: list[tuple[str, dict[str, Any]]] = []
    if alignment.method != AS_TRAINED:
        kinds.append((alignment.called, {}))
    if alignment.repair:
        kinds.append((alignment.called + WITH_REPAIR, {"transforms": ["repair"]}))
    moved: list[Cell] = []
    found: list[Aligned] = []
    for (number_a, a), (number_b, b) in pairs:
        inputs = {"graph": graph, "a": a, "b": b}
        label = f"{graph.label} {model.name} {alignment.called} {number_a}–{number_b}"
        cell = None
        if alignment.method != AS_TRAINED:
            cell = Cell("align", VERSION, shared | {"alignment": asked}, inputs, label=label)
            moved.append(cell)
            inputs = inputs | {"moved": cell}
        for called, more in kinds:
            profile = Cell("profile", PROFILE_VERSION, along | more, inputs, label=label)
            found.append(Aligned(number_a, number_b, called, cell, profile))
    tasks = [Task(align_modes, tuple(moved), execution)] if moved else []
    # A kind of line is a task of its own, so that another one leaves it as it was.
    tasks += [
        Task(profile_paths, tuple(each.profile for each in found if each.called == called), execution)
        for called, _ in kinds
    ]
    return tasks, found


def align_modes(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """graph and two modes → `moved` (the second mode's weights), `groups`, `bands` (tables), `about` (status, …).

    bands: where which group lies, as `gnnmc.symmetry.bands` gives it. groups: one row per group of units: `group,
    units, copies, classes, axes, moved, class`. about: `status`; `distance_before`, `distance_after`; `share_moved` of
    the units; `figures` of the method; `diagnostics`. Where an end diverged nothing is moved. The requests are of one
    graph, model and alignment.
    """
    problem, model = common_of(requests)
    asked = AlignmentBlock(**requests[0].config["alignment"])
    pairs = [ends_of(request) for request in requests]
    found = iter(
        align_many(
            model,
            problem,
            [pair for pair in pairs if usable(*pair)],
            method=asked.method,
            classes=asked.classes,
            seed=asked.seed,
            restarts=asked.restarts,
            device=execution.device,
            **asked.options,
        )
    )
    return [_moved(next(found), b) if usable(a, b) else _LOST for a, b in pairs]


_LOST: Result = {
    "moved": {},
    "groups": pd.DataFrame(),
    "bands": pd.DataFrame(),
    "about": {
        "status": "an end diverged",
        "distance_before": None,
        "distance_after": None,
        "share_moved": None,
        "figures": {},
        "diagnostics": [],
    },
}


def _moved(alignment: Alignment, b: Mode) -> Result:
    groups = alignment.symmetry.groups_frame()[["group", "classes", "axes"]]
    about = {
        "status": "ok",
        "distance_before": alignment.before,
        "distance_after": alignment.after,
        "share_moved": alignment.share_moved,
        "figures": dict(alignment.figures),
        "diagnostics": records(alignment.diagnostics()),
    }
    return {
        "moved": alignment.apply(b).weights,
        "groups": alignment.report().merge(groups, on="group"),
        "bands": bands(alignment.symmetry),
        "about": about,
    }
