"""Stage `relate`: barriers against graph statistics, and the diagnostics that fired (science 1.6, 1.8)."""

from collections.abc import Sequence

import pandas as pd

from gnnmc.analysis import associate, barrier_summary
from gnnmc.store import Cell, Execution, Request, Result, Task
from gnnmc.studies.findings import common_findings, findings_frame
from gnnmc.studies.regimes import AXIS, GROUP, chord_rows, joined, regimes, tables_of, total_and_controlled

VERSION = 4

BEYOND = "beyond homophily"


def relate_task(tables: Cell, least_train_accuracy: float) -> Task:
    """The task that relates one run's barriers to its graphs."""
    config = {"least_train_accuracy": least_train_accuracy}
    return Task(relate, (Cell("relate", VERSION, config, {"tables": tables}, label="association"),))


def relate(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """tables → `association`, `summary` and `diagnostics`; gnnmc.analysis gives their columns."""
    return [_relate(request) for request in requests]


def _relate(request: Request) -> Result:
    tables = tables_of(request)
    found = common_findings(tables, float(request.config["least_train_accuracy"]))
    chord = chord_rows(tables)
    kinds = total_and_controlled(chord)
    associations = []
    for regime in regimes(chord):
        associations.append(associate(regime.rows, regime.statistics, kinds=kinds, by=GROUP))
        if regime.rivals:
            associations.append(associate(regime.rows, regime.rivals, kinds={BEYOND: (AXIS,)}, by=GROUP))
    found += [diagnostic for association in associations for diagnostic in association.diagnostics]
    generated = chord[chord["family"] == "csbm"]
    return {
        "association": joined([association.frame() for association in associations]),
        "summary": barrier_summary(generated, [*GROUP, "homophily_asked"]) if len(generated) else pd.DataFrame(),
        "diagnostics": findings_frame(found),
    }
