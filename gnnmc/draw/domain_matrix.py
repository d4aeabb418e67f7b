"""Domains against domains: a heat map for each distance, the source down and the target across."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from gnnmc.draw.columns import check_columns, in_order
from gnnmc.draw.palette import INK, MISSING, MUTED, sequential_color
from gnnmc.draw.panels import broken
from gnnmc.draw.style import STACKED_BELOW, WIDE, new_figure, styled
from gnnmc.errors import InputError

_CELL = 0.44
_LONGEST = 14
# Inches that the names beside a panel take, and a letter of one.
_NAMES, _LETTER, _LINE = 1.0, 0.085, 0.16


@styled
def draw_domain_matrix(
    frame: pd.DataFrame, *, labels: tuple[str, str] = ("source", "target"), width: float = WIDE
) -> Figure:
    """A panel per measure: darker is farther, on a scale of its own; a dash where there is no such pair.

    Where the two directions of a pair differ, so do the two cells on either side of the diagonal.

    Shapes: one row per (measure, source, target): `value`. labels: of the rows and of the columns; `width` in inches.

    Raises InputError for a missing column, and for more than one row per cell.
    """
    keys = ["measure", "source", "target"]
    check_columns(frame, [*keys, "value"], "domain_matrix")
    if frame.duplicated(keys).any():
        raise InputError("domain_matrix: more than one row per (measure, source, target): choose one method")
    measures = in_order(frame, "measure")
    domains = list(dict.fromkeys([*frame["source"], *frame["target"]]))
    across = 1 if width < STACKED_BELOW else min(3, len(measures))
    down = -(-len(measures) // across)
    # Below the panel a name has a cell's width.
    letters = min(_LONGEST, max(4, int((width / across - _NAMES) / len(domains) / _LETTER)))
    beside, below = ([broken(name, most) for name in domains] for most in (_LONGEST, letters))
    cell = max(_CELL, _LINE * _lines(beside))
    height = cell * len(domains) + 0.85 + _LINE * (_lines(below) - 1)
    figure = new_figure(width, down * height)
    grid = figure.add_gridspec(down, across)
    for number, measure in enumerate(measures):
        axes = figure.add_subplot(grid[divmod(number, across)])
        here = frame[frame["measure"] == measure]
        _draw_cells(axes, here, domains)
        axes.set_xticks(range(len(domains)), below)
        axes.set_yticks(range(len(domains)), beside)
        axes.set_title(broken(str(measure), 34))
        if number % across == 0:
            axes.set_ylabel(labels[0])
        axes.set_xlabel(labels[1])
    return figure


def _lines(names: Sequence[str]) -> int:
    return max((name.count("\n") + 1 for name in names), default=1)


def _draw_cells(axes: Axes, frame: pd.DataFrame, domains: Sequence[str]) -> None:
    cells = {(s, t): float(v) for s, t, v in frame[["source", "target", "value"]].itertuples(index=False, name=None)}
    top = max((abs(value) for value in cells.values() if np.isfinite(value)), default=1.0) or 1.0
    for row, source in enumerate(domains):
        for column, target in enumerate(domains):
            value = cells.get((source, target), np.nan)
            color, ink = (MISSING, MUTED) if np.isnan(value) else sequential_color(max(0.0, value) / top)
            axes.add_patch(Rectangle((column - 0.48, row - 0.48), 0.96, 0.96, facecolor=color, linewidth=0))
            text = "—" if np.isnan(value) else f"{value:.2g}".replace("-", "−")
            axes.text(column, row, text, ha="center", va="center_baseline", color=ink, fontsize=7.4)
    axes.set_xlim(-0.5, len(domains) - 0.5)
    axes.set_ylim(len(domains) - 0.5, -0.5)
    axes.tick_params(length=0, labelcolor=INK)
    axes.grid(visible=False)
    for side in axes.spines.values():
        side.set_visible(False)
