"""Whether the ends of an edge have similar features (science 1.7).

NaN without features or edges, and when any node has a feature that is not finite. Sparse features stay sparse.
"""

from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp

from gnnmc.graphstats.rows import Rows, chunk_height, largest_feature, squared_lengths
from gnnmc.graphstats.simple_graph import Array, SimpleGraph
from gnnmc.graphstats.statistic import NAN, statistic

_CHUNK_VALUES = 2**20  # features of edges' ends held at a time


@statistic(
    "feature_homophily_cosine",
    unit="cosine, averaged over edges",
    low=-1.0,
    high=1.0,
    source="Jin et al. 2022 (arXiv 2206.13953), generalized edge homophily; science 1.7",
)
def feature_homophily_cosine(graph: SimpleGraph) -> float:
    """Cosine similarity of the features at the two ends of an edge, averaged over edges.

    An edge with an end whose features are all 0 has no cosine and is left out. NaN when no edge has one.
    """
    if (unit := _unit(graph)) is None:
        return NAN
    lengths = unit * np.sqrt(squared_lengths(graph.features, unit))
    source, target = _edges(graph)
    kept = (lengths[source] > 0) & (lengths[target] > 0)
    if not kept.any():
        return NAN
    factors = 1.0 / np.where(lengths > 0, lengths, 1.0)
    ends = _ends(graph.features, factors, source[kept], target[kept])
    cosines = sum(float((one * other).sum()) for one, other in ends)
    return float(np.clip(cosines / np.count_nonzero(kept), -1.0, 1.0))


@statistic(
    "feature_dirichlet_energy",
    unit="ratio to the features' squares",
    high=2.0,
    source="Cai & Wang 2020 (arXiv 2006.13318); science 1.7",
)
def feature_dirichlet_energy(graph: SimpleGraph) -> float:
    """Dirichlet energy Σ over edges ‖x_u/√(d_u+1) - x_v/√(d_v+1)‖², over Σ‖x_v‖²; 0 is smooth.

    It is tr XᵀΔX / tr XᵀX for Δ = I - Â, so below 2. NaN where all features are 0, and as stored: Δ is then not
    symmetric.
    """
    if graph.directed or (unit := _unit(graph)) is None:
        return NAN
    factors = 1.0 / (unit * np.sqrt(graph.degrees + 1.0))
    ends = _ends(graph.features, factors, *_edges(graph))
    energy = sum(float(((one - other) * (one - other)).sum()) for one, other in ends)
    return energy / float(squared_lengths(graph.features, unit).sum())


def _unit(graph: SimpleGraph) -> float | None:
    """The largest feature, in units of which no square overflows; None when smoothness is undefined."""
    if graph.features is None or len(graph.source) == 0:
        return None
    largest = largest_feature(graph.features)
    return largest if 0 < largest < np.inf else None


def _edges(graph: SimpleGraph) -> tuple[Array, Array]:
    """The two ends of each undirected edge, once; as stored, of every arc."""
    once = len(graph.source) if graph.directed else graph.num_edges  # arcs from low to high come first
    return graph.source[:once], graph.target[:once]


def _ends(features: Rows, factors: Array, source: Array, target: Array) -> Iterator[tuple[Rows, Rows]]:
    """Features times the node's factor at the two ends of edges, a chunk of edges at a time."""

    def rows(nodes: Array) -> Rows:
        if sp.issparse(features):
            return (sp.diags_array(factors[nodes]) @ features[nodes]).tocsr()
        return factors[nodes, None] * features[nodes]

    height = chunk_height(features, _CHUNK_VALUES)
    for start in range(0, len(source), height):
        chunk = slice(start, start + height)
        yield rows(source[chunk]), rows(target[chunk])
