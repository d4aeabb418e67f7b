"""What one sample of graphs says about its statistics: rho, an interval, a p-value, and why one is missing."""

from dataclasses import dataclass, field

import numpy as np

from gnnmc.analysis.ranks import Array, ResampledRanks, rank_correlations
from gnnmc.analysis.resampling import (
    Indices,
    arrangements,
    cluster_counts,
    permutation_p_value,
    permuted_cluster_values,
    permuted_correlations,
)
from gnnmc.seeding import numpy_generator

# Fewer clusters than this: no bootstrap interval (science 1.8).
ENOUGH_CLUSTERS = 10


@dataclass(frozen=True)
class Sample:
    """The graphs of one group for which everything is known.

    Shapes: outcome (N,), statistics (N, S), controls (N, K), clusters (N,) numbered from 0, every number in use.
    """

    outcome: Array
    statistics: Array
    controls: Array
    clusters: Indices

    @property
    def num_graphs(self) -> int:
        """Number of graphs N."""
        return len(self.outcome)

    @property
    def num_clusters(self) -> int:
        """Number of independent base graphs."""
        return int(self.clusters.max()) + 1 if len(self.clusters) else 0


@dataclass(frozen=True)
class Resampling:
    """How the inference draws: numbers of resamples, level of the interval, and the values that name its streams."""

    permutations: int
    bootstrap: int
    confidence: float
    names: tuple[object, ...]

    def generator(self, purpose: str) -> np.random.Generator:
        """The stream of one purpose: the same for all statistics of a group, whatever else is in the table."""
        return numpy_generator("associate", purpose, *self.names)


@dataclass
class Finding:
    """Rho of one statistic, its interval and two-sided p-value (NaN where not defined), and notes on both."""

    rho: float = np.nan
    ci_low: float = np.nan
    ci_high: float = np.nan
    p_permutation: float = np.nan
    notes: list[str] = field(default_factory=list)


def infer(sample: Sample, resampling: Resampling) -> list[Finding]:
    """One finding per statistic of the sample, by the rules of science 1.8; see `associate`."""
    findings = [Finding(rho=float(rho)) for rho in _correlations(sample)]
    for place, finding in enumerate(findings):
        if np.isnan(finding.rho):
            finding.notes.append(_why_undefined(sample, place))
    defined = [place for place, finding in enumerate(findings) if not np.isnan(finding.rho)]
    if defined and sample.num_clusters < 2:
        for place in defined:
            findings[place].notes.append("one cluster: description only, no p-value")
    elif defined:
        _test(sample, defined, findings, resampling)
        _interval(sample, defined, findings, resampling)
    return findings


def bootstrap_correlations(sample: Sample, resampling: Resampling) -> Array:
    """Rho of every statistic in resamples of whole clusters, the same resamples for all. Shapes: → (B, S)."""
    counts = cluster_counts(sample.clusters, resampling.bootstrap, resampling.generator("bootstrap"))
    resampled = ResampledRanks(counts, sample.outcome, sample.controls)
    return np.stack([resampled.correlations(statistic) for statistic in sample.statistics.T], axis=1)


def _correlations(sample: Sample) -> Array:
    if sample.num_graphs < 3:
        return np.full(sample.statistics.shape[1], np.nan)
    return rank_correlations(sample.statistics, sample.outcome, sample.controls)


def _why_undefined(sample: Sample, place: int) -> str:
    if sample.num_graphs < 3:
        return "fewer than 3 graphs"
    if np.ptp(sample.outcome) == 0:
        return "the outcome is the same for all graphs"
    if np.ptp(sample.statistics[:, place]) == 0:
        return "the statistic is the same for all graphs"
    if sample.num_graphs < sample.controls.shape[1] + 3:
        return f"too few graphs for {sample.controls.shape[1]} controls"
    return "the ranks of the statistic or of the outcome are a function of the controls"


def _test(sample: Sample, places: list[int], findings: list[Finding], resampling: Resampling) -> None:
    limit = resampling.permutations
    sizes = np.bincount(sample.clusters)
    moved, exact = arrangements(sample.clusters, limit, resampling.generator("permutation"))
    table = permuted_correlations(sample.statistics[:, places], sample.outcome, sample.controls, moved)
    for place, permuted in zip(places, table.T):
        finding, statistic, listed = findings[place], sample.statistics[:, place], exact
        belongs_to_cluster = _constant_within(statistic, sample.clusters)
        if len(set(sizes)) > 1 and belongs_to_cluster and not sample.controls.shape[1]:
            rng = resampling.generator("permutation of cluster values")
            permuted, listed = permuted_cluster_values(statistic, sample.outcome, sample.clusters, limit, rng)
        elif (alone := sum(np.count_nonzero(sizes == size) == 1 for size in set(sizes))) and len(set(sizes)) > 1:
            finding.notes.append(f"clusters of a size of their own, kept in place by the permutation: {alone}")
        if np.ptp(np.append(permuted, finding.rho)) < 1e-12:
            finding.notes.append("exchanging the clusters changes nothing: no p-value")
            continue
        finding.p_permutation = permutation_p_value(finding.rho, permuted, listed)
        if listed and len(permuted) < 40:
            least = 1 / len(permuted)
            finding.notes.append(f"only {len(permuted)} arrangements of the clusters: p is at least {least:.2g}")


def _interval(sample: Sample, places: list[int], findings: list[Finding], resampling: Resampling) -> None:
    if sample.num_clusters < ENOUGH_CLUSTERS:
        for place in places:
            findings[place].notes.append(f"{sample.num_clusters} clusters: no bootstrap interval")
        return
    chosen = Sample(sample.outcome, sample.statistics[:, places], sample.controls, sample.clusters)
    for place, values in zip(places, bootstrap_correlations(chosen, resampling).T):
        defined = values[~np.isnan(values)]
        share = 1 - len(defined) / len(values)
        if share > 0.05:
            findings[place].notes.append(f"rho is undefined in {share:.0%} of the resamples: a variable is constant")
        if share <= 0.5:
            tail = (1 - resampling.confidence) / 2
            findings[place].ci_low, findings[place].ci_high = map(float, np.quantile(defined, [tail, 1 - tail]))


def _constant_within(values: Array, clusters: Indices) -> bool:
    _, first = np.unique(clusters, return_index=True)
    return bool((values == values[first][clusters]).all())
