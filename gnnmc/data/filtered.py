"""Chameleon and Squirrel without their duplicate nodes, a data set class that torch_geometric lacks."""

from typing import ClassVar

from torch_geometric.data import InMemoryDataset
from torch_geometric.datasets import HeterophilousGraphDataset


class FilteredWikipediaNetwork(HeterophilousGraphDataset):
    """Filtered `chameleon` (890 nodes) or `squirrel` (2,223 nodes) of Platonov et al. 2023 (arXiv 2302.11640).

    The raw files, where they are downloaded from and how they are read are those of `HeterophilousGraphDataset`, which
    only refuses these two names.
    """

    names: ClassVar[tuple[str, ...]] = ("chameleon", "squirrel")

    def __init__(self, root: str, name: str) -> None:
        self.name = f"{name}_filtered"
        # Past the parent, whose own __init__ knows five other names.
        InMemoryDataset.__init__(self, root)
        self.load(self.processed_paths[0])
