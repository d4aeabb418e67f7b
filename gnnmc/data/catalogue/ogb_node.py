"""Node-level sets of the Open Graph Benchmark (Hu et al. 2020, arXiv 2005.00687), with their own split.

Left out are ogbn-proteins (no features, many labels a node), ogbn-mag (several kinds of nodes) and ogbn-papers100M.
"""

from gnnmc.data.catalogue.entry import GRAPHS, GraphSet, RawFiles

_TABLES = ("edge", "num-node-list", "num-edge-list", "node-feat", "node-label")

for _name, _split, _more, _license in (
    ("arxiv", "time", ("node_year",), "ODC-BY"),
    ("products", "sales_ranking", (), "Amazon"),
):
    _files = tuple(f"raw/{table}.csv.gz" for table in (*_TABLES, *_more))
    _parts = tuple(f"split/{_split}/{part}.csv.gz" for part in ("train", "valid", "test"))
    GRAPHS.add(
        f"ogbn-{_name}",
        GraphSet(
            family="ogb",
            dataset="gnnmc.data.ogb_nodes:OgbNodes",
            splits={_split: RawFiles(f"ogbn_{_name}", _files + _parts, {"name": f"ogbn-{_name}"})},
            features="raw",
            url="http://snap.stanford.edu/ogb/data/nodeproppred",
            license=_license,
        ),
    )
