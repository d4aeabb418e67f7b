"""Three citation networks with one feature space and one label space, for transfer between graphs."""

from gnnmc.data.catalogue.entry import GRAPHS, RANDOM, GraphSet, RawFiles

for _name in ("acmv9", "citationv1", "dblpv7"):
    GRAPHS.add(
        f"citation-{_name}",
        GraphSet(
            family="citation_transfer",
            dataset="gnnmc.data.citation_domains:CitationDomain",
            splits={RANDOM: RawFiles(".", (f"{_name}.mat",), {"name": _name})},
            features="raw",
            url="https://raw.githubusercontent.com/shenxiaocam/ACDNE/master/ACDNE_codes/input",
            license="none stated",
        ),
    )
