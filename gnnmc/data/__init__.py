"""Graphs: drawn from a model whose homophily is chosen, or real ones by name."""

from gnnmc.data.csbm import csbm
from gnnmc.data.real import list_graphs, load_graph, raw_files
from gnnmc.data.splits import random_split

__all__ = ["csbm", "list_graphs", "load_graph", "random_split", "raw_files"]
