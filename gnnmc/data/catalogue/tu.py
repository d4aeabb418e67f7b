"""Sets of graphs of TU Dortmund (Morris et al. 2020, arXiv 2007.08663); none has a split of its own."""

from gnnmc.data.catalogue.entry import GRAPHS, RANDOM, GraphSet, RawFiles

_ALL = ("A", "graph_indicator", "graph_labels")

# What else there is to read of each set.
_MORE: dict[str, tuple[str, ...]] = {
    "MUTAG": ("node_labels", "edge_labels"),
    "PTC_FM": ("node_labels", "edge_labels"),
    "PTC_FR": ("node_labels", "edge_labels"),
    "PTC_MM": ("node_labels", "edge_labels"),
    "PTC_MR": ("node_labels", "edge_labels"),
    "NCI1": ("node_labels",),
    "NCI109": ("node_labels",),
    "AIDS": ("node_labels", "node_attributes", "edge_labels"),
    "Mutagenicity": ("node_labels", "edge_labels"),
    "ENZYMES": ("node_labels", "node_attributes"),
    "PROTEINS": ("node_labels", "node_attributes"),
    "DD": ("node_labels",),
    "IMDB-BINARY": (),
    "IMDB-MULTI": (),
    "COLLAB": (),
    "REDDIT-BINARY": (),
    "REDDIT-MULTI-5K": (),
}

for _name, _more in _MORE.items():
    _files = tuple(f"{_name}_{part}.txt" for part in (*_ALL, *_more))
    GRAPHS.add(
        f"tu-{_name.lower().replace('_', '-')}",
        GraphSet(
            family="tu",
            dataset="torch_geometric.datasets:TUDataset",
            splits={RANDOM: RawFiles(f"{_name}/raw", _files, {"name": _name})},
            features="raw" if _more else "degree",
            url="https://www.chrsmrrs.com/graphkerneldatasets",
            license="none stated",
            level="graph",
            lines=True,
        ),
    )
