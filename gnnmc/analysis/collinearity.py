"""Statistics of graphs that carry the same information: whose share in a prediction cannot be told apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from gnnmc.analysis.ranks import Array
from gnnmc.analysis.units import check_columns
from gnnmc.analysis.wording import counted, in_words, listed, number
from gnnmc.diagnostics import Diagnostic
from gnnmc.errors import InputError

# |ρ| from which two statistics order the graphs alike [ours].
ALIKE = 0.95
# Of the correlations, from which one statistic is nearly a sum of others (Belsley, Kuh and Welsch 1980).
DEPENDENT = 30.0
# Of the direction that hardly varies: a statistic with less of it has little to do with the others.
_PART = 0.3
# Stands for the outcome where there is none.
_NO_OUTCOME = "no outcome"


@dataclass(frozen=True)
class Collinear:
    """What `collinear_statistics` found.

    pairs: one row per pair of statistics: `first, second, rho` (NaN where one does not vary), `alike`. condition: of
    the (Pearson) correlations of the statistics that vary, the root of the largest over the least eigenvalue (∞ where
    one is a sum of others). dependent: the statistics that make it so, where it is large without an alike pair.
    """

    pairs: pd.DataFrame
    condition: float
    dependent: tuple[str, ...]
    num_graphs: int
    num_clusters: int

    @property
    def messages(self) -> list[str]:
        """A line that names the pairs, or the statistics that depend on one another; none where all can be told."""
        size = f"{counted(self.num_graphs, 'graph')} in {counted(self.num_clusters, 'cluster')}"
        alike = self.pairs[self.pairs["alike"]]
        if len(alike):
            told = "; ".join(
                f"{in_words(first)} and {in_words(second)} (ρ = {number(rho)})"
                for first, second, rho in alike[["first", "second", "rho"]].itertuples(index=False, name=None)
            )
            return [f"{told} ({size})"]
        if self.dependent:
            condition = f"{self.condition:.0f}" if np.isfinite(self.condition) else "∞"
            return [f"{listed(map(in_words, self.dependent))} (condition number {condition}; {size})"]
        return []

    def diagnostics(self) -> list[Diagnostic]:
        """GMC025, where statistics cannot be told apart."""
        return [Diagnostic("GMC025", message) for message in self.messages]


def collinear_statistics(
    table: pd.DataFrame, statistics: Sequence[str], *, graph: str = "graph", cluster: str = "cluster"
) -> Collinear:
    """Which statistics order the graphs so much alike that what one tells of the barrier another tells as well.

    Spearman's ρ of every pair over the graphs, every cluster counting once whatever its number of graphs: versions of
    one graph are no further evidence. Alike: |ρ| ≥ .95. Where no two are alike, three may still depend on one another:
    the condition number of the matrix of their correlations is 30 or more. A statistic that does not vary is alike to
    none.

    Shapes: table: one row per (graph, …); a statistic has one value on the rows of a graph, the mean is taken otherwise
    → see `Collinear`.

    Raises InputError as `associate` does, and for fewer than two statistics. Source: science 1.8; Belsley et al. 1980.
    """
    names = list(dict.fromkeys(statistics))
    if isinstance(statistics, str) or len(names) < 2:
        raise InputError(f"statistics={statistics!r}: at least two column names are needed to compare")
    numbered = table.assign(**{_NO_OUTCOME: 0.0})
    check_columns(numbered, _NO_OUTCOME, names, by=(), graph=graph, cluster=cluster)
    units = table.groupby([cluster, graph])[names].mean().dropna()
    clusters = units.index.get_level_values(0)
    weights = 1 / pd.Series(clusters).groupby(clusters).transform("size").to_numpy(dtype=float)
    values = units.to_numpy(dtype=float)
    rho = _correlations(_ranks(values, weights), weights)
    places = list(combinations(range(len(names)), 2))
    pairs = pd.DataFrame([{"first": names[i], "second": names[j], "rho": rho[i, j]} for i, j in places])
    pairs["alike"] = pairs["rho"].abs() >= ALIKE
    condition, dependent = _dependence(_correlations(values, weights), names)
    return Collinear(
        pairs,
        condition,
        () if pairs["alike"].any() else dependent,
        len(units),
        clusters.nunique(),
    )


def _ranks(values: Array, weights: Array) -> Array:
    """Mid-ranks where every row counts its weight. Shapes: (N, S), (N,) → (N, S)."""
    below = (values[:, None] < values[None]) + 0.5 * (values[:, None] == values[None])
    return np.asarray(np.einsum("i,ijs->js", weights, below))


def _correlations(values: Array, weights: Array) -> Array:
    """Weighted correlations of the columns, NaN with a column that does not vary. Shapes: (N, S), (N,) → (S, S)."""
    if not len(values):
        return np.full((values.shape[1], values.shape[1]), np.nan)
    centered = values - np.average(values, axis=0, weights=weights)
    products = (centered * weights[:, None]).T @ centered
    sizes = np.sqrt(np.diag(products))
    sizes = np.where(np.ptp(values, axis=0) > 0, sizes, np.nan)
    return np.asarray(np.clip(products / np.outer(sizes, sizes), -1.0, 1.0))


def _dependence(rho: Array, names: Sequence[str]) -> tuple[float, tuple[str, ...]]:
    """The condition number, and where it is large the statistics of the direction that hardly varies."""
    there = np.flatnonzero(np.isfinite(np.diag(rho)))
    if len(there) < 2:
        return 1.0, ()
    values, vectors = np.linalg.eigh(rho[np.ix_(there, there)])
    condition = float(np.sqrt(values[-1] / values[0])) if values[0] > 1e-12 else float("inf")
    if condition < DEPENDENT:
        return condition, ()
    return condition, tuple(names[there[place]] for place in np.flatnonzero(np.abs(vectors[:, 0]) >= _PART))
