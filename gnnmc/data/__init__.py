"""Data: graphs drawn from a model whose homophily is chosen, real graphs and sets of graphs by name, images."""

from gnnmc.data.collection import GraphCollection
from gnnmc.data.csbm import csbm
from gnnmc.data.graphs import load_graphs
from gnnmc.data.images import Images, image_files, list_images, load_images
from gnnmc.data.real import list_graphs, load_graph
from gnnmc.data.rewire import reachable_homophily, rewire
from gnnmc.data.sources import raw_files
from gnnmc.data.splits import random_split

__all__ = [
    "GraphCollection",
    "Images",
    "csbm",
    "image_files",
    "list_graphs",
    "list_images",
    "load_graph",
    "load_graphs",
    "load_images",
    "random_split",
    "raw_files",
    "reachable_homophily",
    "rewire",
]
