"""Barriers of real graphs, one line per graph, with the loss of the ends beside each."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation

from gnnmc.draw.columns import check_columns, in_order
from gnnmc.draw.looks import Look, looks_of
from gnnmc.draw.palette import BAND, INK, MUTED
from gnnmc.draw.panels import few_ticks, top_legend
from gnnmc.draw.style import STACKED_BELOW, WIDE, new_figure, say_empty, styled

_ROW = 0.24
# No axis of a barrier or loss is shorter, in nats: what differs by less does not differ for a reader.
LEAST_SPAN = 0.01


@styled
def draw_real_graphs(
    frame: pd.DataFrame,
    *,
    order: str = "homophily_edge",
    order_label: str = "homophily",
    barrier_label: str = "barrier (nats)",
    ends_label: str = "ends' loss",
    models: Sequence[str] = (),
    width: float = WIDE,
) -> Figure:
    """A horizontal dot plot: graphs from high to low homophily, a mark per model, one row of panels per path.

    Beside the barrier on a split stands the mean loss of the ends on the same split.

    Shapes: one row per (graph, model, path, split): `barrier` (mean over pairs), `ends_loss` (nats per labeled node),
    the column `order` (one value per graph), and where there is an interval `low, high`; `models`: all
    those of the page (`looks_of`); `width` in inches.

    Raises InputError for a missing column.
    """
    check_columns(frame, ["graph", "model", "path", "split", "barrier", "ends_loss", order], "real_graphs")
    paths, splits, looks = in_order(frame, "path"), in_order(frame, "split"), looks_of(frame, models)
    values = frame.groupby("graph", sort=False)[order].first().sort_values(ascending=True, kind="stable")
    graphs = [str(graph) for graph in values.index]
    labels = [f"{graph}  {value:.2f}" for graph, value in values.items()]
    stacked = width < STACKED_BELOW
    blocks = [[(path, split) for split in splits] for path in paths]
    if stacked:
        blocks = [[(path, split)] for path in paths for split in splits]
    across = len(blocks[0])
    panel_height = _ROW * len(graphs) + 0.75
    figure = new_figure(width, panel_height * len(blocks) + 0.5)
    grid = figure.add_gridspec(len(blocks), 2 * across, width_ratios=[1.35, 0.9] * across)
    for r, block in enumerate(blocks):
        for c, (path, split) in enumerate(block):
            here = frame[(frame["path"] == path) & (frame["split"] == split)]
            barrier = figure.add_subplot(grid[r, 2 * c])
            ends = figure.add_subplot(grid[r, 2 * c + 1])
            _draw_dots(barrier, here, "barrier", graphs, looks)
            _draw_dots(ends, here, "ends_loss", graphs, looks)
            barrier.set_title(f"{split} split, {path}" if stacked else f"{split}, {path}")
            barrier.set_xlabel(barrier_label)
            ends.set_xlabel(ends_label)
            barrier.set_yticks(range(len(graphs)), labels if c == 0 else [])
            ends.set_yticks(range(len(graphs)), [])
            if c == 0:
                _say_order(barrier, order_label)
    top_legend(
        figure,
        [
            Line2D([], [], color=color, marker=marker, ms=5, mew=0, linestyle="none", label=model)
            for model, (color, marker) in looks.items()
        ],
        width,
    )
    return figure


def _draw_dots(axes: Axes, frame: pd.DataFrame, value: str, graphs: Sequence[str], looks: Mapping[str, Look]) -> None:
    for row in range(0, len(graphs), 2):
        axes.axhspan(row - 0.5, row + 0.5, color=BAND, linewidth=0, zorder=0)
    for number, (model, (color, marker)) in enumerate(looks.items()):
        some = frame[frame["model"] == model]
        # Models of one graph stand a little apart, always in the same order: none hides another.
        shift = 0.16 * ((len(looks) - 1) / 2 - number)
        y = [graphs.index(str(graph)) + shift for graph in some["graph"]]
        if value == "barrier" and {"low", "high"} <= set(some.columns):
            axes.hlines(y, some["low"], some["high"], color=color, linewidth=1, alpha=0.7)
        axes.plot(some[value], y, marker, color=color, ms=4, mew=0)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    axes.set_ylim(-0.5, len(graphs) - 0.5)
    reaching = [value, "high"] if value == "barrier" and "high" in frame.columns else [value]
    top = 1.07 * max(float(np.nanmax(frame[reaching], initial=0.0)), LEAST_SPAN)
    axes.set_xlim(-0.06 * top, top)
    few_ticks(axes, 3)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.spines["left"].set_visible(False)
    if not frame[value].notna().any():
        say_empty(axes)


def _say_order(axes: Axes, order_label: str) -> None:
    """What the number behind a graph's name is, above the names."""
    offset = ScaledTranslation(-6 / 72, 3 / 72, axes.figure.dpi_scale_trans)
    axes.text(0, 1, order_label, transform=axes.transAxes + offset, ha="right", va="bottom", color=MUTED, fontsize=8)
