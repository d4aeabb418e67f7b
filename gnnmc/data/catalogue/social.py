"""Social networks: Twitch (Rozemberczki et al. 2019, arXiv 1909.13021) and those of LINKX (Lim et al. 2021).

LINKX's `wiki` is left out: it comes as pickles, without published digests.
"""

from gnnmc.data.catalogue.entry import GRAPHS, RANDOM, GraphSet, RawFiles

for _name in ("de", "en", "es", "fr", "pt", "ru"):
    GRAPHS.add(
        f"twitch-{_name}",
        GraphSet(
            family="twitch",
            dataset="gnnmc.data.sparse_npz:SparseTwitch",
            splits={RANDOM: RawFiles(f"{_name.upper()}/raw", (f"{_name.upper()}.npz",), {"name": _name.upper()})},
            features="raw",
            url="https://graphmining.ai/datasets/ptg/twitch",
            license="GPL-3.0",
        ),
    )

for _name in ("penn94", "reed98", "amherst41", "cornell5", "johnshopkins55", "genius"):
    _own = _name == "penn94"
    _files = ("data.mat", "fb100-Penn94-splits.npy") if _own else ("data.mat",)
    GRAPHS.add(
        f"linkx-{_name}",
        GraphSet(
            family="linkx",
            dataset="gnnmc.data.linkx:SparseLINKX",
            splits={"own" if _own else RANDOM: RawFiles(f"{_name}/raw", _files, {"name": _name})},
            features="raw",
            url="https://github.com/CUAI/Non-Homophily-Large-Scale",
            license="none stated",
        ),
    )
