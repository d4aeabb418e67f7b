"""How large named data are, so that their size is known before they are read. Only estimates rest on these numbers."""

# name: nodes, edges (both directions), features, classes, nonzero features; counted on the raw files.
COUNTED: dict[str, tuple[int, int, int, int, int | None]] = {
    "planetoid-cora": (2708, 10556, 1433, 7, 49216),
    "planetoid-citeseer": (3327, 9104, 3703, 6, 105165),
    "planetoid-pubmed": (19717, 88648, 500, 3, 988031),
    "webkb-cornell": (183, 298, 1703, 5, 15266),
    "webkb-texas": (183, 325, 1703, 5, 15266),
    "wikipedia-chameleon": (2277, 36101, 2325, 5, 29157),
    "wikipedia-squirrel": (5201, 217073, 2089, 5, 93477),
    "heterophilous-minesweeper": (10000, 78804, 7, 2, 10000),
    "heterophilous-tolokers": (11758, 1038000, 10, 2, 61101),
    "filtered-chameleon": (890, 17708, 2325, 5, 9903),
    "filtered-squirrel": (2223, 93996, 2089, 5, 32481),
    "amazon-computers": (13752, 491722, 767, 10, 3675081),
    "amazon-photo": (7650, 238162, 745, 8, 1979909),
    "coauthor-cs": (18333, 163788, 6805, 15, 1092079),
    "coauthor-physics": (34493, 495924, 8415, 5, 1137311),
    "airports-usa": (1190, 13599, 1190, 4, 1190),
    "airports-brazil": (131, 1074, 131, 4, 131),
    "airports-europe": (399, 5995, 399, 4, 399),
    "twitch-de": (9498, 315774, 3170, 2, 193132),
    "twitch-en": (7126, 77774, 3170, 2, 147683),
    "twitch-es": (4648, 123412, 3170, 2, 89798),
    "twitch-fr": (6549, 231881, 3170, 2, 128983),
    "twitch-pt": (1912, 64510, 3170, 2, 38019),
    "citation-acmv9": (9360, 31112, 6775, 5, 324014),
    "citation-citationv1": (8935, 30196, 6775, 5, 294846),
    "citation-dblpv7": (5484, 16234, 6775, 5, 155396),
}

# The same as the data sets' authors (or PyG's documentation) state them; how many features are nonzero is not stated.
STATED: dict[str, tuple[int, int, int, int, int | None]] = {
    "webkb-wisconsin": (251, 515, 1703, 5, None),
    "actor": (7600, 30019, 932, 5, None),
    "heterophilous-roman-empire": (22662, 65854, 300, 18, None),
    "heterophilous-amazon-ratings": (24492, 186100, 300, 5, None),
    "heterophilous-questions": (48921, 307080, 301, 2, None),
    "citationfull-cora": (19793, 126842, 8710, 70, None),
    "citationfull-cora-ml": (2995, 16316, 2879, 7, None),
    "citationfull-citeseer": (4230, 10674, 602, 6, None),
    "citationfull-dblp": (17716, 105734, 1639, 4, None),
    "citationfull-pubmed": (19717, 88648, 500, 3, None),
    "wikics": (11701, 431726, 300, 10, None),
    "twitch-ru": (4385, 78993, 3170, 2, None),
    "linkx-penn94": (41554, 2724458, 4814, 2, None),
    "linkx-reed98": (962, 37624, 745, 2, None),
    "linkx-amherst41": (2235, 181908, 1193, 2, None),
    "linkx-cornell5": (18660, 1581554, 4735, 2, None),
    "linkx-johnshopkins55": (5180, 373172, 2406, 2, None),
    "linkx-genius": (421961, 1969844, 12, 2, None),
    "ogbn-arxiv": (169343, 1166243, 128, 40, None),
    "ogbn-products": (2449029, 123718280, 100, 47, None),
}

# Images: items, channels, height, width, classes.
IMAGES: dict[str, tuple[int, int, int, int, int]] = {
    "digits": (1797, 1, 8, 8, 10),
    "fashion-mnist": (70000, 1, 28, 28, 10),
}
