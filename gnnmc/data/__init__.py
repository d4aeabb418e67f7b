"""Graphs: drawn from a model whose homophily is chosen, or real ones by name."""

from gnnmc.data.collection import GraphCollection
from gnnmc.data.csbm import csbm
from gnnmc.data.graphs import load_graphs
from gnnmc.data.real import list_graphs, load_graph
from gnnmc.data.sources import raw_files
from gnnmc.data.splits import random_split

__all__ = ["GraphCollection", "csbm", "list_graphs", "load_graph", "load_graphs", "random_split", "raw_files"]
