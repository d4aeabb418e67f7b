"""How much of an outcome, and of its relation to a statistic, is left of it under a treatment of the same graphs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gnnmc.analysis.inference import ENOUGH_CLUSTERS
from gnnmc.analysis.ranks import Array, ResampledRanks, midranks, rank_correlations
from gnnmc.analysis.resampling import Indices, cluster_counts
from gnnmc.analysis.units import graph_groups
from gnnmc.errors import InputError
from gnnmc.seeding import numpy_generator

SURVIVAL_COLUMNS = (
    "statistic",
    "outcome",
    "mean_before",
    "mean_after",
    "mean_left",
    "mean_left_low",
    "mean_left_high",
    "rho_before",
    "rho_after",
    "rho_change",
    "rho_change_low",
    "rho_change_high",
    "slope_left",
    "slope_left_low",
    "slope_left_high",
    "confidence",
    "num_graphs",
    "num_clusters",
    "note",
)


def survival(
    table: pd.DataFrame,
    statistics: Sequence[str],
    *,
    treatment: str,
    baseline: str,
    outcome: str = "barrier",
    by: Sequence[str] = ("model", "path", "split"),
    graph: str = "graph",
    cluster: str = "cluster",
    bootstrap: int = 2_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """An outcome under every treatment against the baseline, on the graphs that have both.

    Pairs are averaged within (group, graph) first, and the graph is compared with itself. `mean_left`: ratio of the
    mean outcomes, after over before. `rho_before`, `rho_after`: Spearman's correlation of the outcome with the
    statistic, and `rho_change` their difference. `slope_left`: ratio of the least-squares slopes of the outcome on the
    ranks of the statistic, so what is left of the size of the relation; rho says nothing of that, since barriers ten
    times as small may be ordered alike. Intervals resample whole clusters (percentiles, from 10 clusters on); a ratio
    has none where what it is divided by changes sign in 1 of 20 resamples or more.

    Shapes: one row per (graph, pair, group, treatment) → one row per (group, treatment other than `baseline`,
    statistic): the columns of `by`, `treatment`, `statistic, outcome, mean_before, mean_after, mean_left` (with `_low`,
    `_high`), `rho_before, rho_after, rho_change` (same), `slope_left` (same), `confidence, num_graphs, num_clusters,
    note`.

    Raises InputError as `associate` does. Source: science 1.6 (the control), 1.8 (the unit) [ours].
    """
    if clash := sorted({*by, treatment} & set(SURVIVAL_COLUMNS)):
        raise InputError(f"by={clash[0]!r} is a column of the result: rename it in the table")
    rows: list[dict[str, object]] = []
    for values, treated, units in _both(table, statistics, treatment, baseline, outcome, by, graph, cluster):
        names = [str(value) for value in (*values, treated)]
        for statistic in statistics:
            known = units.dropna(subset=[statistic])
            paired = _Paired(
                known[f"{outcome}_before"].to_numpy(),
                known[f"{outcome}_after"].to_numpy(),
                known[statistic].to_numpy(),
                pd.factorize(known[cluster])[0],
            )
            rng = numpy_generator("survival", seed, outcome, *names)
            about = {**dict(zip(by, values)), treatment: treated, "statistic": statistic, "outcome": outcome}
            rows.append(about | {"confidence": confidence} | paired.row(bootstrap, confidence, rng))
    return pd.DataFrame(rows, columns=[*by, treatment, *SURVIVAL_COLUMNS])


def _both(
    table: pd.DataFrame,
    statistics: Sequence[str],
    treatment: str,
    baseline: str,
    outcome: str,
    by: Sequence[str],
    graph: str,
    cluster: str,
) -> Iterator[tuple[tuple[object, ...], object, pd.DataFrame]]:
    """Group, treatment, and the graphs of both with the outcome before and after."""
    found: dict[tuple[object, ...], dict[object, pd.DataFrame]] = {}
    for group in graph_groups(table, outcome, statistics, by=[*by, treatment], graph=graph, cluster=cluster):
        found.setdefault(group.values[:-1], {})[group.values[-1]] = group.units
    for values, units in found.items():
        if baseline not in units:
            continue
        for treated, after in units.items():
            if treated != baseline:
                before = units[baseline][[cluster, graph, outcome]]
                yield values, treated, before.merge(after, on=[cluster, graph], suffixes=("_before", "_after"))


@dataclass(frozen=True)
class _Paired:
    """The same graphs before and after. Shapes: (N,) each."""

    before: Array
    after: Array
    statistic: Array
    clusters: Indices

    def row(self, bootstrap: int, confidence: float, rng: np.random.Generator) -> dict[str, object]:
        number = int(self.clusters.max()) + 1 if len(self.clusters) else 0
        rho_before, rho_after = (self._rho(outcome) for outcome in (self.before, self.after))
        row: dict[str, object] = {
            "mean_before": _mean(self.before),
            "mean_after": _mean(self.after),
            "mean_left": _ratio(_mean(self.after), _mean(self.before)),
            "rho_before": rho_before,
            "rho_after": rho_after,
            "rho_change": rho_after - rho_before,
            "slope_left": _ratio(self._slope(self.after), self._slope(self.before)),
            "num_graphs": len(self.before),
            "num_clusters": number,
            "note": "",
        }
        if number < ENOUGH_CLUSTERS:
            return row | {"note": f"{number} clusters: no bootstrap interval"}
        counts = cluster_counts(self.clusters, bootstrap, rng)
        for name, values in (
            ("mean_left", _ratios(counts @ self.after, counts @ self.before)),
            ("rho_change", self._resampled_rho(counts, self.after) - self._resampled_rho(counts, self.before)),
            ("slope_left", _ratios(*(self._resampled_slope(counts, each) for each in (self.after, self.before)))),
        ):
            known = values[np.isfinite(values)]
            if len(known) > 0.5 * len(values) and np.isfinite(row[name]):  # type: ignore[call-overload]
                tail = (1 - confidence) / 2
                low, high = np.quantile(known, [tail, 1 - tail])
                row |= {f"{name}_low": float(low), f"{name}_high": float(high)}
        return row

    def _rho(self, outcome: Array) -> float:
        if len(outcome) < 3:
            return float("nan")
        return float(rank_correlations(self.statistic[:, None], outcome, np.empty((len(outcome), 0)))[0])

    def _resampled_rho(self, counts: Array, outcome: Array) -> Array:
        return ResampledRanks(counts, outcome, np.empty((len(outcome), 0))).correlations(self.statistic)

    def _slope(self, outcome: Array) -> float:
        return float(self._resampled_slope(np.ones((1, len(outcome))), outcome)[0]) if len(outcome) > 2 else np.nan

    def _resampled_slope(self, counts: Array, outcome: Array) -> Array:
        """Least-squares slope on the ranks that the statistic has in the whole sample. Shapes: (B, N) → (B,)."""
        ranks, total = midranks(self.statistic), counts.sum(axis=1)
        means = counts @ ranks / total
        spread = counts @ np.square(ranks) / total - np.square(means)
        shared = counts @ (ranks * outcome) / total - means * (counts @ outcome) / total
        return np.divide(shared, spread, out=np.full(len(counts), np.nan), where=spread > 0)


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _ratio(after: float, before: float) -> float:
    return after / before if before else float("nan")


def _ratios(after: Array, before: Array) -> Array:
    """After over before; nothing where before changes its sign too often for the ratio to mean anything."""
    known = before[np.isfinite(before) & (before != 0)]
    if not len(known) or min((known > 0).mean(), (known < 0).mean()) >= 0.05:
        return np.full(len(before), np.nan)
    return np.divide(after, before, out=np.full(len(before), np.nan), where=before != 0)
