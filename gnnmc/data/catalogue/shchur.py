"""Amazon and Coauthor (Shchur et al. 2018, arXiv 1811.05868) and the full citation graphs in the same file format."""

from gnnmc.data.catalogue.entry import GRAPHS, RANDOM, GraphSet, RawFiles


def _entry(family: str, dataset: str, raw: RawFiles, url: str, base: str | None = None) -> GraphSet:
    return GraphSet(
        family=family,
        dataset=f"gnnmc.data.sparse_npz:{dataset}",
        splits={RANDOM: raw},
        features="row",
        url=url,
        license="MIT",
        base=base,
    )


_BENCHMARK = "https://github.com/shchur/gnn-benchmark"

for _name in ("computers", "photo"):
    GRAPHS.add(
        f"amazon-{_name}",
        _entry(
            "amazon",
            "SparseAmazon",
            RawFiles(f"{_name.capitalize()}/raw", (f"amazon_electronics_{_name}.npz",), {"name": _name}),
            _BENCHMARK,
        ),
    )

for _name, _folder, _file in (("cs", "CS", "ms_academic_cs.npz"), ("physics", "Physics", "ms_academic_phy.npz")):
    GRAPHS.add(
        f"coauthor-{_name}",
        _entry("coauthor", "SparseCoauthor", RawFiles(f"{_folder}/raw", (_file,), {"name": _name}), _BENCHMARK),
    )

for _name in ("cora", "cora_ml", "citeseer", "dblp", "pubmed"):
    GRAPHS.add(
        f"citationfull-{_name.replace('_', '-')}",
        _entry(
            "citationfull",
            "SparseCitationFull",
            RawFiles(f"{_name}/raw", (f"{_name}.npz",), {"name": _name}),
            "https://github.com/abojchevski/graph2gauss",
            base="cora" if _name == "cora_ml" else None,  # its machine-learning part
        ),
    )
