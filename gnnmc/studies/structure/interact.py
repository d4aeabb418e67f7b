"""Stage `interact`: barriers over two settings of generated graphs at once, and whether the two act together."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gnnmc.analysis import interaction_map, interaction_test
from gnnmc.analysis.holm import holm
from gnnmc.store import Cell, Execution, Request, Result, Task
from gnnmc.studies.knobs import held_in_words
from gnnmc.studies.regimes import joined, tables_of
from gnnmc.studies.structure.grids import Grid, Map, maps_of
from gnnmc.studies.structure.rows import LINE, barriers_with_graphs

VERSION = 1

GROUP = ("grid", "model", "held", *LINE)


def interact_task(tables: Cell, grids: Sequence[Grid], maps: Sequence[Sequence[str]] | None) -> Task:
    """The task that maps one run's barriers. maps: pairs of knobs, by their names; None for those of homophily."""
    pairs = None if maps is None else [list(pair) for pair in maps]
    config = {"grids": [grid.record() for grid in grids], "maps": pairs}
    return Task(interact, (Cell("interact", VERSION, config, {"tables": tables}, label="interactions"),))


def interact(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """tables → `maps` (a row per cell) and `interactions` (a row per test); gnnmc.analysis gives their columns

    `held`: the values of other knobs that the grid varies, in words. `p_holm`: corrected over the tests of one map.
    """
    return [_interact(request) for request in requests]


def _interact(request: Request) -> Result:
    tables = tables_of(request)
    rows = barriers_with_graphs(tables)
    grids = {grid["name"]: grid["graphs"] for grid in request.config["grids"]}
    cells, tests = [], []
    for each in maps_of(tables["graphs"], request.config["grids"], request.config["maps"]):
        here = _of_a_map(rows[rows["graph"].isin(grids[each.grid])], each)
        cells.append(interaction_map(here, each.x.column, each.y.column, by=GROUP))
        found = interaction_test(here, each.x.column, each.y.column, by=GROUP)
        tests.append(found.assign(p_holm=holm(found["p_permutation"].to_numpy(dtype=np.float64))))
    return {"maps": joined(cells), "interactions": joined(tests)}


def _of_a_map(rows: pd.DataFrame, each: Map) -> pd.DataFrame:
    return rows.assign(grid=each.grid, held=held_in_words(rows, each.held))
