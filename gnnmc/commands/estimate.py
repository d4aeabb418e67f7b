"""What a run will take, said before it starts: from its config, and from what is stored of it already."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gnnmc.errors import StoreError
from gnnmc.run import usable_cores
from gnnmc.run.tally import duration, mebibytes
from gnnmc.store import Store, Task
from gnnmc.studies.costs import PROCESS_BYTES, cost_of

# Workers import torch and the rest before the first task, and the report is written after the last.
_SECONDS_AROUND = 8.0
# So many stored tasks of a stage say how fast this machine is at it.
_MOST_LOOKED_AT = 20
_ROUNDED_TO = 50 * 2**20


@dataclass(frozen=True)
class Estimate:
    """`cells` of `total` are to compute, by `workers` processes.

    seconds: of the whole run, on a CPU's cores where nothing was timed yet on the `device` that is asked for (None: it
    was, or is a CPU); unknown: whether data of unknown size are left out. peak_bytes: of a worker's memory.
    """

    cells: int
    total: int
    workers: int
    seconds: float
    unknown: bool
    peak_bytes: float
    device: str | None = None

    def line(self) -> str:
        """In one line for a person."""
        if not self.cells:
            return f"nothing to compute, all {self.total} cells are there"
        count = f"{self.cells} cells" if self.cells == self.total else f"{self.cells} of {self.total} cells"
        about = "at least" if self.unknown else "about"
        side = "1 worker" if self.workers == 1 else f"{self.workers} workers"
        memory = mebibytes(_ROUNDED_TO * -(-self.peak_bytes // _ROUNDED_TO))
        where = f" (on CPU cores; {self.device} was not timed yet)" if self.device else ""
        time = f"{about} {_roughly(self.seconds)} with {side}{where}"
        return f"{count} to compute: {time}, {about} {memory} of memory each"

    def as_json(self) -> dict[str, Any]:
        """What `gnnmc run --json` says of it."""
        return {
            "cells": self.cells,
            "total": self.total,
            "workers": self.workers,
            "seconds": round(self.seconds, 1),
            "unknown": self.unknown,
            "peak_bytes": round(self.peak_bytes),
        }


def estimate(tasks: Sequence[Task], store: Store, workers: int | None) -> Estimate:
    """About what the tasks that are not stored yet take. Reads no data set, and manifests of a few results at most."""
    stages: dict[str, list[Task]] = defaultdict(list)
    for task in tasks:
        stages[task.stage].append(task)
    missing = [task for task in tasks if not all(store.has(cell) for cell in task.cells)]
    absent = {id(task) for task in missing}
    together = alone = 0.0
    unknown, peak, device = False, 0.0, None
    for members in stages.values():
        stored = [task for task in members if id(task) not in absent]
        pace, mean = _measured(stored, store) if len(stored) < len(members) else (1.0, None)
        for task in members:
            if id(task) not in absent:
                continue
            cost = cost_of(task)
            unknown |= cost is None and mean is None
            device = task.execution.device if task.execution.device != "cpu" and mean is None else device
            seconds = (mean or 0.0) if cost is None else cost.seconds * pace
            peak = max(peak, 0.0 if cost is None else cost.bytes)
            # What a stage does in a single task waits for all others, or all others wait for it.
            if len(members) > 1:
                together += seconds
            else:
                alone += seconds
    side = max(1, min(workers if workers is not None else usable_cores(), len(missing)))
    seconds = together / side + alone + _SECONDS_AROUND
    cells = sum(len(task.cells) for task in missing)
    total = sum(len(task.cells) for task in tasks)
    return Estimate(cells, total, side, seconds if cells else 0.0, unknown, PROCESS_BYTES + peak, device)


def _measured(stored: Sequence[Task], store: Store) -> tuple[float, float | None]:
    """How many times slower than told some of these stored tasks were (1 without any), and their mean seconds."""
    told = taken = 0.0
    times = []
    for task in stored[:: max(1, len(stored) // _MOST_LOOKED_AT)]:
        try:
            seconds = float(store.metadata(task.cells[0])["seconds"])
        except (StoreError, KeyError):
            continue
        times.append(seconds)
        if (cost := cost_of(task)) is not None:
            told, taken = told + cost.seconds, taken + seconds
    return (taken / told if told and taken else 1.0), (sum(times) / len(times) if times else None)


def _roughly(seconds: float) -> str:
    """The time in words, with no more digits than it deserves."""
    step = 5 if seconds < 60 else 30 if seconds < 600 else 60 if seconds < 3600 else 600
    return duration(max(step, step * round(seconds / step)))
