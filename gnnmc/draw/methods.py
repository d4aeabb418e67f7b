"""How methods of training look: the first, which sees the source alone, in gray; no two alike."""

from collections.abc import Iterable

from matplotlib.lines import Line2D

from gnnmc.draw.looks import MARKERS, Look
from gnnmc.draw.palette import alignment_colors


def method_looks(names: Iterable[str]) -> dict[str, Look]:
    """name → color and marker, in the order of the names: give all those of the page, so that figures agree."""
    unique = list(dict.fromkeys(names))
    return {
        name: Look(color, MARKERS[number % len(MARKERS)])
        for number, (name, color) in enumerate(zip(unique, alignment_colors(len(unique)), strict=True))
    }


def handles(looks: dict[str, Look]) -> list[Line2D]:
    """Entries of a legend."""
    return [
        Line2D([], [], color=look.color, marker=look.marker, ms=5, mew=0, linestyle="none", label=name)
        for name, look in looks.items()
    ]
