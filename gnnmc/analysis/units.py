"""From rows per pair to the unit of the statistics: one row per graph and group (science 1.8)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gnnmc.analysis.resampling import Indices
from gnnmc.errors import InputError
from gnnmc.registry import unknown_name

BY = ("model", "path", "split", "metric", "barrier_kind")


@dataclass(frozen=True)
class Group:
    """The graphs of one group, e.g. of one (model, path, split).

    Shapes: `units` has one row per graph, sorted by (cluster, graph): both names, then the columns asked for, averaged
    over the pairs; a value that is missing is NaN. `num_pairs` counts the rows behind the averages, `dropped_rows`
    those without a finite outcome, `num_known` the graphs before any was dropped.
    """

    values: tuple[object, ...]
    units: pd.DataFrame
    num_pairs: int
    dropped_rows: int
    num_known: int

    def names(self) -> list[str]:
        """The group's values as text: stable names for its random streams."""
        return [str(value) for value in self.values]


def graph_groups(
    table: pd.DataFrame, outcome: str, others: Sequence[str], *, by: Sequence[str], graph: str, cluster: str
) -> Iterator[Group]:
    """Average the pairs within (group, graph) and yield the groups in the order of their first rows.

    Rows whose `outcome` is not finite (a diverged end) are left out and counted. A column that takes one value on the
    rows of a graph keeps exactly that value, because the rounding of a mean would break ties between graphs; one that
    differs by pair, such as the ends' loss, is averaged as the outcome is, to 12 digits. Everything that must
    not be averaged over (an `endpoint`, an alignment) belongs in `by`, or is filtered beforehand.

    Raises InputError for a missing, doubly used or non-numeric column, and for a graph in two clusters or in none.
    """
    check_columns(table, outcome, others, by=by, graph=graph, cluster=cluster)
    numbers = list(dict.fromkeys([outcome, *others]))
    rows = table[[cluster, graph]].copy()
    for name in numbers:
        column = table[name].astype(float)
        rows[name] = column.where(np.isfinite(column))
    if by:
        grouped = table.groupby(list(by), observed=True, dropna=False, sort=False)
        group, firsts = grouped.ngroup().to_numpy().astype(np.intp), [tuple(values) for values, _ in grouped]
    else:
        group, firsts = np.zeros(len(table), dtype=np.intp), [()]

    known = rows[outcome].notna().to_numpy()
    units, of_units = _average(rows[known], group[known], numbers, graph, cluster)
    bounds = np.searchsorted(of_units, np.arange(len(firsts) + 1))
    num_known = rows[graph].groupby(group).nunique()
    for number, values in enumerate(firsts):
        num_pairs = int(np.count_nonzero(known[group == number]))
        yield Group(
            values=values,
            units=units.iloc[bounds[number] : bounds[number + 1]].reset_index(drop=True),
            num_pairs=num_pairs,
            dropped_rows=int(np.count_nonzero(group == number)) - num_pairs,
            num_known=int(num_known[number]),
        )


def check_columns(
    table: pd.DataFrame, outcome: str, others: Sequence[str], *, by: Sequence[str], graph: str, cluster: str
) -> None:
    """Refuse a table that cannot be read as pairs of graphs of clusters; see `graph_groups`."""
    if isinstance(by, str):
        raise InputError(f"by={by!r} is a text: give a sequence of column names, e.g. by=({by!r},)")
    roles = [*by, graph, cluster, outcome]
    for name in [*roles, *others]:
        if name not in table.columns:
            raise unknown_name("column of the table", name, map(str, table.columns))
    # A graph may be its own cluster, so the two columns may coincide in meaning but not in name.
    repeated = sorted({name for name in roles if roles.count(name) > 1} | (set(roles) & set(others)))
    if repeated:
        raise InputError(
            f"column {repeated[0]!r} has two roles: by, graph, cluster, outcome and the statistics and controls "
            "must be different columns (copy the column under another name)"
        )
    for name in [outcome, *others]:
        if not pd.api.types.is_numeric_dtype(table[name]):
            raise InputError(f"column {name!r} is of type {table[name].dtype}: a numeric column is needed")
    if table.empty:
        raise InputError("the table has no rows: at least one barrier of one graph is needed")
    for name in (graph, cluster):
        if table[name].isna().any():
            raise InputError(f"column {name!r} has missing values: name the {name} of every row")
    homes = table.groupby(graph, observed=True)[cluster].nunique()
    if (homes > 1).any():
        raise InputError(
            f"graph {homes.idxmax()!r} is in {homes.max()} clusters: a graph belongs to one "
            "independently generated or collected base graph"
        )


def require_numbers(table: object, names: Sequence[str], *, others: Sequence[str] = ()) -> None:
    """Refuse what is no table with rows, with the columns `names` of numbers and the columns `others` of any type."""
    if not isinstance(table, pd.DataFrame):
        raise InputError(f"expected a table, got {type(table).__name__}: pass a pandas DataFrame")
    for name in [*names, *others]:
        if name not in table.columns:
            raise unknown_name("column of the table", name, map(str, table.columns))
    if table.empty:
        raise InputError("the table has no rows: at least one is needed")
    for name in names:
        kind = table[name]
        if not pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind):
            raise InputError(f"column {name!r} is of type {kind.dtype}: a numeric column is needed")


def groups_of(table: pd.DataFrame, by: Sequence[str]) -> Iterator[tuple[tuple[object, ...], pd.DataFrame]]:
    """The values of `by` and the rows that have them, in the order of the first rows; all rows where `by` is empty."""
    if isinstance(by, str):
        raise InputError(f"by={by!r} is a text: give a sequence of column names, e.g. by=({by!r},)")
    if not by:
        yield (), table
        return
    for values, rows in table.groupby(list(by), sort=False, observed=True, dropna=False):
        yield tuple(values), rows


def _average(
    rows: pd.DataFrame, group: Indices, numbers: list[str], graph: str, cluster: str
) -> tuple[pd.DataFrame, Indices]:
    """The units of all groups, one group after the other, and the group of each."""
    # Rows in the order of their values, so that the rounding of the means does not depend on the order of the table.
    order = np.lexsort([rows[name].to_numpy() for name in reversed(numbers)])
    ordered = rows.iloc[order]
    grouped = ordered.groupby([group[order], ordered[cluster], ordered[graph]], observed=True, sort=False)[numbers]
    means, lowest = grouped.mean().map(_rounded), grouped.min()
    units = means.where(lowest != grouped.max(), lowest).reset_index(level=[1, 2])
    places = [pd.factorize(units[name].astype(str), sort=True)[0] for name in (graph, cluster)]
    units = units.iloc[np.lexsort([*places, units.index.to_numpy()])]
    return units.reset_index(drop=True), units.index.to_numpy()


def _rounded(value: float) -> float:
    """To 12 significant digits: means that are equal must tie, whatever the order of their sums."""
    return float(f"{value:.12g}")
