"""What there is: nodes, edges, features, classes."""

from gnnmc.graphstats.simple_graph import SimpleGraph
from gnnmc.graphstats.statistic import NAN, statistic

_SOURCE = "science 1.7"


@statistic("num_nodes", unit="nodes", source=_SOURCE)
def num_nodes(graph: SimpleGraph) -> float:
    """Nodes, isolated ones included."""
    return graph.num_nodes


@statistic("num_edges", unit="edges", source=_SOURCE)
def num_edges(graph: SimpleGraph) -> float:
    """Undirected edges, each once, without self-loops; as stored: arcs without self-loops."""
    return graph.num_edges


@statistic("num_classes", unit="classes", source=_SOURCE)
def num_classes(graph: SimpleGraph) -> float:
    """Classes that occur among the labeled nodes."""
    return graph.num_classes


@statistic("num_features", unit="features", source=_SOURCE)
def num_features(graph: SimpleGraph) -> float:
    """Features of a node; 0 when there are none."""
    return 0 if graph.features is None else int(graph.features.shape[1])


@statistic("labeled_share", unit="share of nodes", high=1.0, source=_SOURCE)
def labeled_share(graph: SimpleGraph) -> float:
    """Share of the nodes that have a label at all (not the training split)."""
    return int(graph.class_sizes.sum()) / graph.num_nodes if graph.num_nodes else NAN


@statistic("largest_class_share", unit="share of labeled nodes", high=1.0, source=_SOURCE)
def largest_class_share(graph: SimpleGraph) -> float:
    """Share of the labeled nodes that are of the largest class: 1/C when balanced."""
    return int(graph.class_sizes.max()) / int(graph.class_sizes.sum()) if graph.num_classes else NAN
