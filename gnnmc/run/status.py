"""How far a run is, without running anything."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gnnmc.run.failures import FailureRecords
from gnnmc.run.running import running
from gnnmc.store.address import Address, Addressed
from gnnmc.store.directory import Store

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("stage", "done", "running", "failed", "missing", "total")


@dataclass(frozen=True)
class FailedCell:
    """A cell without a result that failed when it was last tried: its stage, key and label, and one line on why."""

    stage: str
    key: str
    label: str
    reason: str


def status(cells: Iterable[Addressed], store: Store) -> "pd.DataFrame":
    """One row per stage of these cells, in declared order: `stage, done, running, failed, missing, total` cells.

    Running cells are those that a living run has in hand now; after a kill there are none. What is stored is not
    checked byte by byte here; `execute` does that.
    """
    import pandas as pd

    failures = FailureRecords(store.folder)
    in_hand = {key for task in running(store) for key in task.keys}
    rows = []
    for stage, members in _stages(cells).items():
        without = [cell for cell in members if not store.has(cell)]
        now = sum(cell.key in in_hand for cell in without)
        failed = sum(cell.key not in in_hand and failures.reason(cell) is not None for cell in without)
        total, done = len(members), len(members) - len(without)
        missing = total - done - now - failed
        rows.append(dict(zip(COLUMNS, (stage, done, now, failed, missing, total))))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def failed_cells(cells: Iterable[Addressed], store: Store) -> list[FailedCell]:
    """The failed ones of these cells, in their order."""
    failures = FailureRecords(store.folder)
    in_hand = {key for task in running(store) for key in task.keys}
    found = []
    for cell in {cell.key: cell for cell in cells}.values():
        if store.has(cell) or cell.key in in_hand or (reason := failures.reason(cell)) is None:
            continue
        found.append(FailedCell(cell.stage, cell.key, failures.label(cell), reason))
    return found


def _stages(cells: Iterable[Addressed]) -> dict[str, list[Address]]:
    """The distinct cells of each stage."""
    stages: dict[str, dict[str, Address]] = {}
    for cell in cells:
        stages.setdefault(cell.stage, {})[cell.key] = Address(cell.stage, cell.key)
    return {stage: list(members.values()) for stage, members in stages.items()}
