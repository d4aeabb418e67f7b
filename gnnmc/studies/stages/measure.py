"""Stage `measure`: what may tell how well a mode generalizes, of every mode."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
import pandas as pd
import torch

from gnnmc.errors import InputError
from gnnmc.measures import MEASURES, measure_modes
from gnnmc.store import Cell, Execution, Request, Result, Task
from gnnmc.studies.stages.modes import common_of, mode_of
from gnnmc.weights import Mode

VERSION = 1

# What numbers that are no longer finite end in.
_NUMERICAL = (ArithmeticError, ValueError, np.linalg.LinAlgError, torch.linalg.LinAlgError)

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
    """graph and a mode → `measures` (one row, a column for each), `about` (status).

    Missing where the mode diverged, and what fails at weights that are too large; the status says so. The requests are
    of one graph and model.

    Raises InputError for a measure that the model has not, whatever its weights.
    """
    problem, model = common_of(requests)
    names = cast(list[str], requests[0].config["measures"])
    modes = [mode_of(cast(Result, request.inputs["mode"]), request.config["endpoint"]) for request in requests]

    def measured(some: Sequence[Mode], asked: list[str]) -> pd.DataFrame:
        return measure_modes(model, problem, some, measures=asked, device=execution.device)[asked]

    sound = [mode for mode in modes if mode.status == "ok"]
    try:
        found = measured(sound, names)
    except _NUMERICAL as error:
        if isinstance(error, InputError):
            raise
        return [_one_by_one(mode, names, measured) for mode in modes]
    rows = iter([found.iloc[[place]].reset_index(drop=True) for place in range(len(sound))])
    return [
        {"measures": next(rows) if mode.status == "ok" else _lost(names), "about": {"status": mode.status}}
        for mode in modes
    ]


def _one_by_one(mode: Mode, names: list[str], measured: Callable[[Sequence[Mode], list[str]], pd.DataFrame]) -> Result:
    """What a mode has of the measures; those that fail cost neither the others nor the other modes."""
    row, failed = _lost(names), []
    for name in names if mode.status == "ok" else ():
        try:
            row[name] = measured([mode], [name])[name]
        except _NUMERICAL as error:
            failed.append(f"{name} ({error})")
    return {"measures": row, "about": {"status": f"without {', '.join(failed)}" if failed else mode.status}}


def _lost(names: list[str]) -> pd.DataFrame:
    return pd.DataFrame({name: [float("nan")] for name in names})
