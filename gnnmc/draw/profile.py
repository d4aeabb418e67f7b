"""One profile: a metric along a path."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gnnmc.draw.columns import check_columns
from gnnmc.draw.palette import split_colors
from gnnmc.draw.style import new_figure, styled
from gnnmc.registry import unknown_name

T_LABEL = "t (0: first mode, 1: second mode)"
_STYLES = {"train": "-", "val": (0, (4, 1.5)), "test": (0, (1, 1.2))}


def draw_profile(
    frame: pd.DataFrame,
    *,
    ax: Axes | None = None,
    metric: str = "loss",
    splits: Sequence[str] | None = None,
    units: Mapping[str, str] | None = None,
) -> Axes:
    """One line per split of `metric` against t, on `ax` or on a new figure (`.figure` of what is returned).

    units: metric → its unit, for the label (`PathProfile.units`).

    Shapes: the frame of `PathProfile.frame()`, one row per (t, split).

    Raises InputError for a missing column, and for a split that the frame has not.
    """
    check_columns(frame, ["t", "split", metric], "profile")
    axes = ax if ax is not None else _new_axes()
    chosen = list(splits if splits is not None else frame["split"].unique())
    for split in chosen:
        if split not in set(frame["split"]):
            raise unknown_name("split", split, map(str, frame["split"].unique()))
    colors = split_colors(chosen)
    for split in chosen:
        rows = frame[frame["split"] == split].sort_values("t")
        axes.plot(rows["t"], rows[metric], label=split, color=colors[split], linestyle=_STYLES.get(split, "-"))
    axes.set_xlabel(T_LABEL)
    unit = (units or {}).get(metric)
    axes.set_ylabel(f"{metric} ({unit})" if unit else metric)
    axes.legend(frameon=False)
    return axes


@styled
def draw_profile_figure(
    frame: pd.DataFrame,
    *,
    metric: str = "loss",
    splits: Sequence[str] | None = None,
    units: Mapping[str, str] | None = None,
    width: float = 5.0,
) -> Figure:
    """`draw_profile` as a figure of a report; `width` in inches. Shapes: the frame of `PathProfile.frame()`."""
    figure = new_figure(min(width, 5.0), 3.2)
    draw_profile(frame, ax=figure.add_subplot(), metric=metric, splits=splits, units=units)
    return figure


@styled
def _new_axes() -> Axes:
    return new_figure(5, 3.2).add_subplot()
