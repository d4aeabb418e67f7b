"""How fast messages mix: the spectral gaps of Â = D̃^-½(A+I)D̃^-½ on the largest component (science 1.3, 1.7).

Of several largest components the least gap, so that the order of the nodes does not matter. NaN when that component is
one node, when the eigenvalues did not converge within the steps allowed (`gnnmc.graphstats.spectrum`), and as stored,
where Â is not symmetric.
"""

from gnnmc.graphstats.simple_graph import SimpleGraph
from gnnmc.graphstats.statistic import NAN, statistic

_SOURCE = "Li et al. 2025 (arXiv 2502.12608); science 1.3, science 1.7"


@statistic("gap_algebraic", unit="eigenvalue difference", high=1.0, source=_SOURCE, cost="heavy")
def gap_algebraic(graph: SimpleGraph) -> float:
    """Spectral gap 1-λ₂: how far the second largest eigenvalue is from the largest, which is 1."""
    return NAN if graph.directed else graph.gaps[0]


@statistic("gap_modulus", unit="eigenvalue difference", high=1.0, source=_SOURCE, cost="heavy")
def gap_modulus(graph: SimpleGraph) -> float:
    """Spectral gap 1-max(|λ₂|, |λ_n|): what is left of a signal's other parts shrinks by this share per layer."""
    return NAN if graph.directed else graph.gaps[1]
