"""Is the relation of the barrier to a statistic a straight rise or fall, or does it bend and turn?"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gnnmc.analysis.association import associate
from gnnmc.analysis.inference import Finding, Resampling, Sample, infer
from gnnmc.analysis.ranks import Array, midranks
from gnnmc.analysis.units import BY, graph_groups

SHAPE_COLUMNS = (
    "statistic",
    "outcome",
    "bend",
    "ci_low",
    "ci_high",
    "confidence",
    "p_permutation",
    "turning_point",
    "rho_below",
    "p_below",
    "rho_above",
    "p_above",
    "turns",
    "num_graphs",
    "num_clusters",
    "note",
)


def shape_test(
    table: pd.DataFrame,
    statistic: str,
    *,
    outcome: str = "barrier",
    by: Sequence[str] = BY,
    graph: str = "graph",
    cluster: str = "cluster",
    permutations: int = 10_000,
    bootstrap: int = 2_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Test for a bend: does the distance from the middle rank of the statistic tell more than its rank alone?

    `bend` is the rank correlation of the outcome with |rank − middle rank| given the rank: > 0 when the outcome is
    higher at both ends of the statistic's range than a straight line says (a valley), < 0 for a hump. Inference as in
    `associate`. A bend alone does not make a relation non-monotone (a rise that levels off bends too), so the turning
    point of the fitted parabola of ranks is given with Spearman's rho and its permutation p-value on either side;
    `turns` says that it lies inside the range with trends of opposite sign around it. The data choose the turning
    point, so the p-values of the sides are a little too small: read them as a second condition beside that of the bend.

    Shapes: one row per group with a graph: the columns of `by`, `statistic, outcome, bend, ci_low, ci_high,
    confidence, p_permutation`, `turning_point` (in units of the statistic, NaN outside the range), `rho_below, p_below,
    rho_above, p_above` (NaN with fewer than 3 graphs or 2 clusters), `turns` (bool), `num_graphs, num_clusters, note`.

    Raises InputError as `associate` does. Source: science 1.6 (the shape on CSBM) [ours]; two trends around a break,
    both tested, are the idea of Simonsohn (2018).
    """
    parts: list[pd.DataFrame] = []
    descriptions: list[dict[str, object]] = []
    for group in graph_groups(table, outcome, [statistic], by=by, graph=graph, cluster=cluster):
        units = group.units.dropna(subset=[statistic])
        if units.empty:
            continue
        x, y = units[statistic].to_numpy(), units[outcome].to_numpy()
        part = units.copy()
        part[_DISTANCE] = np.abs(midranks(x) - (len(x) + 1) / 2)
        part[list(by)] = pd.DataFrame([group.values] * len(units), columns=list(by), index=units.index)
        parts.append(part)
        resampling = Resampling(permutations, 1, confidence, (seed, "sides", outcome, *by, *group.names()))
        descriptions.append(_describe(x, y, units[cluster], resampling))
    if not parts:
        return pd.DataFrame(columns=[*by, *SHAPE_COLUMNS])
    test = associate(
        pd.concat(parts, ignore_index=True),
        [_DISTANCE],
        outcome=outcome,
        kinds={"shape": (statistic,)},
        by=by,
        graph=graph,
        cluster=cluster,
        permutations=permutations,
        bootstrap=bootstrap,
        confidence=confidence,
        seed=seed,
    ).frame()
    frame = test.rename(columns={"rho": "bend"}).assign(statistic=statistic)
    described = pd.DataFrame(descriptions, index=frame.index)
    return pd.concat([frame, described], axis=1)[[*by, *SHAPE_COLUMNS]]


_DISTANCE = "distance from the middle rank"

# A parabola through ranks is bent by 1/N² or more where it is bent at all; what is smaller is rounding of the fit.
FLAT = 1e-9


def _describe(x: Array, y: Array, clusters: pd.Series, resampling: Resampling) -> dict[str, object]:
    """Where the parabola through the ranks turns, and the trend on either side of it."""
    ranks = midranks(x) - (len(x) + 1) / 2
    vertex = _turning_rank(ranks, midranks(y))
    sides = (ranks <= vertex, ranks >= vertex)  # nothing on either side of NaN
    below, above = (_trend(x[side], y[side], clusters[side], resampling) for side in sides)
    order = np.argsort(ranks, kind="stable")
    return {
        "turning_point": float(np.interp(vertex, ranks[order], x[order])),
        "rho_below": below.rho,
        "p_below": below.p_permutation,
        "rho_above": above.rho,
        "p_above": above.p_permutation,
        "turns": below.rho * above.rho < 0,
    }


def _turning_rank(x_ranks: Array, y_ranks: Array) -> float:
    """The rank where the parabola turns; NaN when that is not inside the range."""
    if len(np.unique(x_ranks)) < 3:
        return float("nan")
    curvature, slope, _ = np.polyfit(x_ranks, y_ranks, 2)
    vertex = -slope / (2 * curvature) if abs(curvature) > FLAT else np.inf
    return float(vertex) if x_ranks.min() < vertex < x_ranks.max() else float("nan")


def _trend(x: Array, y: Array, clusters: pd.Series, resampling: Resampling) -> Finding:
    sample = Sample(y, x[:, None], np.empty((len(x), 0)), pd.factorize(clusters)[0])
    return infer(sample, resampling)[0]
