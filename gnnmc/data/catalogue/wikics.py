"""WikiCS (Mernyei & Cangea 2020, arXiv 2007.02901): 20 splits for training and validation, one test set."""

from gnnmc.data.catalogue.entry import GRAPHS, GraphSet, RawFiles

GRAPHS.add(
    "wikics",
    GraphSet(
        family="wikics",
        dataset="torch_geometric.datasets:WikiCS",
        splits={"own": RawFiles("raw", ("data.json",), {"is_undirected": True})},
        features="raw",
        url="https://github.com/pmernyei/wiki-cs-dataset",
        license="MIT",
    ),
)
