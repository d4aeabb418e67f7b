"""How models look: a color and a marker for every name of a page, no two names alike."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pandas as pd

from gnnmc.draw.columns import KEPT_MODELS, in_order
from gnnmc.draw.palette import MODEL_COLORS

# Behind the name of an alignment, where its line is shown with REPAIR.
WITH_REPAIR = " + repair"

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p")


class Look(NamedTuple):
    """A color of the palette and matplotlib's marker, so that a model is known without its color too."""

    color: str
    marker: str


# All pairs: first every color with a marker of its own, then every color with another marker, and so on.
_PAIRS = [
    Look(color, MARKERS[(i + turn) % len(MARKERS)])
    for turn in range(len(MARKERS))
    for i, color in enumerate(MODEL_COLORS)
]


def model_looks(names: Iterable[str]) -> dict[str, Look]:
    """name → look. A color is used again only when every one is taken, and then with another marker.

    The same names in the same order look the same in every figure; those of KEPT_MODELS do among any others. Looks
    repeat beyond 60 others.
    """
    unique = list(dict.fromkeys(names))
    looks = {name: _PAIRS[KEPT_MODELS.index(name)] for name in unique if name in KEPT_MODELS}
    taken = [look.color for look in looks.values()]
    left = _PAIRS[len(KEPT_MODELS) :]
    for name in unique:
        if name not in looks:
            free = [look for look in left if look not in looks.values()] or left
            looks[name] = min(free, key=lambda look: taken.count(look.color))
            taken.append(looks[name].color)
    return {name: looks[name] for name in unique}


def looks_of(frame: pd.DataFrame, page: Sequence[str] = ()) -> dict[str, Look]:
    """The models of a frame with their looks, in the order in which they are shown.

    page: all the models of the page that the figure stands on, so that every figure there draws a model alike.
    """
    names = in_order(pd.DataFrame({"model": [*page, *frame["model"].dropna()]}), "model")
    shown = set(frame["model"])
    return {name: look for name, look in model_looks(names).items() if name in shown}
