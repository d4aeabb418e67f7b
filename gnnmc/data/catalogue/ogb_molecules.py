"""The molecules of the Open Graph Benchmark (Hu et al. 2020, arXiv 2005.00687), with the scaffold split."""

from gnnmc.data.catalogue.entry import GRAPHS, GraphSet, RawFiles

_TABLES = ("edge", "num-node-list", "num-edge-list", "node-feat", "edge-feat", "graph-label")
_FILES = tuple(f"raw/{table}.csv.gz" for table in _TABLES) + tuple(
    f"split/scaffold/{part}.csv.gz" for part in ("train", "valid", "test")
)

_BINARY = ("bace", "bbbp", "clintox", "hiv", "muv", "pcba", "sider", "tox21", "toxcast")
_REGRESSION = ("esol", "freesolv", "lipo")
_AVERAGE_PRECISION = ("muv", "pcba")

for _name in sorted(_BINARY + _REGRESSION):
    _regression = _name in _REGRESSION
    GRAPHS.add(
        f"ogbg-mol{_name}",
        GraphSet(
            family="ogb",
            dataset="gnnmc.data.ogb_molecules:OgbMolecules",
            splits={"scaffold": RawFiles(f"ogbg_mol{_name}", _FILES, {"name": f"ogbg-mol{_name}"})},
            features="raw",
            url="http://snap.stanford.edu/ogb/data/graphproppred/csv_mol_download",
            license="MIT",
            level="graph",
            task="regression" if _regression else "binary",
            metric="rmse" if _regression else "average_precision" if _name in _AVERAGE_PRECISION else "roc_auc",
        ),
    )
