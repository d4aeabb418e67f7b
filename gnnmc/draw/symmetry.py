"""Which axes of a model's weights move together: a strip for each axis, its parts in the colors of their groups."""

import itertools
import textwrap
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from gnnmc.draw.columns import check_columns
from gnnmc.draw.palette import BAND, INK, MISSING, MODEL_COLORS, MUTED, SURFACE
from gnnmc.draw.style import STACKED_BELOW, WIDE, new_figure, styled

_ROW = 0.17
_LONGEST = 44
# Letters of a line of the legend: beside the strips, and below them on a narrow page.
_BESIDE, _BELOW = 60, 34
# A number on the color of its group stands on a plate of its own, so that it can be read on every color.
_PLATE = {"boxstyle": "round,pad=0.1", "facecolor": SURFACE, "edgecolor": "none"}
_NEEDED = ("tensor", "axis", "size", "start", "stop", "low", "high", "units", "group", "status", "classes", "copies")


@styled
def draw_symmetry(frame: pd.DataFrame, *, width: float = WIDE) -> Figure:
    """A row per tensor, a strip per axis; colors and numbers name groups, which are listed beside with their classes.

    Gray is fixed by an input or an output; hatched is not understood. Factors of an axis (heads, and their channels)
    lie one above the other, the outer one on top, each as high as an axis without factors. Colors come again after
    eight groups: the numbers do not.

    Shapes: one row per band: `tensor, axis, size, start, stop, low, high, units, group, status, classes, copies`, as
    `gnnmc.symmetry.bands` gives them; `width` in inches.

    Raises InputError for a missing column.
    """
    check_columns(frame, _NEEDED, "bands of a symmetry")
    most = (1 / (frame["high"] - frame["low"])).groupby(frame["tensor"], sort=False).max()
    levels = {str(tensor): round(value) for tensor, value in most.items()}
    tops = dict(zip(levels, itertools.accumulate(levels.values(), initial=0), strict=False))
    groups = [group for group in dict.fromkeys(frame["group"]) if group]
    numbers = {group: place for place, group in enumerate(groups, start=1)}
    stacked = width < STACKED_BELOW
    listed = _listed(frame, _BELOW if stacked else _BESIDE)
    rows, notes = max(1, sum(levels.values())), sum(len(lines) for _, lines in listed) + 3
    tall = _ROW * (rows + notes if stacked else max(rows, notes)) + 0.4
    figure = new_figure(width, tall)
    if stacked:
        strips, legend = figure.subplots(2, 1, height_ratios=[rows, notes])
    else:
        strips, legend = figure.subplots(1, 2, width_ratios=[1.5, 1])
    _strips(strips, frame, tops, levels, numbers)
    _legend(legend, listed, numbers, notes if stacked else max(rows, notes))
    return figure


def _strips(
    axes: Axes, frame: pd.DataFrame, tops: dict[str, int], levels: dict[str, int], numbers: dict[str, int]
) -> None:
    """tops: where the row of each tensor begins, in axes without factors. levels: how many of these high it is."""
    most = int(frame["axis"].max()) + 1 if len(frame) else 1
    for tensor, top in tops.items():
        tall = levels[tensor] - 0.2
        for band in frame[frame["tensor"] == tensor].to_dict("records"):
            left, bottom = band["axis"] + 0.94 * band["start"], top + 0.1 + tall * (1 - band["high"])
            wide, high = 0.94 * (band["stop"] - band["start"]), tall * (band["high"] - band["low"])
            number = numbers.get(band["group"])
            color = MISSING if number is None else _color(number)
            _box(axes, (left, bottom), wide, high, color, unknown=band["status"] == "not understood")
            words = str(band["units"]) if number is None else f"{number}"
            if wide > 0.05 and band["size"] > 1 and band["status"] != "not understood":
                axes.text(
                    left + wide / 2,
                    bottom + high / 2,
                    words,
                    ha="center",
                    va="center_baseline",
                    fontsize=6.5,
                    color=MUTED if number is None else INK,
                    bbox=None if number is None else _PLATE,
                )
    axes.set(xlim=(0, most), ylim=(sum(levels.values()), 0))
    axes.set_yticks([top + levels[name] / 2 for name, top in tops.items()], [_short(name) for name in tops], fontsize=7)
    axes.set_xticks([axis + 0.47 for axis in range(most)], [f"axis {axis}" for axis in range(most)])
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for side in axes.spines.values():
        side.set_visible(False)


def _listed(frame: pd.DataFrame, longest: int) -> list[tuple[dict[Any, Any], list[str]]]:
    """Every group, and the lines of the legend on it: its name, then what may be done to it."""
    listed = []
    for band in frame[frame["group"] != ""].drop_duplicates("group").to_dict("records"):
        told = f"{band['units']} units" + (f" × {int(band['copies'])}" if band["copies"] > 1 else "")
        name = _short(band["group"], min(_LONGEST, longest))
        listed.append((band, [name, *textwrap.wrap(f"{told}: {band['classes']}", longest)]))
    return listed


def _legend(axes: Axes, listed: list[tuple[dict[Any, Any], list[str]]], numbers: dict[str, int], rows: int) -> None:
    axes.set(xlim=(0, 1), ylim=(rows, 0))
    axes.axis("off")
    place = 0.0
    for band, (name, *lines) in listed:
        number = numbers[band["group"]]
        axes.add_patch(Rectangle((0, place + 0.1), 0.06, 0.8, facecolor=_color(number), edgecolor="none"))
        axes.text(
            0.03, place + 0.5, f"{number}", ha="center", va="center_baseline", fontsize=6.5, color=INK, bbox=_PLATE
        )
        axes.text(0.08, place + 0.5, name, va="center_baseline", fontsize=7, color=INK)
        for below, line in enumerate(lines, start=1):
            axes.text(0.08, place + below + 0.4, line, va="center_baseline", fontsize=6.5, color=MUTED)
        place += 1 + len(lines)
    for words, status in (("fixed by an input or an output", "fixed"), ("not understood", "not understood")):
        place += 0.3
        _box(axes, (0, place + 0.1), 0.06, 0.8, MISSING, unknown=status == "not understood")
        axes.text(0.08, place + 0.5, words, va="center_baseline", fontsize=7, color=INK)
        place += 1


def _box(axes: Axes, corner: tuple[float, float], wide: float, high: float, color: str, *, unknown: bool) -> None:
    face = BAND if unknown else color
    axes.add_patch(Rectangle(corner, wide, high, facecolor=face, edgecolor=SURFACE, linewidth=0.6))
    if unknown:
        axes.add_patch(Rectangle(corner, wide, high, fill=False, edgecolor=MUTED, linewidth=0, hatch="//////"))


def _color(number: int) -> str:
    return MODEL_COLORS[(number - 1) % len(MODEL_COLORS)]


def _short(name: str, longest: int = _LONGEST) -> str:
    return name if len(name) <= longest else f"…{name[1 - longest :]}"
