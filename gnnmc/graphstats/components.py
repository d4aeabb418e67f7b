"""Into how many pieces a graph falls (science 1.7). As stored: pieces when the directions are forgotten."""

import numpy as np

from gnnmc.graphstats.simple_graph import SimpleGraph
from gnnmc.graphstats.statistic import NAN, statistic

_SOURCE = "science 1.7"


@statistic("num_components", unit="components", source=_SOURCE)
def num_components(graph: SimpleGraph) -> float:
    """Connected components; an isolated node is one."""
    return int(graph.components.max(initial=-1)) + 1


@statistic("largest_component_share", unit="share of nodes", high=1.0, source=_SOURCE)
def largest_component_share(graph: SimpleGraph) -> float:
    """Share of the nodes that are in the largest connected component."""
    return int(np.bincount(graph.components).max()) / graph.num_nodes if graph.num_nodes else NAN


@statistic("isolated_nodes", unit="nodes", source=_SOURCE)
def isolated_nodes(graph: SimpleGraph) -> float:
    """Nodes without an edge to another node."""
    sent = np.bincount(graph.source, minlength=graph.num_nodes)
    return int(np.count_nonzero(sent + graph.degrees == 0))
