"""What transfer costs on every pair of domains, a mark per method, beside the distance of the curves."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gnnmc.draw.columns import check_columns, in_order
from gnnmc.draw.looks import Look
from gnnmc.draw.methods import handles, method_looks
from gnnmc.draw.palette import BAND, INK, MUTED
from gnnmc.draw.panels import broken, few_ticks, top_legend
from gnnmc.draw.style import STACKED_BELOW, WIDE, new_figure, say_empty, styled

_ROW = 0.34
_LONGEST = 30


@styled
def draw_transfer_gaps(
    frame: pd.DataFrame,
    *,
    gap_label: str = "transfer gap",
    distance_label: str = "d_MC (nats)",
    methods: Sequence[str] = (),
    width: float = WIDE,
) -> Figure:
    """A row per pair of domains: on the left the gap of every method with its interval, on the right d_MC.

    An open mark on the right is the floor: what chance makes of d_MC within one graph.

    Shapes: one row per (pair, method): `gap, low, high` (share of the items), `distance, floor` (nats). `methods`: all
    those of the page; `width` in inches.

    Raises InputError for a missing column.
    """
    check_columns(frame, ["pair", "method", "gap", "low", "high", "distance", "floor"], "transfer_gaps")
    pairs, looks = in_order(frame, "pair"), method_looks([*methods, *frame["method"]])
    looks = {name: look for name, look in looks.items() if name in set(frame["method"])}
    stacked = width < STACKED_BELOW
    height = _ROW * len(pairs) + 0.75
    figure = new_figure(width, height * (2 if stacked else 1) + 0.45)
    grid = figure.add_gridspec(2 if stacked else 1, 1 if stacked else 2)
    for place, (value, label) in enumerate((("gap", gap_label), ("distance", distance_label))):
        axes = figure.add_subplot(grid[place, 0] if stacked else grid[0, place])
        _draw_rows(axes, frame, value, pairs, looks)
        axes.set_xlabel(label)
        named = stacked or place == 0
        axes.set_yticks(range(len(pairs)), [broken(pair, _LONGEST) for pair in pairs] if named else [])
        axes.tick_params(axis="y", length=0, labelcolor=INK)
    top_legend(figure, handles(looks), width)
    return figure


def _draw_rows(axes: Axes, frame: pd.DataFrame, value: str, pairs: Sequence[str], looks: Mapping[str, Look]) -> None:
    for row in range(0, len(pairs), 2):
        axes.axhspan(row - 0.5, row + 0.5, color=BAND, linewidth=0, zorder=0)
    for number, (name, (color, marker)) in enumerate(looks.items()):
        some = frame[frame["method"] == name]
        shift = 0.72 / max(1, len(looks)) * (number - (len(looks) - 1) / 2)
        y = np.array([pairs.index(pair) + shift for pair in some["pair"]])
        if value == "gap":
            axes.hlines(y, some["low"], some["high"], color=color, linewidth=1, alpha=0.6)
        else:
            axes.plot(some["floor"], y, marker, color=color, ms=4, mew=0.8, mfc="none", alpha=0.8, linestyle="none")
        axes.plot(some[value], y, marker, color=color, ms=4, mew=0, linestyle="none")
    axes.axvline(0, color=MUTED, linewidth=0.7)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    axes.set_ylim(len(pairs) - 0.5, -0.5)
    axes.spines["left"].set_visible(False)
    _limit(axes, frame, value)
    few_ticks(axes, 5)
    if not frame[value].notna().any():
        say_empty(axes)


def _limit(axes: Axes, frame: pd.DataFrame, value: str) -> None:
    """Room for all marks; intervals of few seeds may be much longer, and are cut."""
    columns = frame[["gap"] if value == "gap" else ["distance", "floor"]].to_numpy(float)
    low, high = np.nanmin(columns, initial=0.0), np.nanmax(columns, initial=0.01)
    room = 0.25 * (high - low) if value == "gap" else 0.07 * (high - low)
    axes.set_xlim(low - room, high + room)
