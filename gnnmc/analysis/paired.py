"""The same graphs under two treatments: how much an outcome differs, with an interval over clusters."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gnnmc.analysis.inference import ENOUGH_CLUSTERS
from gnnmc.analysis.resampling import cluster_counts
from gnnmc.analysis.units import check_columns
from gnnmc.errors import InputError
from gnnmc.seeding import numpy_generator

DIFFERENCE_COLUMNS = (
    "outcome",
    "first",
    "second",
    "difference",
    "ci_low",
    "ci_high",
    "confidence",
    "num_graphs",
    "num_clusters",
    "note",
)


def paired_differences(
    first: pd.DataFrame,
    second: pd.DataFrame,
    *,
    outcome: str = "barrier",
    by: Sequence[str] = ("model", "path", "split"),
    graph: str = "graph",
    cluster: str = "cluster",
    bootstrap: int = 2_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Second minus first, on the graphs and settings that both have.

    Pairs of modes are averaged within (group, graph) first; the difference is taken graph by graph, so what a graph
    does to both drops out. The interval resamples whole clusters (percentiles, from 10 clusters on).

    Shapes: both tables: one row per (graph, pair, group) → one row per group that both have: the columns of `by`, then
    `outcome, first, second` (means over the common graphs), `difference, ci_low, ci_high, confidence, num_graphs,
    num_clusters, note`.

    Raises InputError as `associate` does for either table, and when there is nothing that both have. Source: science
    1.8.
    """
    keys = [*by, cluster, graph]
    means = []
    for table in (first, second):
        check_columns(table, outcome, [], by=by, graph=graph, cluster=cluster)
        known = table[np.isfinite(table[outcome].astype(float))]
        means.append(known.groupby(keys, sort=False, observed=True)[outcome].mean())
    both = pd.concat(means, axis=1, join="inner", keys=["first", "second"]).reset_index()
    if both.empty:
        raise InputError(f"the two tables share no ({', '.join([*by, graph])}): give runs with graphs in common")
    rows = [
        _row(group, values, outcome, by, cluster, bootstrap, confidence, seed) for values, group in _groups(both, by)
    ]
    return pd.DataFrame(rows, columns=[*by, *DIFFERENCE_COLUMNS])


def _groups(both: pd.DataFrame, by: Sequence[str]) -> list[tuple[tuple[object, ...], pd.DataFrame]]:
    if not by:
        return [((), both)]
    return [(tuple(values), group) for values, group in both.groupby(list(by), sort=False, observed=True)]


def _row(
    group: pd.DataFrame,
    values: tuple[object, ...],
    outcome: str,
    by: Sequence[str],
    cluster: str,
    bootstrap: int,
    confidence: float,
    seed: int,
) -> dict[str, object]:
    ordered = group.sort_values([cluster, "first", "second"])
    clusters = pd.factorize(ordered[cluster])[0]
    differences = (ordered["second"] - ordered["first"]).to_numpy(dtype=float)
    number = int(clusters.max()) + 1
    row: dict[str, object] = {
        **dict(zip(by, values)),
        "outcome": outcome,
        "first": float(group["first"].mean()),
        "second": float(group["second"].mean()),
        "difference": float(differences.mean()),
        "confidence": confidence,
        "num_graphs": len(group),
        "num_clusters": number,
        "note": "",
    }
    if number < ENOUGH_CLUSTERS:
        return row | {"note": f"{number} clusters: no bootstrap interval"}
    counts = cluster_counts(clusters, bootstrap, numpy_generator("paired", seed, outcome, *map(str, values)))
    tail = (1 - confidence) / 2
    low, high = np.quantile(counts @ differences / counts.sum(axis=1), [tail, 1 - tail])
    return row | {"ci_low": float(low), "ci_high": float(high)}
