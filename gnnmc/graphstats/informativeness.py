"""What the label of a neighbor tells about the label of a node, as a share of its entropy (science 1.7).

Platonov et al. 2023 (arXiv 2209.06177). Ratios of entropies, so the base of the logarithm is of no account. NaN
where the labels at the ends of edges have no entropy.
"""

import numpy as np

from gnnmc.graphstats.homophily import undefined
from gnnmc.graphstats.simple_graph import SimpleGraph
from gnnmc.graphstats.statistic import NAN, statistic

_SOURCE = "Platonov et al. 2023 (arXiv 2209.06177); science 1.7"


@statistic("label_informativeness", unit="share of the label entropy", high=1.0, source=_SOURCE)
def label_informativeness(graph: SimpleGraph) -> float:
    """Mutual information of the labels at the ends of a random edge, over the entropy of one of them (LI_edge)."""
    if undefined(graph):
        return NAN
    arcs = graph.label_arcs
    entropy = _entropy(arcs.to_totals / len(arcs))
    if entropy == 0.0:
        return NAN
    _, _, counts = arcs.joint()
    # undirected: both one-sided entropies are equal and this is 2 - H(c1, c2)/H(c)
    return (entropy + _entropy(arcs.from_totals / len(arcs)) - _entropy(counts / len(arcs))) / entropy


@statistic("label_informativeness_node", unit="ratio to the label entropy, may exceed 1", source=_SOURCE)
def label_informativeness_node(graph: SimpleGraph) -> float:
    """The same for a random node and a random neighbor of it, the neighbor's law weighted by degree (LI_node)."""
    if undefined(graph):
        return NAN
    arcs = graph.label_arcs
    reached = arcs.degrees > 0
    num_reached = np.count_nonzero(reached)
    p_node = np.bincount(graph.labels[reached], minlength=graph.num_classes) / num_reached
    entropy = _entropy(p_node)
    if entropy == 0.0:
        return NAN
    c1, c2, p = arcs.joint(1.0 / (num_reached * arcs.degrees[arcs.receiver]))
    p_edge = arcs.from_totals / len(arcs)
    return float((p * np.log(p / (p_node[c1] * p_edge[c2]))).sum()) / entropy


def _entropy(p: np.ndarray) -> float:
    """Entropy in nats of a law, zeros allowed; exactly 0 for a certain outcome."""
    positive = p[p > 0]
    return float(-(positive * np.log(positive)).sum())
