"""How many neighbors nodes have (science 1.7). As stored: arcs into a node; multi-edges count."""

from gnnmc.graphstats.simple_graph import SimpleGraph
from gnnmc.graphstats.statistic import NAN, statistic

_SOURCE = "science 1.7"


@statistic("density", unit="share of the possible edges", source=_SOURCE)
def density(graph: SimpleGraph) -> float:
    """Edges over possible edges, 2|E|/(n(n-1)); above 1 only for multi-edges as stored."""
    possible = graph.num_nodes * (graph.num_nodes - 1)
    return len(graph.source) / possible if possible else NAN


@statistic("degree_mean", unit="neighbors per node", source=_SOURCE)
def degree_mean(graph: SimpleGraph) -> float:
    """Mean degree, 2|E|/n."""
    return float(graph.degrees.mean()) if graph.num_nodes else NAN


@statistic("degree_min", unit="neighbors", source=_SOURCE)
def degree_min(graph: SimpleGraph) -> float:
    """Least degree, self-loops not counted."""
    return int(graph.degrees.min()) if graph.num_nodes else NAN


@statistic("degree_max", unit="neighbors", source=_SOURCE)
def degree_max(graph: SimpleGraph) -> float:
    """Largest degree, self-loops not counted."""
    return int(graph.degrees.max()) if graph.num_nodes else NAN


@statistic("degree_cv", unit="ratio", source=_SOURCE)
def degree_cv(graph: SimpleGraph) -> float:
    """Coefficient of variation of the degrees: population standard deviation over mean."""
    mean = degree_mean(graph)
    return float(graph.degrees.std()) / mean if mean > 0 else NAN
