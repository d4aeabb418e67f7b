"""Barriers by alignment, one row each: what every class of symmetry, or every method, takes away."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gnnmc.draw.alignment import AlignmentLook, looks_in
from gnnmc.draw.columns import check_columns, in_order
from gnnmc.draw.palette import BAND, INK, MUTED
from gnnmc.draw.panels import broken, few_ticks, top_legend
from gnnmc.draw.scatter import LEAST_SPAN
from gnnmc.draw.style import STACKED_BELOW, WIDE, new_figure, say_empty, styled

_ROW = 0.22
# Letters of the name of a block, and of an alignment, in one line.
_LONGEST_BLOCK, _LONGEST = 30, 26
# Points of a name in two lines.
_SMALL = 6.6


@styled
def draw_ablation(
    frame: pd.DataFrame,
    *,
    barrier_label: str = "barrier (nats)",
    ends_label: str = "ends' loss",
    interval_label: str = "least to largest pair",
    alignments: Sequence[str] = (),
    width: float = WIDE,
) -> Figure:
    """A row per alignment under the name of its block (a model on a problem), a panel per split.

    Beside the barrier stands the mean loss of the ends on the same split, which alignment does not change.

    Shapes: one row per (block, aligned, split): `barrier` (mean over pairs, nats per labeled item), `low, high`,
    `ends_loss` (nats). `alignments`: all those of the page in their order; `width` in inches.

    Raises InputError for a missing column.
    """
    check_columns(frame, ["block", "aligned", "split", "barrier", "low", "high", "ends_loss"], "ablation")
    looks, splits, blocks = looks_in(frame, alignments), in_order(frame, "split"), in_order(frame, "block")
    places: dict[tuple[str, str | None], float] = {}
    y = 0.0
    for block in blocks:
        places[block, None] = y
        here = set(frame.loc[frame["block"] == block, "aligned"])
        for number, name in enumerate((name for name in looks if name in here), start=1):
            places[block, name] = y + 0.2 + number
        y = max(places.values()) + 1.4
    stacked = width < STACKED_BELOW
    down, across = (len(splits), 1) if stacked else (1, max(1, len(splits)))
    figure = new_figure(width, (0.75 + _ROW * y) * down + 0.45)
    grid = figure.add_gridspec(max(1, down), 2 * across, width_ratios=[1.7, 0.7] * across)
    for number, split in enumerate(splits):
        row, start = (number, 0) if stacked else (0, 2 * number)
        for place, (value, label) in enumerate((("barrier", barrier_label), ("ends_loss", ends_label))):
            axes = figure.add_subplot(grid[row, start + place])
            _draw_rows(axes, frame, frame["split"] == split, value, places, looks)
            axes.set_xlabel(label)
            if place == 0:
                axes.set_title(f"{split} split")
            if place == 0 and start == 0:
                _say_rows(axes, places)
    if (frame["low"] < frame["high"]).any():
        top_legend(figure, [Line2D([], [], color=MUTED, alpha=0.5, linewidth=2.6, label=interval_label)], width)
    return figure


def _draw_rows(
    axes: Axes,
    frame: pd.DataFrame,
    of_split: "pd.Series[bool]",
    value: str,
    places: Mapping[tuple[str, str | None], float],
    looks: Mapping[str, AlignmentLook],
) -> None:
    here = frame[of_split]
    for (block, name), y in places.items():
        if name is None:
            axes.axhspan(y - 0.5, y + 0.5, color=BAND, linewidth=0, zorder=0)
            continue
        some = here[(here["block"] == block) & (here["aligned"] == name)]
        if value == "barrier":
            axes.hlines([y] * len(some), some["low"], some["high"], color=looks[name].color, linewidth=2.6, alpha=0.35)
        axes.plot(some[value], [y] * len(some), linestyle="none", **looks[name].marks(4.6))
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_ylim(max(places.values(), default=0) + 0.7, -0.7)
    reaching = [value, "high"] if value == "barrier" else [value]
    top = 1.07 * max(float(np.nanmax(frame[reaching].to_numpy(float), initial=0.0)), LEAST_SPAN)
    axes.set_xlim(-0.05 * top, top)
    few_ticks(axes, 4 if value == "barrier" else 2)
    if not here[value].notna().any():
        say_empty(axes)


def _say_rows(axes: Axes, places: Mapping[tuple[str, str | None], float]) -> None:
    """Names of alignments beside their rows, of blocks on their bands."""
    rows = [(y, broken(name, _LONGEST)) for (_, name), y in places.items() if name is not None]
    axes.set_yticks([y for y, _ in rows], [words for _, words in rows])
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.set_zorder(1)  # the names of blocks lie on the bands of the panels beside it
    for (block, name), y in places.items():
        if name is None:
            lines = broken(block, _LONGEST_BLOCK)
            size = _SMALL if "\n" in lines else 8.0
            where = axes.get_yaxis_transform()
            words = axes.text(
                0.02, y, lines, transform=where, va="center", fontweight="bold", fontsize=size, linespacing=1.0
            )
            words.set_in_layout(False)
