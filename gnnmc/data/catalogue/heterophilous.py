"""The heterophilous graphs of Platonov et al. 2023 (arXiv 2302.11640), with their ten splits."""

from gnnmc.data.catalogue.entry import GRAPHS, GraphSet, RawFiles


def _entry(dataset: str, stem: str, name: str) -> GraphSet:
    return GraphSet(
        family="heterophilous",
        dataset=dataset,
        splits={"own": RawFiles(f"{stem}/raw", (f"{stem}.npz",), {"name": name})},
        features="raw",
        url="https://github.com/yandex-research/heterophilous-graphs",
        license="MIT",
    )


for _name in ("roman-empire", "amazon-ratings", "minesweeper", "tolokers", "questions"):
    GRAPHS.add(
        f"heterophilous-{_name}",
        _entry("torch_geometric.datasets:HeterophilousGraphDataset", _name.replace("-", "_"), _name),
    )

for _name in ("chameleon", "squirrel"):
    GRAPHS.add(f"filtered-{_name}", _entry("gnnmc.data.filtered:FilteredWikipediaNetwork", f"{_name}_filtered", _name))
