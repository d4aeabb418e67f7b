"""Whether nodes of many neighbors have neighbors of many neighbors (science 1.7)."""

import numpy as np

from gnnmc.graphstats.simple_graph import SimpleGraph
from gnnmc.graphstats.statistic import NAN, statistic


@statistic(
    "degree_assortativity",
    unit="correlation",
    low=-1.0,
    high=1.0,
    source="Newman 2002 (arXiv cond-mat/0205405); science 1.7",
)
def degree_assortativity(graph: SimpleGraph) -> float:
    """Pearson correlation of the degrees at the two ends of an edge; as stored, of the arcs into the two ends.

    NaN without edges and where an end's degree does not vary, as in a regular graph.
    """
    if len(graph.source) == 0:
        return NAN
    first, second = graph.degrees[graph.source], graph.degrees[graph.target]
    if first.min() == first.max() or second.min() == second.max():
        return NAN
    one, other = first - first.mean(), second - second.mean()
    return float(np.clip(one @ other / np.sqrt((one @ one) * (other @ other)), -1.0, 1.0))
