"""What known shifts of generated graphs do: each measure against the amount of each shift."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gnnmc.draw.columns import check_columns, in_order
from gnnmc.draw.methods import handles, method_looks
from gnnmc.draw.palette import MUTED
from gnnmc.draw.panels import broken, few_ticks, top_legend
from gnnmc.draw.style import STACKED_BELOW, WIDE, new_figure, say_empty, styled

_HEIGHT = 1.5


@styled
def draw_shifts(frame: pd.DataFrame, *, methods: Sequence[str] = (), width: float = WIDE) -> Figure:
    """A column per shift, a row per measure: a dot per pair, a line through the means; a measure has one scale.

    What does not differ by method is drawn once, in the look of the first.

    Shapes: one row per (measure, axis, value, pair, method): `y` (in the unit of the measure). `methods`: all those of
    the page; `width` in inches.

    Raises InputError for a missing column.
    """
    check_columns(frame, ["measure", "axis", "value", "pair", "method", "y"], "shifts")
    measures, axes_names = in_order(frame, "measure"), in_order(frame, "axis")
    looks = method_looks([*methods, *frame["method"]])
    looks = {name: look for name, look in looks.items() if name in set(frame["method"])}
    stacked = width < STACKED_BELOW
    across = min(2, len(axes_names)) if stacked else len(axes_names)
    blocks = -(-len(axes_names) // across)
    figure = new_figure(width, _HEIGHT * len(measures) * blocks + 0.5)
    grid = figure.add_gridspec(len(measures) * blocks, across)
    for r, measure in enumerate(measures):
        first = None
        for c, axis in enumerate(axes_names):
            block, column = divmod(c, across)
            axes = figure.add_subplot(grid[block * len(measures) + r, column], sharey=first)
            first = first or axes
            here = frame[(frame["measure"] == measure) & (frame["axis"] == axis)]
            for name, (color, marker) in looks.items():
                some = here[here["method"] == name]
                axes.plot(some["value"], some["y"], marker, color=color, ms=2.6, mew=0, alpha=0.5, linestyle="none")
                means = some.groupby("value")["y"].mean()
                axes.plot(means.index, means, color=color, linewidth=1.3)
            _label(axes, r, column, str(measure), str(axis), last=r == len(measures) - 1)
            if not here["y"].notna().any():
                say_empty(axes)
    top_legend(figure, handles(looks), width)
    return figure


def _label(axes: Axes, row: int, column: int, measure: str, axis: str, *, last: bool) -> None:
    axes.axhline(0, color=MUTED, linewidth=0.6)
    few_ticks(axes, 4)
    if row == 0:
        axes.set_title(axis)
    if column == 0:
        axes.set_ylabel(broken(measure, 17))
    else:
        axes.tick_params(labelleft=False)
    axes.tick_params(labelbottom=last)
