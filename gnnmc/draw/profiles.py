"""Loss along the line against loss along the fitted curve."""

from collections.abc import Sequence
from typing import Any, cast

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gnnmc.draw.columns import check_columns, in_order
from gnnmc.draw.looks import looks_of
from gnnmc.draw.palette import INK, ordered_colors
from gnnmc.draw.panels import Row, panel_grid, top_legend
from gnnmc.draw.profile import T_LABEL
from gnnmc.draw.style import WIDE, styled
from gnnmc.errors import InputError

# Solid for the first kind of path (the line), broken ones for the others.
_STYLES: list[Any] = ["-", (0, (3, 1.4)), (0, (1, 1.2)), (0, (5, 1.2, 1, 1.2))]


@styled
def draw_profiles(
    frame: pd.DataFrame,
    *,
    rows: str = "x",
    x: str = "x",
    x_label: str = "homophily",
    value: str = "loss",
    value_label: str = "loss (nats)",
    share_y: bool = True,
    models: Sequence[str] = (),
    width: float = WIDE,
) -> Figure:
    """One column per split; solid for the line, broken for the curve.

    Where more models than there are colors are shown, their lines have marks too.

    `rows="x"`: a row per value of the statistic, a color per model; `rows="model"`: the other way round.

    Shapes: one row per (model, path, split, x, t): `value` (mean over pairs and graphs), and where there is an interval
    `low, high`. `x` names the column of the statistic; `models`: all those of the page (`looks_of`); `width` in inches.

    Raises InputError for a missing column and any other `rows`.
    """
    if rows not in ("x", "model"):
        raise InputError(f"rows={rows!r} is unknown: allowed: x, model")
    check_columns(frame, ["model", "path", "split", x, "t", value], "profiles")
    across, within = (x, "model") if rows == "x" else ("model", x)
    paths, splits, panels_of, lines_of = (in_order(frame, name) for name in ("path", "split", across, within))
    names = [f"{x_label} {v:.3g}" if rows == "x" and isinstance(v, float) else str(v) for v in panels_of]
    titles = [f"{split} split" for split in splits]
    looks = looks_of(frame, models) if within == "model" else {}
    lines_of = list(looks) or lines_of
    colors = {model: look.color for model, look in looks.items()} or dict(zip(lines_of, ordered_colors(len(lines_of))))
    crowded = len(set(colors.values())) < len(looks)
    marks: dict[str, dict[str, Any]] = {
        model: {"marker": look.marker, "ms": 3.6, "mew": 0} for model, look in looks.items() if crowded
    }
    figure, panels = panel_grid([Row(name, value_label, 1.55) for name in names], titles, T_LABEL, width, share_y)
    keys = ["split", across, within, "path"]
    for key, some in frame.sort_values("t").groupby(keys, sort=False):
        split, panel, line, path = cast(tuple[Any, ...], key)
        axes = panels[panels_of.index(panel)][splits.index(split)]
        if {"low", "high"} <= set(some.columns):
            axes.fill_between(some["t"], some["low"], some["high"], color=colors[line], alpha=0.1, linewidth=0)
        style = _STYLES[paths.index(path) % len(_STYLES)]
        few: dict[str, Any] = {"markevery": max(1, len(some) // 6)} if marks else {}
        axes.plot(some["t"], some[value], color=colors[line], linestyle=style, **marks.get(line, {}), **few)
    for axes in (axes for row in panels for axes in row):
        axes.margins(x=0.02)
    handles = []
    for line in lines_of:
        label = f"{x_label} {line:.3g}" if within == x and isinstance(line, float) else str(line)
        handles.append(Line2D([], [], color=colors[line], label=label, **marks.get(line, {})))
    handles += [
        Line2D([], [], color=INK, linestyle=_STYLES[i % len(_STYLES)], label=str(path)) for i, path in enumerate(paths)
    ]
    top_legend(figure, handles, width)
    return figure
