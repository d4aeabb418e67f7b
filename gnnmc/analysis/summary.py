"""Means of a barrier with intervals over independent graphs: what a figure of barrier against homophily shows."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gnnmc.analysis.units import graph_groups
from gnnmc.errors import InputError

SUMMARY_COLUMNS = (
    "value",
    "mean",
    "ci_low",
    "ci_high",
    "confidence",
    "interval",
    "num_graphs",
    "num_clusters",
    "num_pairs",
    "dropped_rows",
)

T_INTERVAL = "t over clusters"
TOO_FEW = "none: fewer than 3 clusters"
NO_SPREAD = "none: all clusters alike"


def barrier_summary(
    table: pd.DataFrame,
    by: Sequence[str],
    value: str = "barrier",
    *,
    graph: str = "graph",
    cluster: str = "cluster",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """The mean of `value` over graphs per cell of `by`, pairs averaged within the graph first.

    The interval is Student's t over clusters with K − 1 degrees of freedom, from 3 clusters on; for clusters of unequal
    size with the ratio estimate of the variance, K/(K−1)·Σ(n_c(m_c − m))²/N² (Cochran 1977, section 6), which is the
    plain one for equal sizes. It is used whatever the number of clusters, since for a mean of few clusters a percentile
    bootstrap is too short. Few and skewed values (barriers near 0) make it rough: it may reach below 0. Fewer than 3
    clusters, or clusters that all have the same mean, give no interval, and `interval` says so.

    Shapes: one row per cell, in the order of the table: the columns of `by`, `value` (name of the column averaged),
    `mean, ci_low, ci_high` (units of the value), `confidence`, `interval` ("t over clusters", or why there is none),
    `num_graphs, num_clusters, num_pairs`, `dropped_rows` (rows without a finite value).

    Raises InputError for missing, non-numeric or doubly used columns and a graph in two clusters. Source: science 1.8.
    """
    if not 0 < confidence < 1:
        raise InputError(f"confidence={confidence} is out of range: a number between 0 and 1 is needed, e.g. 0.95")
    if clash := sorted(set(by) & set(SUMMARY_COLUMNS)):
        raise InputError(f"by={clash[0]!r} is a column of the result: rename it in the table")
    rows: list[dict[str, object]] = []
    for group in graph_groups(table, value, [], by=by, graph=graph, cluster=cluster):
        mean, low, high, interval = _t_interval(group.units[value], group.units[cluster], confidence)
        rows.append(
            {
                **dict(zip(by, group.values)),
                "value": value,
                "mean": mean,
                "ci_low": low,
                "ci_high": high,
                "confidence": confidence,
                "interval": interval,
                "num_graphs": len(group.units),
                "num_clusters": group.units[cluster].nunique(),
                "num_pairs": group.num_pairs,
                "dropped_rows": group.dropped_rows,
            }
        )
    return pd.DataFrame(rows, columns=[*by, *SUMMARY_COLUMNS])


def _t_interval(values: pd.Series, clusters: pd.Series, confidence: float) -> tuple[float, float, float, str]:
    if values.empty:
        return np.nan, np.nan, np.nan, TOO_FEW
    mean = float(values.mean())
    excess = (values - mean).groupby(clusters, observed=True).sum().to_numpy()
    num = len(excess)
    if num < 3:
        return mean, np.nan, np.nan, TOO_FEW
    error = float(np.sqrt(num / (num - 1) * np.square(excess).sum()) / len(values))
    # Relative, because the rounding of the mean leaves a spread of its own.
    if error <= 1e-12 * max(abs(mean), 1e-300):
        return mean, np.nan, np.nan, NO_SPREAD
    from scipy.stats import t as student  # here: as in `midranks`

    half = float(student.ppf((1 + confidence) / 2, num - 1)) * error
    return mean, mean - half, mean + half, T_INTERVAL
