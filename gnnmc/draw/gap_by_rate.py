"""The generalization gap against how many items of a class are labeled."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from gnnmc.draw.barrier_sweep import MANY_DOTS
from gnnmc.draw.columns import check_columns, in_order
from gnnmc.draw.looks import Look, looks_of
from gnnmc.draw.palette import MUTED
from gnnmc.draw.panels import Row, panel_grid, top_legend
from gnnmc.draw.style import WIDE, say_empty, styled

# More label rates than this are not all written at the axis.
_MOST_TICKS = 7


@styled
def draw_gap_by_rate(
    frame: pd.DataFrame,
    *,
    summary: pd.DataFrame,
    x_label: str = "training items per class",
    interval_label: str = "95 % interval over clusters",
    models: Sequence[str] = (),
    width: float = WIDE,
) -> Figure:
    """A panel per gap, label rates on a logarithmic axis; a dot per graph, a line through the means, a band.

    Shapes: frame: one row per (outcome, model, label_rate, graph): `outcome` (title of the panel), `gap`; summary: one
    row per (outcome, model, label_rate): `mean, low, high` (NaN where there is no interval); `models`: all those of
    the page (`looks_of`); `width` in inches.

    Raises InputError for a missing column.
    """
    keys = ["outcome", "model", "label_rate"]
    check_columns(frame, [*keys, "gap"], "gap_by_rate")
    check_columns(summary, [*keys, "mean", "low", "high"], "summary of gap_by_rate")
    outcomes, looks = in_order(frame, "outcome"), looks_of(frame, models)
    figure, panels = panel_grid([Row("", "gap", 2.2)], outcomes, x_label, width, share_y=False)
    rates = in_order(frame, "label_rate")
    for axes, outcome in zip(panels[0], outcomes, strict=True):
        dots, means = frame[frame["outcome"] == outcome], summary[summary["outcome"] == outcome]
        for number, (model, look) in enumerate(looks.items()):
            # Models of one rate stand a little apart, always in the same order: none hides another.
            apart = 1.025 ** (number - (len(looks) - 1) / 2)
            _draw(axes, dots[dots["model"] == model], means[means["model"] == model], look, apart)
        axes.axhline(0, color=MUTED, linewidth=0.8)
        _label_rates(axes, rates)
        if not dots["gap"].notna().any():
            say_empty(axes)
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=color, marker=marker, ms=4, mew=0, label=model) for model, (color, marker) in looks.items()
    ]
    handles.append(Line2D([], [], color=MUTED, marker="o", ms=2.6, mew=0, linestyle="none", label="one graph"))
    if summary["low"].notna().any():
        handles.append(Patch(color=MUTED, alpha=0.25, linewidth=0, label=interval_label))
    top_legend(figure, handles, width)
    return figure


def _draw(axes: Axes, dots: pd.DataFrame, means: pd.DataFrame, look: Look, apart: float) -> None:
    line = means.sort_values("label_rate")
    many = len(dots) > MANY_DOTS
    axes.plot(
        dots["label_rate"] * apart, dots["gap"], "o", color=look.color, ms=2.6, mew=0, alpha=0.55, rasterized=many
    )
    x = line["label_rate"] * apart
    axes.fill_between(x, line["low"], line["high"], color=look.color, alpha=0.11, linewidth=0)
    axes.plot(x, line["mean"], marker=look.marker, ms=4, mew=0, color=look.color, linewidth=1.4)


def _label_rates(axes: Axes, rates: Sequence[float]) -> None:
    axes.set_xscale("log")
    every = max(1, -(-len(rates) // _MOST_TICKS))
    axes.xaxis.set_major_locator(FixedLocator([float(rate) for rate in rates[::every]]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
