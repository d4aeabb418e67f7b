"""A mean over graphs against a threshold: an interval over clusters where there are enough, else a test of signs."""

from dataclasses import dataclass

import numpy as np

from gnnmc.analysis.inference import ENOUGH_CLUSTERS
from gnnmc.analysis.ranks import Array
from gnnmc.analysis.resampling import Indices, cluster_counts, percentiles
from gnnmc.seeding import numpy_generator


@dataclass(frozen=True)
class Effect:
    """A ratio of sums over graphs (a mean where the lower sum counts graphs), and on which side of a threshold it lies.

    p_value: of the exact two-sided test of signs, over clusters, that as many lie above the threshold as below; it is
    what decides where there is no interval, and NaN where there is one. side: 1 above, −1 below, 0 not known.
    """

    estimate: float
    ci_low: float
    ci_high: float
    p_value: float
    side: int
    num_graphs: int
    num_clusters: int
    why: str


@dataclass(frozen=True)
class Level:
    """How certain a claim must be: resamples, level of intervals, level of tests, seed."""

    bootstrap: int = 2_000
    confidence: float = 0.95
    alpha: float = 0.05
    seed: int = 0


def cluster_effect(
    values: Array, clusters: Indices, threshold: float, level: Level, name: str, *, per: Array | None = None
) -> Effect:
    """Σ values/Σ per over graphs (per: ones) against `threshold`.

    From 10 clusters on it lies above or below where the percentile interval over resampled clusters does; with fewer,
    where the exact test of the signs of Σ(values − threshold·per) of the clusters says so at level alpha.

    Shapes: values, clusters, per (N,), clusters numbered from 0.
    """
    per = np.ones(len(values)) if per is None else per
    number = int(clusters.max()) + 1 if len(clusters) else 0
    if not number or per.sum() <= 0:
        return Effect(np.nan, np.nan, np.nan, np.nan, 0, len(values), number, "no graph has all that is needed")
    estimate = float(values.sum() / per.sum())
    if number >= ENOUGH_CLUSTERS:
        counts = cluster_counts(clusters, level.bootstrap, numpy_generator("claims", name, level.seed))
        lower = counts @ per
        ratios = np.divide(counts @ values, lower, out=np.full(len(counts), np.nan), where=lower > 0)
        low, high = percentiles(ratios, level.confidence)
        side = 1 if low > threshold else -1 if high < threshold else 0
        where = {1: "lies above", -1: "lies below", 0: "holds"}[side]
        why = f"the interval {where} {threshold:.3g}"
        return Effect(estimate, low, high, np.nan, side, len(values), number, why)
    excess = np.bincount(clusters, weights=values - threshold * per)
    above, below = int((excess > 0).sum()), int((excess < 0).sum())
    p_value = _sign_test(above, below)
    side = int(np.sign(above - below)) if p_value <= level.alpha else 0
    why = (
        f"{number} clusters: no bootstrap interval; {above} lie above {threshold:.3g} and {below} below "
        f"(test of signs, p = {p_value:.2g})"
    )
    return Effect(estimate, np.nan, np.nan, p_value, side, len(values), number, why)


def _sign_test(above: int, below: int) -> float:
    from scipy.stats import binomtest

    return float(binomtest(above, above + below).pvalue) if above + below else 1.0
