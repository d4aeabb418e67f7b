"""Cora, CiteSeer and PubMed with their public split or the ten of geom-gcn."""

from gnnmc.data.catalogue.entry import GRAPHS, GraphSet, RawFiles
from gnnmc.data.catalogue.masks import split_files

_PARTS = ("x", "tx", "allx", "y", "ty", "ally", "graph", "test.index")

for _name in ("Cora", "CiteSeer", "PubMed"):
    _files = tuple(f"ind.{_name.lower()}.{part}" for part in _PARTS)
    GRAPHS.add(
        f"planetoid-{_name.lower()}",
        GraphSet(
            family="planetoid",
            dataset="torch_geometric.datasets:Planetoid",
            splits={
                "public": RawFiles(f"{_name}/raw", _files, {"name": _name}),
                "geom-gcn": RawFiles(
                    f"{_name}/geom-gcn/raw", _files + split_files(_name.lower()), {"name": _name, "split": "geom-gcn"}
                ),
            },
            features="row",
            url="https://github.com/kimiyoung/planetoid",
            license="MIT (geom-gcn splits: none stated)",
            alias=_name,
            lines=True,
        ),
    )
