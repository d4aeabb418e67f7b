"""Shares of the variance of a barrier: what goes with the graph, the architecture, both together, and neither."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from gnnmc.draw.columns import check_columns, in_order
from gnnmc.draw.palette import INK, MUTED, alignment_colors
from gnnmc.draw.panels import Row, broken, panel_grid, top_legend
from gnnmc.draw.style import STACKED_BELOW, WIDE, say_empty, styled
from gnnmc.errors import InputError

_GRAY, _BLUE, _ORANGE, _GREEN, _MAGENTA = alignment_colors(5)
# Part → color, marker, and what it is called.
PARTS = {
    "graph": (_BLUE, "o", "graph"),
    "architecture": (_ORANGE, "s", "architecture"),
    "interaction": (_MAGENTA, "D", "interaction of both"),
    "residual": (_GRAY, "v", "rest: pairs of one graph and architecture"),
}
_PART_LINE = 0.13
# A line of a label.
_NAME_LINE = 0.15
_APART = 0.14


@styled
def draw_shares(frame: pd.DataFrame, *, width: float = WIDE) -> Figure:
    """A block of rows per (block, models), a dot with its interval for every part, a panel per split.

    Shapes: one row per (split, block, models, part): `omega2, ci_low, ci_high` (NaN: none; a share); `part`: those of
    PARTS; `width` in inches.

    Raises InputError for a missing column, an unknown part, and for more than one row per (split, block, models, part).
    """
    keys = ["split", "block", "models", "part"]
    check_columns(frame, [*keys, "omega2", "ci_low", "ci_high"], "shares")
    if unknown := [name for name in frame["part"].unique() if name not in PARTS]:
        raise InputError(f"shares: unknown part {unknown[0]!r}: allowed: {', '.join(PARTS)}")
    if frame.duplicated(keys).any():
        raise InputError("shares: more than one row per (split, block, models, part): choose one family of graphs")
    longest = 26 if width >= STACKED_BELOW else 16
    places = list(dict.fromkeys(frame[["block", "models"]].itertuples(index=False, name=None)))
    names = {place: "\n".join(broken(str(part), longest) for part in place if part) for place in places}
    most_lines = max((name.count("\n") + 1 for name in names.values()), default=1)
    block = max(len(PARTS) * _PART_LINE, most_lines * _NAME_LINE) + _APART
    height = max(1.0, len(places) * block + 0.1)
    splits = in_order(frame, "split")
    figure, panels = panel_grid(
        [Row("", "", height)], [f"{split} split" for split in splits], "share of the variance (%)", width, share_y=True
    )
    for c, split in enumerate(splits):
        _draw_panel(panels[0][c], frame[frame["split"] == split], names, block)
    handles = [
        Line2D([], [], color=color, marker=marker, ms=5, mew=0, linestyle="none", label=words)
        for color, marker, words in PARTS.values()
    ]
    if frame["ci_low"].notna().any():
        handles.append(Line2D([], [], color=MUTED, alpha=0.4, linewidth=2.6, label="95 % interval"))
    top_legend(figure, handles, width)
    return figure


def _draw_panel(axes: Axes, frame: pd.DataFrame, names: Mapping[tuple[str, str], str], block: float) -> None:
    numbers = frame[["omega2", "ci_low", "ci_high"]].astype(float).itertuples(index=False, name=None)
    cells = dict(zip(frame[["block", "models", "part"]].itertuples(index=False, name=None), numbers))
    for place, name in enumerate(names):
        for number, (part, (color, marker, _)) in enumerate(PARTS.items()):
            value, low, high = cells.get((*name, part), (np.nan, np.nan, np.nan))
            y = place * block + number * _PART_LINE
            if np.isfinite(low):
                axes.hlines(y, 100 * low, 100 * high, color=color, linewidth=2.6, alpha=0.3)
            if np.isfinite(value):
                axes.plot(100 * value, y, marker, color=color, ms=5, mew=0, clip_on=False)
        if place:
            axes.axhline(place * block - (_APART + _PART_LINE) / 2, color=MUTED, linewidth=0.4, alpha=0.5)
    axes.axvline(0, color=MUTED, linewidth=0.8)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    middle = (len(PARTS) - 1) * _PART_LINE / 2
    axes.set_yticks([place * block + middle for place in range(len(names))], list(names.values()))
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.set_ylim(len(names) * block - _APART / 2, -_APART)
    axes.set_xlim(-7, 105)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "−")))
    if not frame["omega2"].notna().any():
        say_empty(axes)
