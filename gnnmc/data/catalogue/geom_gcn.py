"""The sets of geom-gcn (Pei et al. 2020, arXiv 2002.05287), all directed, with its ten splits."""

from gnnmc.data.catalogue.entry import GRAPHS, GraphSet, RawFiles
from gnnmc.data.catalogue.masks import split_files

URL = "https://raw.githubusercontent.com/graphdml-uiuc-jlu/geom-gcn"
_TABLES = ("out1_node_feature_label.txt", "out1_graph_edges.txt")


def _entry(family: str, dataset: str, raw: RawFiles) -> GraphSet:
    return GraphSet(
        family=family,
        dataset=dataset,
        splits={"geom-gcn": raw},
        features="raw",
        url=URL,
        license="none stated",
        lines=True,
    )


for _name in ("cornell", "texas", "wisconsin"):
    GRAPHS.add(
        f"webkb-{_name}",
        _entry(
            "webkb",
            "gnnmc.data.text_rows:TextWebKB",
            RawFiles(f"{_name}/raw", _TABLES + split_files(_name), {"name": _name}),
        ),
    )

for _name in ("chameleon", "squirrel"):
    GRAPHS.add(
        f"wikipedia-{_name}",
        _entry(
            "wikipedia",
            "gnnmc.data.text_rows:TextWikipediaNetwork",
            RawFiles(f"{_name}/geom_gcn/raw", _TABLES + split_files(_name), {"name": _name}),
        ),
    )

GRAPHS.add("actor", _entry("actor", "torch_geometric.datasets:Actor", RawFiles("raw", _TABLES + split_files("film"))))
