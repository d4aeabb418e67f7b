"""How closely every measure follows the generalization gap: a dot and its interval per measure."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from gnnmc.draw.columns import check_columns, in_order
from gnnmc.draw.looks import Look, model_looks
from gnnmc.draw.palette import BAND, INK, MUTED
from gnnmc.draw.panels import broken, few_ticks, top_legend
from gnnmc.draw.style import STACKED_BELOW, WIDE, new_figure, say_empty, styled

_LINE = 0.15
_BETWEEN = 0.07
# Letters of a line of a measure's name, on a wide page and on a narrow one.
_LETTERS, _FEW_LETTERS = 44, 22


@styled
def draw_gap_ranking(
    frame: pd.DataFrame,
    *,
    panels: Mapping[str, str] | None = None,
    x_label: str = "expected sign × Kendall's τ",
    width: float = WIDE,
) -> Figure:
    """A row per measure in the order of the frame, a panel per column of numbers; to the right of 0 is as expected.

    panels: column → title; each of them may have `_low` and `_high` beside it. Before a name stands its expected sign.

    Shapes: frame: one row per measure: `measure` (in words), `expected` (−1 or 1), `of` (what it belongs to: a color),
    the columns of `panels`; `width` in inches.

    Raises InputError for a missing column.
    """
    panels = panels or {"granulated": "one factor at a time", "tau": "over all pairs"}
    check_columns(frame, ["measure", "expected", "of", *panels], "gap_ranking")
    stacked = width < STACKED_BELOW
    looks = model_looks(in_order(frame, "of"))
    names = [
        broken(f"{'+' if sign > 0 else '−'} {name}", _FEW_LETTERS if stacked else _LETTERS)
        for name, sign in zip(frame["measure"], frame["expected"], strict=True)
    ]
    heights = [_LINE * (name.count("\n") + 1) + _BETWEEN for name in names]
    bounds = np.cumsum([0.0, *heights])
    tall = float(bounds[-1]) + 0.55
    figure = new_figure(width, (tall * len(panels) if stacked else tall) + 0.45)
    grid = figure.subplots(len(panels) if stacked else 1, 1 if stacked else len(panels), squeeze=False)
    for number, (axes, (column, title)) in enumerate(zip(grid.flat, panels.items(), strict=True)):
        _draw_panel(axes, frame, column, bounds, looks)
        axes.set_title(title)
        axes.set_xlabel(x_label)
        axes.set_yticks((bounds[:-1] + bounds[1:]) / 2, names if stacked or number == 0 else [])
        axes.tick_params(axis="y", length=0, labelcolor=INK)
    handles = [
        Line2D([], [], color=color, marker=marker, ms=5, mew=0, linestyle="none", label=f"of {name}")
        for name, (color, marker) in looks.items()
    ]
    top_legend(figure, handles, width)
    return figure


def _draw_panel(
    axes: Axes, frame: pd.DataFrame, column: str, bounds: NDArray[np.float64], looks: Mapping[str, Look]
) -> None:
    lacking = pd.Series(np.nan, index=frame.index)
    signs = frame["expected"].to_numpy(dtype=float)
    low, high = (frame.get(f"{column}_{end}", lacking).to_numpy(dtype=float) * signs for end in ("low", "high"))
    values = frame[column].to_numpy(dtype=float) * signs
    for place, (value, of) in enumerate(zip(values, frame["of"], strict=True)):
        color, marker = looks[of]
        if place % 2 == 0:
            axes.axhspan(bounds[place], bounds[place + 1], color=BAND, linewidth=0, zorder=0)
        y = (bounds[place] + bounds[place + 1]) / 2
        if np.isfinite(low[place]):
            ends = sorted((low[place], high[place]))
            axes.hlines(y, *ends, color=color, linewidth=2.6, alpha=0.35)
        if np.isfinite(value):
            axes.plot(value, y, marker, color=color, ms=5, mew=0, clip_on=False)
    axes.axvline(0, color=MUTED, linewidth=0.8)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    axes.set_ylim(bounds[-1], bounds[0])
    axes.set_xlim(-1.02, 1.02)
    few_ticks(axes, 5)
    axes.spines["left"].set_visible(False)
    if not np.isfinite(values).any():
        say_empty(axes)
