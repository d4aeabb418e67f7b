"""How often two neighbors of a node are neighbors of each other (science 1.7). Undirected only: NaN as stored."""

import numpy as np

from gnnmc.graphstats.simple_graph import SimpleGraph
from gnnmc.graphstats.statistic import NAN, statistic


@statistic(
    "clustering_average",
    unit="share of neighbor pairs, averaged over nodes",
    high=1.0,
    source="Watts & Strogatz 1998; science 1.7",
    cost="heavy",
)
def clustering_average(graph: SimpleGraph) -> float:
    """Local clustering coefficient averaged over all nodes, those with fewer than two neighbors counting 0."""
    if graph.directed or graph.num_nodes == 0:
        return NAN
    return float((graph.triangles / np.maximum(_pairs(graph), 1.0)).mean())


@statistic(
    "transitivity",
    unit="share of paths of two edges",
    high=1.0,
    source="Newman, Watts & Strogatz 2002; science 1.7",
    cost="heavy",
)
def transitivity(graph: SimpleGraph) -> float:
    """Global clustering coefficient, 3·triangles over paths of two edges; NaN when there is no such path."""
    if graph.directed or not (paths := float(_pairs(graph).sum())):
        return NAN
    return float(graph.triangles.sum()) / paths


def _pairs(graph: SimpleGraph) -> np.ndarray:
    """Pairs of neighbors of each node, (N,)."""
    degrees = graph.degrees.astype(np.float64)
    return degrees * (degrees - 1.0) / 2.0
