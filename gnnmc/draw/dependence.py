"""How a predicted barrier moves with one statistic of the graph: a panel per statistic, a line per model."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from gnnmc.draw.columns import check_columns, in_order
from gnnmc.draw.looks import looks_of
from gnnmc.draw.palette import MUTED
from gnnmc.draw.panels import broken, few_ticks, top_legend
from gnnmc.draw.style import STACKED_BELOW, WIDE, new_figure, styled
from gnnmc.errors import InputError

_HEIGHT = 1.75
_ACROSS = 4
# Of the range of a panel: what lies between values further apart no graph has, and no line is drawn there.
_WIDEST_GAP = 0.15


@styled
def draw_dependence(
    frame: pd.DataFrame,
    *,
    models: Sequence[str] = (),
    words: Mapping[str, str] | None = None,
    measured: Mapping[str, Sequence[float]] | None = None,
    y_label: str = "predicted barrier",
    width: float = WIDE,
) -> Figure:
    """Panels share the vertical axis, each has its own horizontal one; a line breaks where no graph is for long.

    Values further apart than 15 % of the range of the panel are not joined; one that is joined to none is a marker.

    Shapes: one row per (statistic, model, value): `predicted`; `models`: all those of the page (`looks_of`); `words`:
    what a statistic is called; `measured`: the values that graphs have, as ticks below; `width` in inches.

    Raises InputError for a missing column, and for more than one row per (statistic, model, value).
    """
    keys = ["statistic", "model", "value"]
    check_columns(frame, [*keys, "predicted"], "dependence")
    if frame.duplicated(keys).any():
        raise InputError("dependence: more than one row per (statistic, model, value): choose one path and split")
    looks, statistics = looks_of(frame, models), in_order(frame, "statistic")
    across = max(1, min(_ACROSS if width >= STACKED_BELOW else 2, len(statistics)))
    down = max(1, -(-len(statistics) // across))
    figure = new_figure(width, down * _HEIGHT + 0.5)
    grid = figure.add_gridspec(down, across)
    top = float(np.nanmax(frame["predicted"].to_numpy(dtype=float), initial=0.0)) or 1.0
    for place, name in enumerate(statistics):
        axes = figure.add_subplot(grid[divmod(place, across)])
        rows = frame[frame["statistic"] == name].sort_values("value")
        for model, (color, marker) in looks.items():
            line = rows[rows["model"] == model]
            for piece in _pieces(line, float(np.ptp(rows["value"]))):
                shown = marker if len(line) <= 6 or len(piece) == 1 else None
                axes.plot(piece["value"], piece["predicted"], color=color, marker=shown, ms=4, mew=0)
        if len(seen := np.unique((measured or {}).get(name, ()))):
            axes.plot(seen, np.zeros(len(seen)), "|", color=MUTED, ms=7, mew=0.7, clip_on=False, zorder=3)
        words_of = (words or {}).get(str(name), str(name).replace("_", " "))
        axes.set_xlabel(broken(words_of, int(width / across / 0.085)))
        axes.set_ylim(0, 1.06 * top)
        axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
        few_ticks(axes, 4)
        if place % across:
            axes.tick_params(labelleft=False)
        else:
            axes.set_ylabel(broken(y_label, 24))
    handles = [
        Line2D([], [], color=color, marker=marker, ms=5, mew=0, label=model) for model, (color, marker) in looks.items()
    ]
    top_legend(figure, handles, width)
    return figure


def _pieces(line: pd.DataFrame, length: float) -> list[pd.DataFrame]:
    """The parts of a line, in order of `value`, between which no graph is for too long."""
    breaks = np.flatnonzero(np.diff(line["value"]) > _WIDEST_GAP * length) + 1
    ends = [0, *breaks.tolist(), len(line)]
    return [line.iloc[first:last] for first, last in itertools.pairwise(ends)]
