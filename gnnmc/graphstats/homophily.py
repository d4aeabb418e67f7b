"""How often edges join nodes of one class: four measures (science 1.7).

All are NaN without two classes among the labeled nodes and an edge between labeled nodes.
"""

import numpy as np

from gnnmc.graphstats.simple_graph import Array, SimpleGraph
from gnnmc.graphstats.statistic import NAN, statistic


@statistic("homophily_edge", unit="share of edges", high=1.0, source="Zhu et al. 2020 (arXiv 2006.11468); science 1.7")
def homophily_edge(graph: SimpleGraph) -> float:
    """Share of edges whose two ends are of one class."""
    if undefined(graph):
        return NAN
    return float(graph.label_arcs.same.mean())


@statistic(
    "homophily_node", unit="share of neighbors", high=1.0, source="Pei et al. 2020 (arXiv 2002.05287); science 1.7"
)
def homophily_node(graph: SimpleGraph) -> float:
    """Share of a node's labeled neighbors that are of its class, averaged over labeled nodes that have some."""
    shares = homophily_by_node(graph)
    return float(shares.mean()) if len(shares) else NAN


def homophily_by_node(graph: SimpleGraph) -> Array:
    """The shares that `homophily_node` is the mean of, in order of the nodes, (M,); none where it is undefined."""
    if undefined(graph):
        return np.zeros(0)
    arcs = graph.label_arcs
    same = np.bincount(arcs.receiver[arcs.same], minlength=graph.num_nodes)
    reached = arcs.degrees > 0
    return same[reached] / arcs.degrees[reached]


@statistic(
    "homophily_insensitive",
    unit="excess share, averaged over classes",
    high=1.0,
    source="Lim et al. 2021 (arXiv 2110.14446); science 1.7",
)
def homophily_insensitive(graph: SimpleGraph) -> float:
    """Class-insensitive edge homophily: sum over classes of max(0, h_k - n_k/n), divided by C - 1."""
    if undefined(graph):
        return NAN
    arcs = graph.label_arcs
    same = np.bincount(arcs.to_class[arcs.same], minlength=graph.num_classes)
    # a class without edges has no h_k and adds nothing, as in the authors' code
    h = same / np.maximum(arcs.to_totals, 1)
    excess = np.maximum(h - graph.class_sizes / graph.class_sizes.sum(), 0.0)
    return float(excess.sum() / (graph.num_classes - 1))


@statistic(
    "homophily_adjusted",
    unit="ratio, 0 for structureless, 1 for all edges within classes",
    low=-1.0,
    high=1.0,
    source="Platonov et al. 2023 (arXiv 2209.06177); science 1.7",
)
def homophily_adjusted(graph: SimpleGraph) -> float:
    """Edge homophily less what the degrees of the classes alone would give, scaled so that its maximum is 1."""
    if undefined(graph):
        return NAN
    arcs = graph.label_arcs
    # sum_k D_k^2/(2|E|)^2; stored arcs pair the two sides' laws, as directed modularity does
    expected = float((arcs.to_totals / len(arcs)) @ (arcs.from_totals / len(arcs)))
    if expected == 1.0:  # exactly, when all edges are inside one class
        return NAN
    return (float(arcs.same.mean()) - expected) / (1.0 - expected)


def undefined(graph: SimpleGraph) -> bool:
    """True where label statistics have no value: fewer than two classes, or no edge between labeled nodes."""
    return graph.num_classes < 2 or len(graph.label_arcs) == 0
