"""How well statistics predict barriers on graphs held out: R² of every set of statistics, model by model."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gnnmc.draw.columns import check_columns, in_order
from gnnmc.draw.looks import Look, looks_of
from gnnmc.draw.palette import INK, MUTED
from gnnmc.draw.panels import Row, broken, panel_grid, top_legend
from gnnmc.draw.style import STACKED_BELOW, WIDE, say_empty, styled
from gnnmc.errors import InputError

# What is worse than this is drawn at the edge, as an arrow that says so: how bad a bad prediction is matters to nobody.
WORST = -0.6
_LINE = 0.115
_NAME_LINE = 0.14
_BETWEEN = 0.1
# Labels of ticks below a panel.
_TICKS = 0.18


@styled
def draw_prediction(frame: pd.DataFrame, *, models: Sequence[str] = (), width: float = WIDE) -> Figure:
    """A block of rows per set of statistics, a dot with its interval per model, for every path and split.

    Shapes: one row per (path, split, model, predictors): `r2, ci_low, ci_high` (NaN: no interval); `models`: all those
    of the page (`looks_of`); `width` in inches.

    Raises InputError for a missing column, and for more than one row per (path, split, model, predictors).
    """
    keys = ["path", "split", "model", "predictors"]
    check_columns(frame, [*keys, "r2", "ci_low", "ci_high"], "prediction")
    if frame.duplicated(keys).any():
        raise InputError("prediction: more than one row per (path, split, model, predictors): choose one regime")
    looks = looks_of(frame, models)
    sets, paths, splits = (in_order(frame, name) for name in ("predictors", "path", "split"))
    names = [broken(str(name), 26 if width >= STACKED_BELOW else 14) for name in sets]
    most_lines = max((name.count("\n") + 1 for name in names), default=1)
    block = max(len(looks) * _LINE, most_lines * _NAME_LINE) + _BETWEEN
    stacked = width < STACKED_BELOW
    height = max(1.0, len(sets) * block + 0.2) + (_TICKS if stacked else 0.0)
    rows = [Row(f"{path} path", "", height) for path in paths]
    figure, panels = panel_grid(rows, [f"{split} split" for split in splits], "R² out of fold", width, share_y=True)
    for r, path in enumerate(paths):
        for c, split in enumerate(splits):
            here = frame[(frame["path"] == path) & (frame["split"] == split)]
            _draw_panel(panels[r][c], here, dict(zip(sets, names)), looks, block)
            if stacked:  # the axis of the last one is screens away
                panels[r][c].tick_params(labelbottom=True)
    handles = [
        Line2D([], [], color=color, marker=marker, ms=5, mew=0, linestyle="none", label=model)
        for model, (color, marker) in looks.items()
    ]
    top_legend(figure, [*handles, Line2D([], [], color=MUTED, alpha=0.4, linewidth=2.6, label="95 % interval")], width)
    return figure


def _draw_panel(
    axes: Axes, frame: pd.DataFrame, sets: Mapping[str, str], looks: Mapping[str, Look], block: float
) -> None:
    for place, name in enumerate(sets):
        for number, (model, (color, marker)) in enumerate(looks.items()):
            y = place * block + number * _LINE
            rows = frame[(frame["predictors"] == name) & (frame["model"] == model)]
            for r2, low, high in rows[["r2", "ci_low", "ci_high"]].itertuples(index=False, name=None):
                if np.isfinite(low) and high > WORST:
                    axes.hlines(y, max(low, WORST), high, color=color, linewidth=2.6, alpha=0.3)
                if np.isfinite(r2):
                    shown = marker if r2 >= WORST else "<"
                    axes.plot(max(r2, WORST), y, shown, color=color, ms=5, mew=0, clip_on=False)
    axes.axvline(0, color=MUTED, linewidth=0.8)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    middles = [place * block + (len(looks) - 1) * _LINE / 2 for place in range(len(sets))]
    axes.set_yticks(middles, list(sets.values()))
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.set_ylim(len(sets) * block - _BETWEEN / 2, -_BETWEEN)
    axes.set_xlim(WORST - 0.05, 1.05)
    if not frame["r2"].notna().any():
        say_empty(axes)
