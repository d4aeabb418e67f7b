"""How far a run is, without running anything."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gnnmc.run.failures import FailureRecords
from gnnmc.store.cell import Cell, Task
from gnnmc.store.directory import Store

if TYPE_CHECKING:
    import pandas as pd


def status(tasks: Sequence[Task], store: Store) -> "pd.DataFrame":
    """One row per stage, in declared order: `stage, done, failed, missing, total` cells.

    What is stored is not checked byte by byte here; `execute` does that.
    """
    import pandas as pd

    failures = FailureRecords(store.folder)
    stages: dict[str, dict[str, Cell]] = {}
    for task in tasks:
        for cell in task.cells:
            stages.setdefault(cell.stage, {})[cell.key] = cell
    rows = []
    for stage, cells in stages.items():
        done = sum(store.has(cell) for cell in cells.values())
        failed = sum(not store.has(cell) and failures.reason(cell) is not None for cell in cells.values())
        total = len(cells)
        rows.append({"stage": stage, "done": done, "failed": failed, "missing": total - done - failed, "total": total})
    return pd.DataFrame(rows, columns=["stage", "done", "failed", "missing", "total"])
