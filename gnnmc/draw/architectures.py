"""Graph networks beside others: barriers of every model on every problem, and how good the ends are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
from gnnmc.draw.scatter import LEAST_SPAN
from gnnmc.draw.style import STACKED_BELOW, WIDE, new_figure, say_empty, styled
from gnnmc.errors import InputError

_ROW = 0.2
_HEAD = 0.26
# Letters of a problem's name that fit on a phone at full size.
_LONGEST = 40
_KINDS = ("graph", "features alone", "images", "text")


@dataclass(frozen=True)
class _Line:
    """One row of a panel: a model on a problem, or the problem's name above its models."""

    problem: str
    model: str | None
    words: str
    y: float


@styled
def draw_architectures(
    frame: pd.DataFrame,
    *,
    barrier_label: str = "barrier (nats)",
    ends_label: str = "ends' loss",
    accuracy_label: str = "ends' accuracy",
    interval_label: str = "interval over graphs",
    models: Sequence[str] = (),
    width: float = WIDE,
) -> Figure:
    """A row per model under the name of its problem: barriers, full marks on the first path and open ones on others.

    A pale line joins the paths of a model. Beside the barrier on a split stand the mean loss and the mean accuracy of
    the ends on the same split (of the first path, whose pairs are the most). Problems come by kind: graphs, the same
    features alone, images, text. Behind a model's name is its number of parameters.

    Shapes: one row per (problem, kind, model, path, split): `barrier` (mean over pairs, nats per labeled item),
    `ends_loss` (nats), `ends_accuracy` (in [0, 1]), `parameters`, and where there is an interval `low, high` of the
    barrier; `models`: all those of the page (`looks_of`); `width` in inches.

    Raises InputError for a missing column, and for more than one row per (problem, kind, model, path, split).
    """
    needed = ["problem", "kind", "model", "path", "split", "barrier", "ends_loss", "ends_accuracy", "parameters"]
    check_columns(frame, needed, "architectures")
    if frame.duplicated(needed[:5]).any():
        raise InputError("architectures: more than one row per (problem, kind, model, path, split): average the pairs")
    frame = frame.assign(problem=_problems(frame))
    paths, splits = in_order(frame, "path"), in_order(frame, "split")
    looks = looks_of(frame, models)
    lines = _lines(frame, list(looks))
    stacked = width < STACKED_BELOW
    tall = 0.55 + (lines[-1].y + 1) * _ROW if lines else 1.0
    figure = new_figure(width, tall * (len(splits) if stacked else 1) + 0.55)
    down, across = (len(splits), 1) if stacked else (1, max(1, len(splits)))
    columns = (("barrier", barrier_label), ("ends_loss", ends_label), ("ends_accuracy", accuracy_label))
    grid = figure.add_gridspec(max(1, down), 3 * across, width_ratios=[1.7, 0.8, 0.8] * across)
    for number, split in enumerate(splits):
        row, start = (number, 0) if stacked else (0, 3 * number)
        here = frame[frame["split"] == split]
        for place, (value, label) in enumerate(columns):
            axes = figure.add_subplot(grid[row, start + place])
            _draw_values(axes, here, value, lines, looks, paths)
            _say_value(axes, label, narrow=place > 0)
            if place == 0:
                axes.set_title(f"{split} split", pad=14)
                if start == 0:
                    _say_lines(axes, lines)
    top_legend(figure, _legend(looks, paths, interval_label if _has_interval(frame) else None), width)
    return figure


def _problems(frame: pd.DataFrame) -> pd.Series:
    """What a block of rows is called: the problem and its kind."""
    return frame["problem"].astype(str) + ", " + frame["kind"].astype(str)


def _lines(frame: pd.DataFrame, models: Sequence[str]) -> list[_Line]:
    lines, y = [], 0.0
    kinds = [kind for kind in _KINDS if kind in set(frame["kind"])] + [
        k for k in in_order(frame, "kind") if k not in _KINDS
    ]
    for kind in kinds:
        some = frame[frame["kind"] == kind]
        for problem in in_order(some, "problem"):
            block = some[some["problem"] == problem]
            lines.append(_Line(problem, None, problem, y))
            y += _HEAD / _ROW
            for model in (model for model in models if model in set(block["model"])):
                count = block.loc[block["model"] == model, "parameters"].iloc[0]
                lines.append(_Line(problem, model, f"{model}  {_count(count)}", y))
                y += 1
            y += 0.25
    return lines


def _draw_values(
    axes: Axes, frame: pd.DataFrame, value: str, lines: Sequence[_Line], looks: Mapping[str, Look], paths: Sequence[str]
) -> None:
    for line in lines:
        if line.model is None:
            axes.axhspan(line.y - 0.5, line.y + 0.5, color=BAND, linewidth=0, zorder=0)
            continue
        some = frame[(frame["problem"] == line.problem) & (frame["model"] == line.model)].set_index("path")
        color, marker = looks[line.model]
        drawn = [path for path in paths if path in some.index][: None if value == "barrier" else 1]
        if value == "barrier":
            axes.plot(some.loc[drawn, value], [line.y] * len(drawn), color=color, linewidth=0.9, alpha=0.45)
        # The first path last, so that it is on top.
        for path in reversed(drawn):
            first, row = path == paths[0], some.loc[path]
            if value == "barrier" and _has_interval(frame) and np.isfinite(row["barrier"]):
                axes.hlines(line.y, row["low"], row["high"], color=color, linewidth=2.6, alpha=0.3)
            look: dict[str, Any] = {"mew": 0} if first else {"mfc": "none", "mew": 1.1, "mec": color}
            axes.plot(row[value], line.y, marker, color=color, ms=5 if first else 4.4, **look)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_ylim((lines[-1].y if lines else 0) + 0.6, -0.6)
    reaching = [value, "high"] if value == "barrier" and _has_interval(frame) else [value]
    if value == "ends_accuracy":
        axes.set_xlim(-0.04, 1.06)
    else:
        top = 1.07 * max(float(np.nanmax(frame[reaching].to_numpy(float), initial=0.0)), LEAST_SPAN)
        least = (
            min(0.0, float(np.nanmin(frame[["barrier"]].to_numpy(float), initial=0.0))) if value == "barrier" else 0.0
        )
        axes.set_xlim(least - 0.06 * top, top)
    few_ticks(axes, 3 if value == "barrier" else 2)
    if not frame[value].notna().any():
        say_empty(axes)


def _say_value(axes: Axes, label: str, narrow: bool) -> None:
    """What a column of marks is; two short columns beside each other need their words in two lines."""
    axes.set_xlabel(label.replace(" ", "\n", 1) if narrow else label)


def _say_lines(axes: Axes, lines: Sequence[_Line]) -> None:
    """Names of models beside their rows, of problems on their bands: those may be as long as all panels are wide."""
    models = [line for line in lines if line.model is not None]
    axes.set_yticks([line.y for line in models], [line.words for line in models])
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.set_zorder(1)  # its words lie on the bands of the panels beside it
    for line in lines:
        if line.model is None:
            size = min(8.0, 8.0 * _LONGEST / max(1, len(line.words)))
            place = axes.get_yaxis_transform()
            text = axes.text(0.02, line.y, line.words, transform=place, va="center", fontweight="bold", fontsize=size)
            text.set_in_layout(False)
    offset = ScaledTranslation(-6 / 72, 5 / 72, axes.figure.dpi_scale_trans)
    words: dict[str, Any] = {"ha": "right", "va": "bottom", "color": MUTED, "fontsize": 8}
    axes.text(0, 1, "model,\nparameters", transform=axes.transAxes + offset, **words)


def _legend(looks: Mapping[str, Look], paths: Sequence[str], interval_label: str | None) -> list[Line2D]:
    handles = [
        Line2D([], [], color=color, marker=marker, ms=5, mew=0, linestyle="none", label=model)
        for model, (color, marker) in looks.items()
    ]
    for path in paths:
        look: dict[str, Any] = {"mew": 0} if path == paths[0] else {"mfc": "none", "mec": MUTED, "mew": 1.1}
        handles.append(Line2D([], [], color=MUTED, marker="o", ms=5, linestyle="none", label=f"{path} path", **look))
    if interval_label:
        handles.append(Line2D([], [], color=MUTED, alpha=0.4, linewidth=2.6, label=interval_label))
    return handles


def _has_interval(frame: pd.DataFrame) -> bool:
    return {"low", "high"} <= set(frame.columns) and bool(frame[["low", "high"]].notna().all(axis=1).any())


def _count(parameters: float) -> str:
    """A number of parameters in three letters or so: 980, 9.8k, 98k, 1.2M."""
    if not np.isfinite(parameters):
        return "—"
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if parameters >= 0.9995 * size:
            return f"{parameters / size:.2g}{unit}" if parameters < 99.5 * size else f"{parameters / size:.0f}{unit}"
    return f"{parameters:.0f}"
