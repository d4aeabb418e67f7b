"""What the results of a run took: time and memory, from their manifests."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gnnmc.errors import StoreError
from gnnmc.store.address import Addressed
from gnnmc.store.directory import Store

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("stage", "cells", "seconds", "peak_mib", "device_peak_mib")


def resources(cells: Iterable[Addressed], store: Store) -> "pd.DataFrame":
    """One row per stage that has results: `stage, cells, seconds, peak_mib, device_peak_mib`.

    seconds: of work, summed over the cells, however many went side by side. peak_mib: the largest memory of a process
    while it did one of the stage's tasks, with all that is loaded in it, MiB; device_peak_mib: of an accelerator. NaN
    where nothing is known. Times differ from run to run: this table is no result, and no two runs agree on it.
    """
    import pandas as pd

    rows: dict[str, dict[str, float]] = {}
    for cell in {cell.key: cell for cell in cells}.values():
        if not store.has(cell):
            continue
        try:
            made = store.metadata(cell)
        except StoreError:
            continue  # damaged: `execute` says so
        row = rows.setdefault(cell.stage, {"cells": 0, "seconds": 0.0})
        row["cells"] += 1
        row["seconds"] += float(made.get("seconds", 0.0)) / max(1, int(made.get("cells_in_task", 1)))
        for name, source in (("peak_mib", "process_peak_bytes"), ("device_peak_mib", "device_peak_bytes")):
            if source in made:
                row[name] = max(row.get(name, 0.0), float(made[source]) / 2**20)
    frame = pd.DataFrame([{"stage": stage} | row for stage, row in rows.items()], columns=list(COLUMNS))
    return frame.astype(dict.fromkeys(COLUMNS[2:], "float64"))
