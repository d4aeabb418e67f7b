"""Stage `shape`: does the barrier rise or fall with homophily, and do other statistics go with it more closely?"""

from collections.abc import Sequence

from gnnmc.analysis import compare_statistics, shape_test
from gnnmc.store import Cell, Execution, Request, Result, Task
from gnnmc.studies.regimes import AXIS, GROUP, chord_rows, joined, regimes, tables_of

VERSION = 1


def shape_task(tables: Cell) -> Task:
    """The task that looks at one run's barriers along homophily."""
    return Task(look_along, (Cell("shape", VERSION, {}, {"tables": tables}, label="shape"),))


def look_along(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """tables → `shape` and `rivals`; gnnmc.analysis gives their columns."""
    return [_look_along(request) for request in requests]


def _look_along(request: Request) -> Result:
    along = [regime for regime in regimes(chord_rows(tables_of(request))) if AXIS in regime.statistics]
    return {
        "shape": joined([shape_test(regime.rows, AXIS, by=GROUP) for regime in along]),
        "rivals": joined(
            [compare_statistics(regime.rows, AXIS, regime.rivals, by=GROUP) for regime in along if regime.rivals]
        ),
    }
