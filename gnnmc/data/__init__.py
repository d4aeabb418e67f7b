"""Data: graphs drawn from a model whose homophily is chosen, real graphs and sets of graphs by name, images, text."""

from gnnmc.data.collection import GraphCollection
from gnnmc.data.csbm import csbm
from gnnmc.data.graphs import load_graphs
from gnnmc.data.images import Images, image_files, list_images, load_images
from gnnmc.data.real import list_graphs, load_graph
from gnnmc.data.rewire import reachable_homophily, rewire
from gnnmc.data.sources import raw_files
from gnnmc.data.splits import random_split
from gnnmc.data.text import Text, list_texts, load_text, text_source

__all__ = [
    "GraphCollection",
    "Images",
    "Text",
    "csbm",
    "image_files",
    "list_graphs",
    "list_images",
    "list_texts",
    "load_graph",
    "load_graphs",
    "load_images",
    "load_text",
    "random_split",
    "raw_files",
    "reachable_homophily",
    "rewire",
    "text_source",
]
