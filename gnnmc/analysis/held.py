"""Rank correlation with other factors held: only graphs that agree on them are compared with one another.

Within a stratum a value becomes its mid-rank, scaled to (−1, 1); the scores of all strata are correlated together. This
is the partial Spearman correlation given the stratum, by probability-scale residuals (Liu et al. 2018).
"""

from dataclasses import dataclass

import numpy as np

from gnnmc.analysis.inference import ENOUGH_CLUSTERS, Finding, Resampling
from gnnmc.analysis.ranks import NOTHING_LEFT, Array, midranks
from gnnmc.analysis.resampling import (
    Indices,
    arrangements,
    cluster_counts,
    percentiles,
    permutation_p_value,
)


@dataclass(frozen=True)
class HeldSample:
    """Graphs of strata with at least two of them.

    Shapes: statistic, outcome (N,); strata, clusters (N,) numbered from 0, every number in use; rows sorted by stratum.
    """

    statistic: Array
    outcome: Array
    strata: Indices
    clusters: Indices

    @property
    def num_clusters(self) -> int:
        """Number of independent base graphs."""
        return int(self.clusters.max()) + 1 if len(self.clusters) else 0

    @property
    def num_strata(self) -> int:
        """Number of strata."""
        return len(np.unique(self.strata))


def infer_held(sample: HeldSample, resampling: Resampling) -> Finding:
    """Rho with the strata held, its bootstrap interval over clusters and its permutation p-value (NaN: see the notes).

    Clusters exchange places with clusters that have their graphs in the same strata, so nothing that is held moves.
    """
    finding = Finding()
    if why := _why_undefined(sample):
        finding.notes.append(why)
        return finding
    x, y = (_scores(values, sample.strata) for values in (sample.statistic, sample.outcome))
    size = np.sqrt((x @ x) * (y @ y))
    finding.rho = float(np.clip(x @ y / size, -1.0, 1.0))
    if sample.num_clusters < 2:
        finding.notes.append("one cluster: description only, no p-value")
        return finding
    moved, exact = arrangements(
        sample.clusters, resampling.permutations, resampling.generator("held permutation"), _signatures(sample)
    )
    permuted = y[moved] @ x / size
    if np.ptp(np.append(permuted, finding.rho)) < 1e-12:
        finding.notes.append("no two clusters can exchange places with all else equal: no p-value")
    else:
        finding.p_permutation = permutation_p_value(finding.rho, permuted, exact)
        if exact and len(permuted) < 40:
            finding.notes.append(f"only {len(permuted)} arrangements: p is at least {1 / len(permuted):.2g}")
    if sample.num_clusters < ENOUGH_CLUSTERS:
        finding.notes.append(f"{sample.num_clusters} clusters: no bootstrap interval")
        return finding
    counts = cluster_counts(sample.clusters, resampling.bootstrap, resampling.generator("held bootstrap"))
    finding.ci_low, finding.ci_high = percentiles(_resampled(sample, counts), resampling.confidence)
    return finding


def _why_undefined(sample: HeldSample) -> str:
    if not len(sample.statistic):
        return "no two graphs agree on everything that must be held"
    if all(np.ptp(sample.statistic[sample.strata == each]) == 0 for each in np.unique(sample.strata)):
        return "the statistic is the same wherever all else is equal"
    if all(np.ptp(sample.outcome[sample.strata == each]) == 0 for each in np.unique(sample.strata)):
        return "the outcome is the same wherever all else is equal"
    if len(sample.statistic) - sample.num_strata < 2:
        return "fewer than 3 graphs to compare with all else equal"
    return ""


def _scores(values: Array, strata: Indices) -> Array:
    found = np.empty(len(values))
    for each in np.unique(strata):
        here = strata == each
        number = np.count_nonzero(here)
        found[here] = (2 * midranks(values[here]) - (number + 1)) / number
    return found


def _signatures(sample: HeldSample) -> Indices:
    """A number for each cluster, equal where two have their graphs in the same strata."""
    found: dict[tuple[int, ...], int] = {}
    for each in range(sample.num_clusters):
        found.setdefault(tuple(sorted(sample.strata[sample.clusters == each].tolist())), len(found))
    return np.array(
        [found[tuple(sorted(sample.strata[sample.clusters == each].tolist()))] for each in range(sample.num_clusters)],
        dtype=np.intp,
    )


def _resampled(sample: HeldSample, counts: Array) -> Array:
    """Rho in every resample, with ranks taken anew within its strata; NaN where undefined. Shapes: (B, N) → (B,)."""
    products = np.zeros((3, len(counts)))
    for each in np.unique(sample.strata):
        here = sample.strata == each
        drawn = counts[:, here]
        number = drawn.sum(axis=1, keepdims=True)
        scores = []
        for values in (sample.statistic[here], sample.outcome[here]):
            smaller = (values[:, None] < values[None, :]) + 0.5 * (values[:, None] == values[None, :])
            scores.append((2 * (drawn @ smaller) - number) / np.maximum(number, 1.0))
        x, y = scores
        products += [(drawn * x * y).sum(axis=1), (drawn * x * x).sum(axis=1), (drawn * y * y).sum(axis=1)]
    size = np.sqrt(products[1] * products[2])
    return np.divide(products[0], size, out=np.full(len(counts), np.nan), where=size > NOTHING_LEFT)
