"""Are graphs of one domain more alike than graphs of different domains? From distances between pairs of graphs."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gnnmc.analysis.ranks import Array, midranks
from gnnmc.analysis.resampling import arrangements, permutation_p_value
from gnnmc.analysis.units import require_numbers
from gnnmc.errors import InputError
from gnnmc.seeding import numpy_generator


@dataclass(frozen=True)
class Likeness:
    """r: 1 where every pair of one domain is closer than every pair of two, 0 where neither is closer, below 0 farther.

    p_value: of domains exchanged between clusters, two-sided; NaN where nothing can be exchanged.
    """

    r: float
    p_value: float
    num_graphs: int
    num_clusters: int
    num_within: int
    why: str


def domain_likeness(distances: pd.DataFrame, *, permutations: int = 10_000, seed: int = 0) -> Likeness:
    """ANOSIM (Clarke 1993) over clusters: R = (mean rank between − mean rank within)/(pairs/2).

    Distances are averaged within pairs of clusters first (over models, versions of a graph and both orders); pairs of
    graphs of one cluster are left out, since versions of a graph are alike for another reason.

    Shapes: distances: one row per pair of graphs: `graph_a, graph_b, cluster_a, cluster_b, domain_a, domain_b`,
    `distance` (of their curves).

    Raises InputError for a missing or non-numeric column, and for a cluster in two domains. Source: Clarke 1993;
    science 1.3 (the curves), 1.8 (the clusters).
    """
    ends = [f"{name}_{end}" for name in ("graph", "cluster", "domain") for end in "ab"]
    require_numbers(distances, ["distance"], others=ends)
    known = distances[np.isfinite(distances["distance"]) & (distances["cluster_a"] != distances["cluster_b"])]
    columns = {end: [f"cluster_{end}", f"domain_{end}", f"graph_{end}"] for end in "ab"}
    named = pd.concat([known[names].set_axis(["c", "d", "g"], axis=1) for names in columns.values()])
    domains = named.groupby("c")["d"].nunique()
    if (domains > 1).any():
        raise InputError(f"cluster {domains.idxmax()!r} is in {domains.max()} domains: a base graph is of one")
    clusters = sorted(set(named["c"]), key=str)
    graphs = named["g"].nunique()
    domain = pd.factorize(named.drop_duplicates("c").set_index("c")["d"].reindex(clusters))[0]
    place = {name: number for number, name in enumerate(clusters)}
    pairs = pd.DataFrame({end: known[f"cluster_{end}"].map(place) for end in "ab"})
    first, second = np.sort(pairs[["a", "b"]].to_numpy(dtype=np.intp), axis=1).T
    means = known["distance"].groupby([first, second]).mean()
    first, second = (means.index.get_level_values(level).to_numpy() for level in (0, 1))
    within = domain[first] == domain[second] if len(means) else np.zeros(0, dtype=bool)
    sizes = (graphs, len(clusters), int(within.sum()))
    if not within.any() or within.all():
        return Likeness(np.nan, np.nan, *sizes, "there must be pairs of one domain and pairs of two")
    ranks = midranks(means.to_numpy(dtype=float))
    r = float(_anosim(ranks, within[None, :])[0])
    moved, exact = arrangements(
        np.arange(len(clusters)), permutations, numpy_generator("domain likeness", seed, len(clusters))
    )
    exchanged = domain[moved]
    drawn = _anosim(ranks, exchanged[:, first] == exchanged[:, second])
    if np.ptp(np.append(drawn, r)) < 1e-12:
        return Likeness(r, np.nan, *sizes, "exchanging domains between clusters changes nothing")
    p_value = permutation_p_value(r, drawn, exact)
    return Likeness(r, p_value, *sizes, f"R = {r:.2f}, p = {p_value:.2g} of domains exchanged between clusters")


def _anosim(ranks: Array, within: NDArray[np.bool_]) -> Array:
    inside = within.sum(axis=1)
    mean_within = within @ ranks / inside
    mean_between = (ranks.sum() - within @ ranks) / (len(ranks) - inside)
    return np.asarray((mean_between - mean_within) / (len(ranks) / 2))
