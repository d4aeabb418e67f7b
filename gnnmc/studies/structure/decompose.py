"""Stage `decompose`: shares of the barrier's variance that go with graph and architecture (science 1.3, 1.8)."""

from collections.abc import Callable, Sequence

import pandas as pd

from gnnmc.analysis import mixed_model_check, rank_predictions, variance_shares
from gnnmc.analysis.wording import listed
from gnnmc.store import Cell, Execution, Request, Result, Task
from gnnmc.studies.regimes import tables_of
from gnnmc.studies.structure.grids import Grid
from gnnmc.studies.structure.rows import GENERATED, LINE, barriers_with_graphs
from gnnmc.studies.structure.trained import ALL_ENDS, WELL_TRAINED, graphs_well_trained

VERSION = 2

SCOPE = ("regime", "grid", *LINE)
# Time and memory of the mixed model grow with the cube and the square of the rows: these take seconds.
_MOST_ROWS = 800


def decompose_task(tables: Cell, grids: Sequence[Grid], without: Sequence[str], least_train_accuracy: float) -> Task:
    """The task that decomposes one run's barriers. without: models that the second decomposition leaves out."""
    config = {
        "grids": [grid.record() for grid in grids],
        "without": list(without),
        "least_train_accuracy": least_train_accuracy,
    }
    return Task(decompose, (Cell("decompose", VERSION, config, {"tables": tables}, label="shares of variance"),))


def decompose(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """tables → `shares`, `mixed` and `signs`; gnnmc.analysis gives their columns

    shares, mixed: of every family of graphs (`grid` ""), shares of every grid that is a part of one too; with all
    models (`left_out` "") and without some. shares, `ends`: "all", or "well-trained": of the graphs of a family on
    which every end of the models that are not left out is well trained, where there are any. signs: what the theory
    says of the order of generated graphs.
    """
    return [_decompose(request) for request in requests]


def _decompose(request: Request) -> Result:
    tables = tables_of(request)
    rows = barriers_with_graphs(tables)
    whole = rows.assign(grid="")
    sizes = rows.groupby("regime")["graph"].nunique()
    scopes = [whole]
    for grid in request.config["grids"]:
        some = rows[rows["graph"].isin(grid["graphs"])]
        if len(some) and some["graph"].nunique() < sizes[some["regime"].iloc[0]]:
            scopes.append(some.assign(grid=grid["name"]))
    without = list(request.config["without"])
    generated = rows[rows["family"] == GENERATED]
    signs = rank_predictions(generated, by=("model", *LINE)) if len(generated) else pd.DataFrame()
    shares = [_both(lambda some: variance_shares(some, by=SCOPE), pd.concat(scopes), without).assign(ends=ALL_ENDS)]
    for left_out in [[], without] if without else [[]]:
        graphs = graphs_well_trained(tables, float(request.config["least_train_accuracy"]), left_out)
        well = whole[whole["graph"].isin(graphs) & ~whole["model"].isin(left_out)]
        if len(well):
            told = {"left_out": listed(left_out) if left_out else "", "ends": WELL_TRAINED}
            shares.append(variance_shares(well, by=SCOPE).assign(**told))
    return {
        "shares": pd.concat(shares, ignore_index=True),
        "mixed": _both(lambda some: mixed_model_check(some, by=SCOPE, most_rows=_MOST_ROWS), whole, without),
        "signs": signs,
    }


def _both(take: Callable[[pd.DataFrame], pd.DataFrame], rows: pd.DataFrame, without: list[str]) -> pd.DataFrame:
    """With all models, and without some of them, all of these together."""
    found = [take(rows)]
    if without:
        kept = rows[~rows["model"].isin(without)]
        found.append(take(kept).assign(left_out=listed(without)))
    return pd.concat(found, ignore_index=True)
