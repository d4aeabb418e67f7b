"""How far a run is, without running anything."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gnnmc.run.failures import FailureRecords
from gnnmc.store.address import Addressed
from gnnmc.store.directory import Store

if TYPE_CHECKING:
    import pandas as pd


def status(cells: Iterable[Addressed], store: Store) -> "pd.DataFrame":
    """One row per stage of these cells, in declared order: `stage, done, failed, missing, total` cells.

    What is stored is not checked byte by byte here; `execute` does that.
    """
    import pandas as pd

    failures = FailureRecords(store.folder)
    stages: dict[str, dict[str, Addressed]] = {}
    for cell in cells:
        stages.setdefault(cell.stage, {})[cell.key] = cell
    rows = []
    for stage, members in stages.items():
        done = sum(store.has(cell) for cell in members.values())
        failed = sum(not store.has(cell) and failures.reason(cell) is not None for cell in members.values())
        total = len(members)
        rows.append({"stage": stage, "done": done, "failed": failed, "missing": total - done - failed, "total": total})
    return pd.DataFrame(rows, columns=["stage", "done", "failed", "missing", "total"])
