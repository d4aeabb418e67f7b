"""Distances of domains against the transfer gap: a panel per distance, a mark per pair and method."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from gnnmc.draw.columns import check_columns, in_order
from gnnmc.draw.methods import handles, method_looks
from gnnmc.draw.palette import MUTED
from gnnmc.draw.panels import broken, few_ticks, top_legend
from gnnmc.draw.style import STACKED_BELOW, WIDE, new_figure, say_empty, styled

_HEIGHT = 2.0


@styled
def draw_distance_gap(
    frame: pd.DataFrame, *, gap_label: str = "transfer gap", methods: Sequence[str] = (), width: float = WIDE
) -> Figure:
    """The gap upward, a distance across, each panel on a scale of its own, with its rank correlation in the title.

    Shapes: one row per (measure, pair, method): `value` (in the unit of the measure), `gap`, `title` (of the panel).
    `methods`: all those of the page; `width` in inches.

    Raises InputError for a missing column.
    """
    check_columns(frame, ["measure", "pair", "method", "value", "gap", "title"], "distance_gap")
    measures, looks = in_order(frame, "measure"), method_looks([*methods, *frame["method"]])
    looks = {name: look for name, look in looks.items() if name in set(frame["method"])}
    across = 1 if width < STACKED_BELOW else min(3, len(measures))
    down = -(-len(measures) // across)
    figure = new_figure(width, down * _HEIGHT + 0.4)
    grid = figure.add_gridspec(down, across)
    first = None
    for number, measure in enumerate(measures):
        axes = figure.add_subplot(grid[divmod(number, across)], sharey=first)
        first = first or axes
        here = frame[frame["measure"] == measure]
        for name, (color, marker) in looks.items():
            some = here[here["method"] == name]
            axes.plot(some["value"], some["gap"], marker, color=color, ms=4, mew=0, alpha=0.8, linestyle="none")
        axes.axhline(0, color=MUTED, linewidth=0.7)
        axes.set_title(broken(str(here["title"].iloc[0]), 32))
        axes.grid(visible=True, axis="x")
        few_ticks(axes, 4)
        if number % across == 0:
            axes.set_ylabel(gap_label)
        else:
            axes.tick_params(labelleft=False)
        if not (here["value"].notna() & here["gap"].notna()).any():
            say_empty(axes)
    top_legend(figure, handles(looks), width)
    return figure
