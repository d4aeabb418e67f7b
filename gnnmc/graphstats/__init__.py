"""Statistics of a graph. One file per idea; each registers its statistics in STATISTICS (science 1.7)."""

# Imported in the order in which the statistics stand in tables.
# isort: off
from gnnmc.graphstats import homophily as _homophily  # noqa: F401
from gnnmc.graphstats import informativeness as _informativeness  # noqa: F401
from gnnmc.graphstats import sizes as _sizes  # noqa: F401
from gnnmc.graphstats import degrees as _degrees  # noqa: F401
from gnnmc.graphstats import assortativity as _assortativity  # noqa: F401
from gnnmc.graphstats import components as _components  # noqa: F401
from gnnmc.graphstats import clustering as _clustering  # noqa: F401
from gnnmc.graphstats import gaps as _gaps  # noqa: F401
from gnnmc.graphstats import smoothness as _smoothness  # noqa: F401
from gnnmc.graphstats import separability as _separability  # noqa: F401
from gnnmc.graphstats import probe as _probe  # noqa: F401

# isort: on
from gnnmc.graphstats.distributions import degree_distribution, local_homophily_distribution
from gnnmc.graphstats.simple_graph import SimpleGraph, prepare
from gnnmc.graphstats.spectral_distance import (
    LaplacianSpectrum,
    SpectralDistance,
    laplacian_spectrum,
    spectral_distance,
)
from gnnmc.graphstats.statistic import STATISTICS, Cost, Statistic, statistic
from gnnmc.graphstats.stats import GraphStats, describe_statistics, graph_stats

__all__ = [
    "STATISTICS",
    "Cost",
    "GraphStats",
    "LaplacianSpectrum",
    "SimpleGraph",
    "SpectralDistance",
    "Statistic",
    "degree_distribution",
    "describe_statistics",
    "graph_stats",
    "laplacian_spectrum",
    "local_homophily_distribution",
    "prepare",
    "spectral_distance",
    "statistic",
]
