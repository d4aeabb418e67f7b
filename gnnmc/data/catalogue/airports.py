"""Airports (Ribeiro et al. 2017, arXiv 1704.03165): x is a one-hot node id, so no model carries over to another."""

from gnnmc.data.catalogue.entry import GRAPHS, RANDOM, GraphSet, RawFiles

for _name in ("usa", "brazil", "europe"):
    _files = (f"{_name}-airports.edgelist", f"labels-{_name}-airports.txt")
    GRAPHS.add(
        f"airports-{_name}",
        GraphSet(
            family="airports",
            dataset="torch_geometric.datasets:Airports",
            splits={RANDOM: RawFiles(f"{_name}/raw", _files, {"name": _name})},
            features="raw",
            url="https://github.com/leoribeiro/struc2vec",
            license="MIT",
            lines=True,
        ),
    )
