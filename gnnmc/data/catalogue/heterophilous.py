"""The heterophilous graphs of Platonov et al. 2023 (arXiv 2302.11640), with their ten splits."""

from gnnmc.data.catalogue.entry import GRAPHS, GraphSet, RawFiles

# Two classes of unequal size, for which the paper reports the area under the ROC curve.
_UNEQUAL = ("minesweeper", "tolokers", "questions")


def _entry(dataset: str, stem: str, name: str) -> GraphSet:
    return GraphSet(
        family="heterophilous",
        dataset=dataset,
        splits={"own": RawFiles(f"{stem}/raw", (f"{stem}.npz",), {"name": name})},
        features="raw",
        url="https://github.com/yandex-research/heterophilous-graphs",
        license="MIT",
        metric="roc_auc" if name in _UNEQUAL else "accuracy",
    )


for _name in ("roman-empire", "amazon-ratings", "minesweeper", "tolokers", "questions"):
    GRAPHS.add(
        f"heterophilous-{_name}",
        _entry("torch_geometric.datasets:HeterophilousGraphDataset", _name.replace("-", "_"), _name),
    )

for _name in ("chameleon", "squirrel"):
    GRAPHS.add(f"filtered-{_name}", _entry("gnnmc.data.filtered:FilteredWikipediaNetwork", f"{_name}_filtered", _name))
