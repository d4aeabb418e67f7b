"""The colors of all figures: one per role, with a twin for dark pages; told apart with any kind of color vision.

A figure is drawn in the light colors. On a page each of them becomes a CSS variable, so that one drawing reads well in
both schemes; that is why no two roles share a light color, not even those that look alike.
"""

from collections.abc import Iterable

# Text, axes and what is behind them: role → (light, dark).
INK = "#1d2126"
MUTED = "#57606a"
GRID = "#e3e6ea"
BAND = "#f3f5f7"
SURFACE = "#ffffff"
MISSING = "#e2e5e9"
_BASE = {
    "ink": (INK, "#e8eaed"),
    "muted": (MUTED, "#a9b2bc"),
    "grid": (GRID, "#30363d"),
    "band": (BAND, "#1c2127"),
    "surface": (SURFACE, "#14171b"),
    "missing": (MISSING, "#343a41"),
}

# Models: the first in the hues of Okabe and Ito (2008), darkened where they are too pale for a thin line on white.
_MODELS = [
    ("#0072b2", "#5cb3ec"),
    ("#d55e00", "#f58a42"),
    ("#009e73", "#2fc59a"),
    ("#b0528a", "#e48fc1"),
    ("#a87900", "#e3b93f"),
    ("#4a3fa3", "#a79cf5"),
    ("#7a4a21", "#c99a70"),
    ("#5c6670", "#b7c0ca"),
]
MODEL_COLORS = [light for light, _ in _MODELS]

# Splits in the hues of Tol (2021, "muted"), so that no split looks like a model.
_SPLITS = {"train": ("#332288", "#a49bf0"), "val": ("#8a7a1f", "#d6c65c"), "test": ("#882255", "#ea86b6")}
_FURTHER_SPLITS = [("#117733", "#5fc783"), ("#44687d", "#8fc1da")]

# Alignments: the line as trained in gray, the others as far apart as eight hues can be.
_ALIGNMENTS = [
    ("#30363d", "#d3d9e0"),
    ("#0b6fd0", "#4aa8ff"),
    ("#cf4a0a", "#ff8a55"),
    ("#0d8050", "#2fbf71"),
    ("#a62b8f", "#f08ce0"),
    ("#806600", "#f0d000"),
    ("#5a45d6", "#9a86ff"),
    ("#00788a", "#2fd6e6"),
]

# A few ordered values, from low to high.
_ORDERED = [
    ("#3b0f70", "#c0aaff"),
    ("#8c2981", "#e586dc"),
    ("#d0405f", "#ff8a9e"),
    ("#b85c14", "#ffb078"),
    ("#8f7a00", "#eed75a"),
]

# From little, close to the page's ground, to much: (light, dark).
_SEQUENTIAL = [
    ("#fbfaf0", "#1a1f26"),
    ("#edf4d6", "#1f2b45"),
    ("#d3ebc3", "#24406b"),
    ("#abdcc0", "#27598a"),
    ("#7cc8c2", "#2f749f"),
    ("#50afc0", "#458fae"),
    ("#3390b6", "#65aab9"),
    ("#2a6ea6", "#8dc4c2"),
    ("#284c8d", "#bddccb"),
    ("#22306b", "#eaf2d8"),
]

# From −1 over 0 to 1: (light, its ink is white?, dark, its ink is white?). Brewer's RdBu, mirrored for dark ground.
_DIVERGING = [
    ("#053061", True, "#a9d2f8", False),
    ("#2166ac", True, "#7ab8ef", False),
    ("#4393c3", False, "#549ddd", False),
    ("#92c5de", False, "#2f6496", True),
    ("#d1e5f0", False, "#28435c", True),
    ("#f7f7f6", False, "#292e34", True),
    ("#fddbc7", False, "#57382f", True),
    ("#f4a582", False, "#8a4636", True),
    ("#d6604d", False, "#dd7a62", False),
    ("#b2182b", True, "#f0a08a", False),
    ("#67001f", True, "#f9c9bb", False),
]


def split_colors(splits: Iterable[str]) -> dict[str, str]:
    """split → color; train, val and test look the same in every figure, others take the further ones by name."""
    unique = list(dict.fromkeys(splits))
    strangers = sorted(name for name in unique if name not in _SPLITS)
    others = {name: _FURTHER_SPLITS[i % len(_FURTHER_SPLITS)] for i, name in enumerate(strangers)}
    return {name: (_SPLITS | others)[name][0] for name in unique}


def alignment_colors(count: int) -> list[str]:
    """`count` colors, that of the line as trained first; beyond eight they repeat."""
    return [_ALIGNMENTS[i % len(_ALIGNMENTS)][0] for i in range(count)]


def ordered_colors(count: int) -> list[str]:
    """`count` colors from low to high; beyond five they repeat."""
    lights = [light for light, _ in _ORDERED]
    if 1 < count <= len(lights):
        return [lights[round(i * (len(lights) - 1) / (count - 1))] for i in range(count)]
    return [lights[i % len(lights)] for i in range(count)]


def sequential_colors(count: int) -> list[str]:
    """`count` colors from little to much, of ten; with more than ten, neighbors repeat."""
    most = len(_SEQUENTIAL) - 1
    return [_SEQUENTIAL[round(i * most / max(1, count - 1))][0] for i in range(count)]


def sequential_color(share: float) -> tuple[str, str]:
    """Color and ink of a cell for a share from 0 to 1, in ten steps; values outside take the last step."""
    level = round(min(1.0, max(0.0, share)) * (len(_SEQUENTIAL) - 1))
    return _SEQUENTIAL[level][0], _sequential_ink(level)[0]


def diverging_color(value: float) -> tuple[str, str]:
    """Color and ink of a cell for a value from −1 to 1, in eleven steps; values outside take the last step."""
    level = round((min(1.0, max(-1.0, value)) + 1) / 2 * (len(_DIVERGING) - 1))
    return _DIVERGING[level][0], _diverging_ink(level)[0]


def schemes() -> dict[str, tuple[str, str, str]]:
    """light color → (name of its CSS variable, light color, dark color), for every color that a figure uses."""
    colors = dict(_BASE)
    colors |= {f"split-{name}": pair for name, pair in _SPLITS.items()}
    for family, pairs in (
        ("model", _MODELS),
        ("further-split", _FURTHER_SPLITS),
        ("alignment", _ALIGNMENTS),
        ("ordered", _ORDERED),
        ("sequential", _SEQUENTIAL),
    ):
        colors |= {f"{family}-{i}": pair for i, pair in enumerate(pairs)}
    for level, (light, _, dark, _) in enumerate(_DIVERGING):
        colors[f"diverging-{level}"] = (light, dark)
        colors[f"diverging-ink-{level}"] = _diverging_ink(level)
    colors |= {f"sequential-ink-{level}": _sequential_ink(level) for level in range(len(_SEQUENTIAL))}
    return {light: (f"--{name}", light, dark) for name, (light, dark) in colors.items()}


def _sequential_ink(level: int) -> tuple[str, str]:
    # Dark words on the pale levels of a light page, and on the bright ones of a dark page; one light color per level.
    light = f"#11150{level:x}" if level < 7 else f"#ffffe{level:x}"
    return light, "#ffffff" if level < 5 else "#111519"


def _diverging_ink(level: int) -> tuple[str, str]:
    # One light color per level (told apart in the last digits only): in the other scheme the levels differ.
    _, white, _, dark_white = _DIVERGING[level]
    light = f"#fffff{level:x}" if white else f"#11151{level:x}"
    return light, "#ffffff" if dark_white else "#111519"
