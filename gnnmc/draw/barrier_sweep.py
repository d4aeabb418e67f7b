"""Barriers against a statistic of the graph, with the loss of the ends below: is it the barrier or the ends?"""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from gnnmc.draw.columns import check_columns, in_order
from gnnmc.draw.looks import Look, looks_of
from gnnmc.draw.palette import MUTED
from gnnmc.draw.panels import Row, panel_grid, top_legend
from gnnmc.draw.style import WIDE, say_empty, styled

# More dots than this are drawn as one picture: a browser would take long over as many elements.
MANY_DOTS = 6000


@styled
def draw_barrier_sweep(
    frame: pd.DataFrame,
    *,
    x: str = "x",
    x_label: str = "edge homophily",
    summary: pd.DataFrame | None = None,
    barrier_label: str = "barrier (nats)",
    ends_label: str = "ends' mean\nloss (nats)",
    interval_label: str = "interval over graphs",
    share_y: bool = True,
    models: Sequence[str] = (),
    width: float = WIDE,
) -> Figure:
    """One row per path and one column per split; a dot per graph, a line through the means, a band for the interval.

    The last row is the mean loss of the ends on the same split (of the first path, whose pairs are the most). `share_y`
    gives the panels of a row one scale. Without `summary` the lines go through the means of `frame`, without bands.

    Shapes: `frame` one row per (path, split, model, graph): `path, split, model, x, graph, barrier` (mean over pairs),
    `ends_loss` (nats per labeled node); `summary` one row per (path, split, model, x): `mean, low, high` (NaN where
    there is no interval). `x` names the column of the statistic in both; `models`: all those of the page (`looks_of`);
    `width` in inches.

    Raises InputError for a missing column.
    """
    check_columns(frame, ["path", "split", "model", x, "barrier", "ends_loss"], "barrier_sweep")
    if summary is None:
        summary = _means(frame, x)
    check_columns(summary, ["path", "split", "model", x, "mean", "low", "high"], "summary of barrier_sweep")
    paths, splits, looks = in_order(frame, "path"), in_order(frame, "split"), looks_of(frame, models)
    rows = [Row(f"{path} path", barrier_label, 1.75) for path in paths] + [Row("", ends_label, 1.15)]
    titles = [f"{split} split" for split in splits]
    figure, panels = panel_grid(rows, titles, x_label, width, share_y)
    dots_as_picture = int(frame["barrier"].notna().sum()) > MANY_DOTS
    for column, split in enumerate(splits):
        for row, path in enumerate(paths):
            here = _select(frame, path, split), _select(summary, path, split)
            _draw_barriers(panels[row][column], *here, x, looks, dots_as_picture)
        _draw_ends(panels[-1][column], _select(frame, paths[0], split), x, looks)
    for panel_row in panels:
        from_zero(panel_row)
    top_legend(figure, _legend(looks, interval_label if summary["low"].notna().any() else None), width)
    return figure


def _draw_barriers(
    axes: Axes, dots: pd.DataFrame, means: pd.DataFrame, x: str, looks: Mapping[str, Look], dots_as_picture: bool
) -> None:
    if not dots["barrier"].notna().any():
        say_empty(axes)
    for model, (color, marker) in looks.items():
        some = dots[dots["model"] == model]
        line = means[means["model"] == model].sort_values(x)
        axes.fill_between(line[x], line["low"], line["high"], color=color, alpha=0.11, linewidth=0)
        axes.plot(some[x], some["barrier"], "o", color=color, ms=2.6, mew=0, alpha=0.55, rasterized=dots_as_picture)
        axes.plot(line[x], line["mean"], marker=marker, ms=3.6, mew=0, color=color, linewidth=1.4)


def _draw_ends(axes: Axes, frame: pd.DataFrame, x: str, looks: Mapping[str, Look]) -> None:
    for model, (color, marker) in looks.items():
        mean = frame[frame["model"] == model].groupby(x)["ends_loss"].mean()
        axes.plot(mean.index, mean, marker=marker, ms=3, mew=0, color=color, linewidth=1.2)


def from_zero(row: list[Axes]) -> None:
    """Barriers and losses are not negative: the axis begins a little below 0, whatever an interval does."""
    for axes in row:
        top = max(axes.get_ylim()[1], 1e-3)
        axes.set_ylim(-0.04 * top, top)


def _legend(looks: Mapping[str, Look], interval_label: str | None) -> list[Line2D | Patch]:
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=color, marker=marker, ms=4, mew=0, label=model) for model, (color, marker) in looks.items()
    ]
    handles.append(Line2D([], [], color=MUTED, marker="o", ms=2.6, mew=0, linestyle="none", label="one graph"))
    if interval_label is not None:
        handles.append(Patch(color=MUTED, alpha=0.25, linewidth=0, label=interval_label))
    return handles


def _select(frame: pd.DataFrame, path: str, split: str) -> pd.DataFrame:
    return frame[(frame["path"] == path) & (frame["split"] == split)]


def _means(frame: pd.DataFrame, x: str) -> pd.DataFrame:
    means = frame.groupby(["path", "split", "model", x])["barrier"].mean().rename("mean").reset_index()
    return means.assign(low=float("nan"), high=float("nan"))
