"""The real graphs that gnnmc knows by name: one record each, read by `load_graph` and nothing else.

To add a set, add one record: its class, the class's arguments, the folder and names of its raw files.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gnnmc.errors import InputError
from gnnmc.registry import Registry, unknown_name


@dataclass(frozen=True)
class RawFiles:
    """Where the class keeps its raw files, below the folder of the family, and the arguments that make it read them."""

    folder: str
    files: tuple[str, ...]
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class GraphSet:
    """One real graph.

    `dataset` is the class as `module:name`, called with `root` and the arguments. `splits` names the splits the set
    comes with, the default first. `features` is the default treatment (science 0).
    """

    family: str
    dataset: str
    splits: Mapping[str, RawFiles]
    features: str
    url: str
    license: str
    alias: str | None = None

    def raw(self, split: str | None) -> tuple[str, RawFiles]:
        """The name and the raw files of a split, or of the default one; raises InputError for an unknown one."""
        if split is None:
            split = next(iter(self.splits))
        if split not in self.splits:
            raise unknown_name("split", split, self.splits)
        return split, self.splits[split]


GRAPHS: Registry[GraphSet] = Registry("graph")


def find_graph(name: str) -> tuple[str, GraphSet]:
    """The full name and the record of a graph, by name or alias in any case.

    Raises InputError, with the nearest matches, for an unknown one.
    """
    aliases = {entry.alias: full for full in GRAPHS if (entry := GRAPHS[full]).alias}
    by_lower = {known.lower(): full for known, full in [*aliases.items(), *((full, full) for full in GRAPHS)]}
    if not isinstance(name, str):
        raise InputError(f"a graph is named by a string, got {name!r}")
    if name.lower() not in by_lower:
        raise unknown_name("graph", name, [*GRAPHS, *aliases])
    full = by_lower[name.lower()]
    return full, GRAPHS[full]


def _geom_gcn_splits(name: str) -> tuple[str, ...]:
    return tuple(f"{name.lower()}_split_0.6_0.2_{fold}.npz" for fold in range(10))


for _name in ("Cora", "CiteSeer", "PubMed"):
    _parts = ("x", "tx", "allx", "y", "ty", "ally", "graph", "test.index")
    _files = tuple(f"ind.{_name.lower()}.{part}" for part in _parts)
    GRAPHS.add(
        f"planetoid-{_name.lower()}",
        GraphSet(
            family="planetoid",
            dataset="torch_geometric.datasets:Planetoid",
            splits={
                "public": RawFiles(f"{_name}/raw", _files, {"name": _name}),
                "geom-gcn": RawFiles(
                    f"{_name}/geom-gcn/raw", _files + _geom_gcn_splits(_name), {"name": _name, "split": "geom-gcn"}
                ),
            },
            features="row",
            url="https://github.com/kimiyoung/planetoid",
            license="MIT (geom-gcn splits: none stated)",
            alias=_name,
        ),
    )

for _name in ("cornell", "texas", "wisconsin"):
    _files = ("out1_node_feature_label.txt", "out1_graph_edges.txt", *_geom_gcn_splits(_name))
    GRAPHS.add(
        f"webkb-{_name}",
        GraphSet(
            family="webkb",
            dataset="torch_geometric.datasets:WebKB",
            splits={"geom-gcn": RawFiles(f"{_name}/raw", _files, {"name": _name})},
            features="raw",
            url="https://raw.githubusercontent.com/graphdml-uiuc-jlu/geom-gcn",
            license="none stated",
        ),
    )

for _name in ("roman-empire", "amazon-ratings", "minesweeper", "tolokers", "questions"):
    _stem = _name.replace("-", "_")
    GRAPHS.add(
        f"heterophilous-{_name}",
        GraphSet(
            family="heterophilous",
            dataset="torch_geometric.datasets:HeterophilousGraphDataset",
            splits={"own": RawFiles(f"{_stem}/raw", (f"{_stem}.npz",), {"name": _name})},
            features="raw",
            url="https://github.com/yandex-research/heterophilous-graphs",
            license="MIT",
        ),
    )

for _name in ("chameleon", "squirrel"):
    GRAPHS.add(
        f"filtered-{_name}",
        GraphSet(
            family="heterophilous",
            dataset="gnnmc.data.filtered:FilteredWikipediaNetwork",
            splits={"own": RawFiles(f"{_name}_filtered/raw", (f"{_name}_filtered.npz",), {"name": _name})},
            features="raw",
            url="https://github.com/yandex-research/heterophilous-graphs",
            license="MIT",
        ),
    )
