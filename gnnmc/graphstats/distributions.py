"""How a property is spread over the nodes of a graph: degrees and local homophily, to compare two graphs by."""

from gnnmc.graphstats.homophily import homophily_by_node
from gnnmc.graphstats.simple_graph import Array, SimpleGraph, prepare


def degree_distribution(data: object) -> Array:
    """Neighbors of every node of the simple undirected graph.

    Shapes:
        data.edge_index: (2, E); returns (N,)

    Raises InputError for a malformed graph, as `graph_stats`. Source: science 1.7.
    """
    return _simple(data).degrees


def local_homophily_distribution(data: object) -> Array:
    """Of every labeled node with labeled neighbors, their share that is of its class; in [0, 1], in order of the nodes.

    None where node homophily is not defined: fewer than two classes, or no edge between labeled nodes.

    Shapes:
        data.edge_index: (2, E); data.y: (N,); returns (M,), M at most N

    Raises InputError for a malformed graph, as `graph_stats`. Source: Pei et al. 2020 (arXiv 2002.05287); science 1.7.
    """
    return homophily_by_node(_simple(data))


def _simple(data: object) -> SimpleGraph:
    return data if isinstance(data, SimpleGraph) else prepare(data)
