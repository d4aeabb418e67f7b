"""The real graphs that gnnmc knows by name: one record each, one file a family of origin.

To add a set, add one record: its class, the class's arguments, the folder and names of its raw files.
"""

from gnnmc.data.catalogue.entry import GRAPHS, LEVELS, GraphSet, RawFiles, find_graph

# Each registers its sets; the order is that of `list_graphs()`.
from gnnmc.data.catalogue import (  # isort: skip
    planetoid,  # noqa: F401
    geom_gcn,  # noqa: F401
    heterophilous,  # noqa: F401
    shchur,  # noqa: F401
    wikics,  # noqa: F401
    airports,  # noqa: F401
    social,  # noqa: F401
    citation_domains,  # noqa: F401
    ogb_node,  # noqa: F401
    tu,  # noqa: F401
    ogb_molecules,  # noqa: F401
)

__all__ = ["GRAPHS", "LEVELS", "GraphSet", "RawFiles", "find_graph"]
