"""The plane through three points: contours of a metric, the points, and the path between them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.contour import QuadContourSet
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from gnnmc.draw.columns import check_columns, in_order
from gnnmc.draw.palette import INK, MISSING, SURFACE, sequential_colors
from gnnmc.draw.panels import top_legend
from gnnmc.draw.style import STACKED_BELOW, WIDE, new_figure, say_empty, styled

X_LABEL, Y_LABEL = "distance along the line between the modes", "distance from that line"
# Contours of one figure, about. More would not be told apart by their color.
_LEVELS = 9
# Points from a mode to the lower edge of its name below it, with some air.
_NAME_BELOW = 21.0
# Inches of a y axis that has no room for a second number.
_SHORT = 0.5
# Inches of a panel that is a figure of its own.
_WIDE_ALONE = 4.2


def draw_plane(
    frame: pd.DataFrame,
    *,
    ax: Axes | None = None,
    metric: str = "loss",
    split: str = "train",
    marks: pd.DataFrame | Sequence[Mapping[str, Any]] = (),
    path: ArrayLike = (),
    path_distance: float = 0.0,
    units: Mapping[str, str] | None = None,
    higher_is_better: bool = False,
) -> Axes:
    """Contours of `metric` on one split, on `ax` or on a new figure (`.figure` of what is returned).

    The better, the paler. Losses that span more than a factor of 10 get levels 1, 2, 5, 10 … Values that are not finite
    are gray. A straight line joins the first two marks; where the path is not in the plane the legend says how far off.

    Shapes: frame one row per (x, y, split) of a grid: `LossPlane.frame()`; marks `x, y, label`: `LossPlane.marks()`;
    path (K, 2). units: metric → its unit, for the label.

    Raises InputError for a missing column.
    """
    check_columns(frame, ["x", "y", "split", metric], "plane")
    line = np.asarray(path, dtype=float).reshape(-1, 2)
    options = (metric, split, pd.DataFrame(marks, columns=["x", "y", "label"]), line, path_distance)
    draw = _draw_one if ax is not None else styled(_draw_one)
    return draw(ax, frame, *options, _label(metric, units), higher_is_better)


@styled
def draw_plane_figure(
    frame: pd.DataFrame,
    *,
    metric: str = "loss",
    marks: pd.DataFrame | Sequence[Mapping[str, Any]] = (),
    path: ArrayLike = (),
    path_distance: float = 0.0,
    units: Mapping[str, str] | None = None,
    higher_is_better: bool = False,
    width: float = WIDE,
) -> Figure:
    """`draw_plane` for every split in the frame, side by side and with one scale, as a figure of a report.

    Shapes: as `draw_plane`; `width` in inches. Raises InputError for a missing column.
    """
    check_columns(frame, ["x", "y", "split", metric], "plane")
    splits = in_order(frame, "split")
    points = pd.DataFrame(marks, columns=["x", "y", "label"])
    levels = contour_levels(frame[metric], higher_is_better)
    stacked = width < STACKED_BELOW
    across = 1 if stacked else max(1, len(splits))
    wide = (width - (1.4 if stacked else 1.6)) / across
    tall = _height(frame, wide)
    figure = new_figure(width, (tall + 0.45) * len(splits) + 0.6 if stacked else tall + 1.1)
    panels = np.atleast_1d(np.array(figure.subplots(max(1, len(splits)) if stacked else 1, across))).reshape(-1)
    drawn, handles = None, []
    for number, (axes, split) in enumerate(zip(panels, splits)):
        some = frame[frame["split"] == split]
        drawn = _draw_contours(axes, some, metric, levels, higher_is_better) or drawn
        handles = _draw_points(
            axes, points, np.asarray(path, dtype=float).reshape(-1, 2), path_distance, names=number == 0
        )
        axes.set_title(f"{split} split")
        _make_room(axes, points, wide)
        if stacked or number == 0:
            axes.set_ylabel(Y_LABEL)
        else:
            axes.tick_params(labelleft=False)
    figure.supxlabel(X_LABEL, fontsize=8.5, color=INK)
    if drawn is not None:
        _draw_scale(figure.colorbar(drawn, ax=list(panels), aspect=30), _label(metric, units))
    if handles:
        top_legend(figure, handles, width)
    return figure


def contour_levels(values: ArrayLike, higher_is_better: bool = False) -> np.ndarray:
    """Levels between the smallest and the largest finite value, in ascending order; none where there is one value.

    Shapes: any → (L,). What is less-is-better, positive and spans more than a factor of 10 gets levels at 1, 2, 5 times
    powers of ten, at 1 and 3 or at powers alone where there would be too many; all else gets even steps.
    """
    array = np.asarray(values, dtype=float)
    array = array[np.isfinite(array)]
    if not len(array) or float(np.ptp(array)) <= 1e-9 * max(1.0, float(np.abs(array).max())):
        return np.empty(0)
    low, high = float(array.min()), float(array.max())
    if not higher_is_better and high > 0 and low >= 0 and high > 10 * low:
        # A minimum of almost nothing would take all levels: four decades below the top are enough.
        low = max(low, 1e-4 * high)
        decades = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
        for steps in ([1, 2, 5], [1, 3], [1]):
            levels = np.sort(np.outer(decades, steps).reshape(-1))
            levels = levels[(levels > low) & (levels < high)]
            if len(levels) <= _LEVELS:
                return levels
    levels = np.asarray(MaxNLocator(_LEVELS, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high))
    return levels[(levels > low) & (levels < high)]


def _draw_one(
    ax: Axes | None,
    frame: pd.DataFrame,
    metric: str,
    split: str,
    marks: pd.DataFrame,
    path: np.ndarray,
    path_distance: float,
    label: str,
    higher_is_better: bool,
) -> Axes:
    axes = ax if ax is not None else new_figure(5.4, _height(frame, _WIDE_ALONE) + 1.1).add_subplot()
    some = frame[frame["split"] == split]
    contours = _draw_contours(axes, some, metric, contour_levels(some[metric], higher_is_better), higher_is_better)
    handles = _draw_points(axes, marks, path, path_distance)
    if ax is None:
        _make_room(axes, marks, _WIDE_ALONE)
    axes.set(xlabel=X_LABEL, ylabel=Y_LABEL)
    axes.set_title(f"{split} split", loc="left")
    if contours is not None:
        _draw_scale(axes.figure.colorbar(contours, ax=axes), label)
    if handles:
        axes.legend(handles=handles, loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False)
    return axes


def _height(frame: pd.DataFrame, width: float) -> float:
    """Inches of a panel of this width whose units are the same in both directions, within reason."""
    extent_x, extent_y = (float(np.ptp(frame[name])) if len(frame) else 1.0 for name in ("x", "y"))
    return width * min(1.6, max(0.4, extent_y / (extent_x or 1.0)))


def _draw_contours(
    axes: Axes, frame: pd.DataFrame, metric: str, levels: np.ndarray, higher_is_better: bool
) -> QuadContourSet | None:
    axes.grid(visible=False)
    axes.set_aspect("equal")
    axes.tick_params(axis="y", length=3)
    table = frame.pivot(index="y", columns="x", values=metric).sort_index().sort_index(axis=1)
    values = np.ma.masked_invalid(table.to_numpy(dtype=float))
    axes.set_facecolor(MISSING)
    if not values.count():
        say_empty(axes)
        return None
    axes.set(xlim=(table.columns.min(), table.columns.max()), ylim=(table.index.min(), table.index.max()))
    if not len(levels):
        say_empty(axes, f"{metric} is {values.mean():.3g} everywhere")
        return None
    colors = sequential_colors(len(levels) + 1)
    colors = colors[::-1] if higher_is_better else colors
    contours = axes.contourf(table.columns, table.index, values, levels=levels, colors=colors, extend="both")
    contours.set_edgecolor("face")  # neighbors meet without a hairline between them
    contours.set_linewidth(0.3)
    return contours


def _draw_points(
    axes: Axes, marks: pd.DataFrame, path: np.ndarray, path_distance: float, names: bool = True
) -> list[Line2D]:
    """The lines and the three points, each on a pale edge, so that they stand out on any color."""
    handles = []
    if len(marks) >= 2:
        ends = marks.iloc[:2]
        axes.plot(ends["x"], ends["y"], color=SURFACE, linewidth=2.6, solid_capstyle="butt")
        (line,) = axes.plot(ends["x"], ends["y"], color=INK, linewidth=1.1, linestyle=(0, (4, 2)), label="line")
        handles.append(line)
    if len(path):
        off = path_distance > 1e-6 * float(np.linalg.norm(np.ptp(path, axis=0)))
        label = f"path, at most {path_distance:.2g} off the plane" if off else "path"
        axes.plot(path[:, 0], path[:, 1], color=SURFACE, linewidth=3.6)
        handles += axes.plot(path[:, 0], path[:, 1], color=INK, linewidth=1.7, label=label)
    axes.plot(marks["x"], marks["y"], "o", color=INK, ms=6, mew=1.2, mec=SURFACE)
    middle = marks[["x", "y"]].mean()
    for mark in marks.itertuples() if names else ():
        up = mark.y > middle["y"]
        away = np.sign(round(float(mark.x - middle["x"]) / (np.ptp(axes.get_xlim()) or 1), 1))
        axes.annotate(
            str(mark.label),
            (mark.x, mark.y),
            xytext=(-4 * away, 7 if up else -7),
            textcoords="offset points",
            ha={-1: "left", 0: "center", 1: "right"}[int(away)],
            va="bottom" if up else "top",
            fontsize=7.5,
            bbox={"boxstyle": "round,pad=0.2", "facecolor": SURFACE, "edgecolor": "none", "alpha": 0.85},
        )
    return handles


def _make_room(axes: Axes, marks: pd.DataFrame, wide: float) -> None:
    """Numbers of the x axis below the names of modes that stand near the lower edge, and few on a short y axis.

    wide: inches of the panel; units are the same in both directions.
    """
    low, high = axes.get_ylim()
    inches = wide / (float(np.ptp(axes.get_xlim())) or 1.0)
    if len(marks):
        axes.tick_params(axis="x", pad=max(3.5, _NAME_BELOW - 72 * inches * (marks["y"].min() - low)))
    if inches * (high - low) < _SHORT:
        axes.set_yticks([0.0] if low <= 0 <= high else [])


def _draw_scale(bar: Any, label: str) -> None:
    bar.set_label(label)
    bar.outline.set_visible(False)
    bar.ax.grid(visible=False)
    bar.ax.tick_params(length=0)
    bar.ax.minorticks_off()
    bar.set_ticks(bar.mappable.levels, labels=[f"{level:g}" for level in bar.mappable.levels])


def _label(metric: str, units: Mapping[str, str] | None) -> str:
    unit = (units or {}).get(metric)
    return f"{metric} ({unit})" if unit else metric
