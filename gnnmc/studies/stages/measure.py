"""Stage `measure`: what may tell how well a mode generalizes, of every mode."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias, cast

import pandas as pd

from gnnmc.measures import MEASURES, measure_modes
from gnnmc.store import Cell, Execution, Request, Result, Task
from gnnmc.studies.stages.modes import common_of, mode_of

VERSION = 1

# Cells with the labels of their rows.
LabeledCells: TypeAlias = Sequence[tuple[Mapping[str, Any], Cell]]


def measure_tasks(
    modes: LabeledCells, measures: Iterable[str] | None, endpoint: str, execution: Execution
) -> tuple[list[Task], list[tuple[Mapping[str, Any], Cell]]]:
    """Tasks that measure modes, those of one graph and model together; and the cell of each, with its labels.

    measures: names in MEASURES, all by default.
    """
    # Which measures there are is part of the key: a new one has to be computed.
    names = sorted(MEASURES if measures is None else measures)
    tasks: list[Task] = []
    measured: list[tuple[Mapping[str, Any], Cell]] = []
    for _, some in itertools.groupby(modes, key=lambda each: (each[1].inputs["graph"], each[0]["model"])):
        cells = []
        for labels, mode in some:
            config = {"model": mode.config["model"], "endpoint": endpoint, "measures": names}
            inputs = {"graph": mode.inputs["graph"], "mode": mode}
            cells.append(Cell("measure", VERSION, config, inputs, label=mode.label))
            measured.append((labels, cells[-1]))
        tasks.append(Task(measure, tuple(cells), execution))
    return tasks, measured


def measure(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """graph and a mode → `measures` (one row, a column for each; missing where the mode diverged), `about` (status).

    The requests are of one graph and model.
    """
    problem, model = common_of(requests)
    names = cast(list[str], requests[0].config["measures"])
    modes = [mode_of(cast(Result, request.inputs["mode"]), request.config["endpoint"]) for request in requests]
    sound = [mode for mode in modes if mode.status == "ok"]
    found = measure_modes(model, problem, sound, measures=names, device=execution.device)[names]
    rows = iter([found.iloc[[place]].reset_index(drop=True) for place in range(len(sound))])
    lost = pd.DataFrame({name: [float("nan")] for name in names})
    return [
        {"measures": next(rows) if mode.status == "ok" else lost, "about": {"status": mode.status}} for mode in modes
    ]
