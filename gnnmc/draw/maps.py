"""A mean over two settings at once: a cell per pair of values, with its number in it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from gnnmc.draw.columns import check_columns, in_order
from gnnmc.draw.palette import INK, MISSING, MUTED, sequential_color
from gnnmc.draw.panels import Row, panel_grid
from gnnmc.draw.style import WIDE, styled
from gnnmc.errors import InputError

_CELL = 0.3


@styled
def draw_map(
    frame: pd.DataFrame,
    *,
    x_label: str = "edge homophily",
    y_label: str = "y",
    width: float = WIDE,
) -> Figure:
    """A panel per (row, column), x across and y upward; darker is more, on one scale for all panels of a column.

    The caption says what the numbers are. Gray with a dash where there is none.

    Shapes: one row per (row, column, x, y): `value`. `width` in inches.

    Raises InputError for a missing column, and for more than one row per cell.
    """
    keys = ["row", "column", "x", "y"]
    check_columns(frame, [*keys, "value"], "map")
    if frame.duplicated(keys).any():
        raise InputError("map: more than one row per (row, column, x, y): average them, or choose the rows")
    rows, columns = in_order(frame, "row"), in_order(frame, "column")
    xs, ys = sorted(frame["x"].unique()), sorted(frame["y"].unique())
    panels = [Row("", y_label, max(0.8, _CELL * len(ys)) + 0.25) for _ in rows]
    figure, axes = panel_grid(panels, [""] * len(columns), x_label, width, share_y=True)
    for c, column in enumerate(columns):
        here = frame[frame["column"] == column]
        top = float(np.nanmax(here["value"].to_numpy(float), initial=0.0)) or 1.0
        for r, row in enumerate(rows):
            cells = here[here["row"] == row].set_index(["x", "y"])["value"].to_dict()
            _draw_panel(axes[r][c], cells, xs, ys, top)
            axes[r][c].set_title(f"{row}, {column}")
    return figure


def _draw_panel(axes: Axes, cells: dict[Any, float], xs: Sequence[float], ys: Sequence[float], top: float) -> None:
    for i, x in enumerate(xs):
        for j, y in enumerate(ys):
            value = cells.get((x, y), np.nan)
            color, ink = (MISSING, MUTED) if np.isnan(value) else sequential_color(value / top)
            axes.add_patch(Rectangle((i - 0.48, j - 0.48), 0.96, 0.96, facecolor=color, linewidth=0))
            text = "—" if np.isnan(value) else f"{value:.2f}".replace("0.", ".", 1).replace("-", "−")
            axes.text(i, j, text, ha="center", va="center_baseline", color=ink, fontsize=7.4)
    axes.set_xlim(-0.5, len(xs) - 0.5)
    axes.set_ylim(-0.5, len(ys) - 0.5)
    axes.set_xticks(range(len(xs)), [f"{x:g}" for x in xs])
    axes.set_yticks(range(len(ys)), [f"{y:g}" for y in ys])
    axes.tick_params(length=0, labelcolor=INK)
    axes.grid(visible=False)
    for side in axes.spines.values():
        side.set_visible(False)
