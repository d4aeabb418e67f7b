"""Which statistics of the graph go with the barrier: a table of correlations as a heat map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from gnnmc.draw.columns import check_columns, in_order
from gnnmc.draw.palette import INK, MISSING, MUTED, diverging_color
from gnnmc.draw.style import STACKED_BELOW, WIDE, styled
from gnnmc.errors import InputError

# In inches, the unit of the axes: a table of cells is laid out by hand, since every cell must hold its number.
_KEY = 0.5
_KIND = 0.3
_HEAD = 0.52
_GAP = 0.16
_BELOW = 0.12
_WIDEST_CELL = 0.57
_ROOM_FOR_INTERVAL = 0.42
_SMALL_TITLE = 8.2


@styled
def draw_association(
    frame: pd.DataFrame,
    *,
    words: Mapping[str, str] | None = None,
    alpha: float = 0.05,
    label: str = "rank correlation with the barrier",
    width: float = WIDE,
) -> Figure:
    """A cell per (statistic, model, path, split) with rho in it, framed where the Holm-corrected p is below `alpha`.

    Below rho stands its interval, where the frame has one and the cell has room. Gray with a dash where there is no
    number. A frame with several kinds of association (total, controlled) gets a block of panels for each. `words` says
    what a statistic is called; others are called by their names.

    Shapes: one row per cell: `statistic, model, path, split, rho, p_holm`, `ci_low, ci_high` where known and, with
    several kinds, `kind`: what `associate(…).frame()` gives for one regime and outcome; `width` in inches.

    Raises InputError for a missing column, and for more than one row per cell.
    """
    check_columns(frame, ["statistic", "model", "path", "split", "rho", "p_holm"], "association")
    if "kind" not in frame.columns:
        frame = frame.assign(kind="")
    if not {"ci_low", "ci_high"} <= set(frame.columns):
        frame = frame.assign(ci_low=np.nan, ci_high=np.nan)
    keys = frame[["kind", "path", "split", "statistic", "model"]].itertuples(index=False, name=None)
    values = frame[["rho", "p_holm", "ci_low", "ci_high"]].astype(float).itertuples(index=False, name=None)
    cells = dict(zip(keys, values))
    if len(cells) < len(frame):
        raise InputError("association: more than one row per (kind, statistic, model, path, split): choose the rows")
    names = in_order(frame, "statistic")
    kinds, paths, splits, models = (in_order(frame, name) for name in ("kind", "path", "split", "model"))
    intervals = bool(frame["ci_low"].notna().any())
    sizes = _sizes(names, words or {}, max(1, len(models)), paths, splits, width, intervals)
    block = _HEAD + sizes.row * len(names) + _BELOW
    height = _KEY + len(kinds) * ((_KIND if len(kinds) > 1 else 0) + len(sizes.lines) * block)
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    _draw_key(axes, sizes.margin if width >= STACKED_BELOW else 0.04, label, alpha)
    top = _KEY
    for kind in kinds:
        if len(kinds) > 1:
            axes.text(sizes.kind_left, top + 0.17, str(kind), va="center", fontsize=9.5, color=INK)
            axes.plot([sizes.kind_left, width - 0.04], [top + 0.03] * 2, color=MUTED, linewidth=0.6)
            top += _KIND
        for line in sizes.lines:
            _draw_statistics(axes, top, sizes)
            for number, (path, split) in enumerate(line):
                left = sizes.margin + number * sizes.pitch
                title = sizes.title(path, split)
                axes.text(left, top + 0.16, title, fontweight="bold", va="center", fontsize=sizes.title_font)
                _draw_panel(axes, (left, top), cells, (kind, path, split), (names, models), sizes, alpha)
            top += block
    return figure


@dataclass(frozen=True)
class _Sizes:
    """Where things go, in inches, and how large the words are, in points."""

    lines: list[list[tuple[str, str]]]
    wordings: list[str]
    margin: float
    kind_left: float
    cell: float
    pitch: float
    row: float
    title_font: float
    statistic_font: float
    number_font: float
    bold: bool
    intervals: bool

    def title(self, path: str, split: str) -> str:
        return f"{split} split, {path} path" if self.title_font > 8.5 else f"{split}, {path}"


def _sizes(
    names: Sequence[Any],
    words: Mapping[str, str],
    num_models: int,
    paths: list[str],
    splits: list[str],
    width: float,
    intervals: bool,
) -> _Sizes:
    wide = width >= STACKED_BELOW
    # A line of panels: all splits of a path where there is room, else as many as fit at a readable size.
    lines = [[(path, split) for split in splits] for path in paths]
    if not wide:
        lines = [[(path, split) for path in paths] for split in splits]
    font, longest = (8.5, 26) if wide else (7.5, 14)
    wordings = [_broken(words.get(str(name), str(name).replace("_", " ")), longest) for name in names]
    letters = max((len(part) for wording in wordings for part in wording.split("\n")), default=0)
    margin = 0.12 + letters * font * 0.58 / 72
    least = 0.28

    def widest(across: int) -> float:
        return (width - margin - _GAP * (across - 1) - 0.03) / (across * num_models)

    def pitch(across: int) -> float:
        """From one panel to the next: as far as its cells, and its title, go."""
        cells = num_models * min(_WIDEST_CELL, widest(across))
        titles = (len(f"{split}, {path}") for line in lines for path, split in line)
        return max(cells + _GAP, max(titles, default=0) * _SMALL_TITLE * 0.62 / 72 + _GAP / 2)

    across = max(len(line) for line in lines)
    while across > 1 and (widest(across) < least or margin + across * pitch(across) > width + _GAP):
        across -= 1
    lines = [line[i : i + across] for line in lines for i in range(0, len(line), across)]
    cell = min(_WIDEST_CELL, widest(across))
    return _Sizes(
        lines=lines,
        wordings=wordings,
        margin=margin,
        kind_left=margin if wide else 0.04,
        cell=cell,
        pitch=pitch(across),
        row=0.34 if intervals and cell >= _ROOM_FOR_INTERVAL else 0.235 if wide else 0.27,
        title_font=9 if cell * num_models > 1.7 else _SMALL_TITLE,
        statistic_font=font,
        number_font=7.6 if cell > 0.33 else 7.2 if cell >= least else max(4.0, 7.2 * cell / least),
        bold=cell > 0.33,
        intervals=intervals and cell >= _ROOM_FOR_INTERVAL,
    )


def _draw_statistics(axes: Axes, top: float, sizes: _Sizes) -> None:
    for i, wording in enumerate(sizes.wordings):
        y = top + _HEAD + sizes.row * (i + 0.5)
        axes.text(
            sizes.margin - 0.08, y, wording, ha="right", va="center", fontsize=sizes.statistic_font, linespacing=0.95
        )


def _draw_panel(
    axes: Axes,
    corner: tuple[float, float],
    cells: Mapping[tuple[Any, ...], tuple[float, ...]],
    where: tuple[str, str, str],
    names_models: tuple[list[Any], list[Any]],
    sizes: _Sizes,
    alpha: float,
) -> None:
    left, top = corner
    for m, model in enumerate(names_models[1]):
        x = left + m * sizes.cell
        size = min(7.6, 0.95 * sizes.cell * 72 / (0.62 * max(4, len(str(model)))))
        axes.text(x + sizes.cell / 2, top + 0.38, model, ha="center", va="center", color=MUTED, fontsize=size)
        for i, name in enumerate(names_models[0]):
            rho, p, low, high = cells.get((*where, name, model), (np.nan,) * 4)
            _draw_cell(axes, (x, top + _HEAD + sizes.row * i), rho, (low, high), p < alpha, sizes)


def _draw_cell(
    axes: Axes, corner: tuple[float, float], rho: float, interval: tuple[float, float], found: bool, sizes: _Sizes
) -> None:
    pad = 0.012
    x, y, width, height = corner[0] + pad, corner[1] + pad, sizes.cell - 2 * pad, sizes.row - 2 * pad
    color, ink = (MISSING, MUTED) if np.isnan(rho) else diverging_color(rho)
    edge: dict[str, Any] = {"edgecolor": INK, "linewidth": 1.3} if found else {"linewidth": 0}
    axes.add_patch(Rectangle((x, y), width, height, facecolor=color, **edge))
    known = sizes.intervals and not np.isnan(interval[0])
    if known:
        told = " to ".join(_two_decimals(bound) for bound in interval)
        size = min(5.2, 72 * width / (0.6 * len(told)))
        axes.text(x + width / 2, y + 0.73 * height, told, ha="center", va="center_baseline", color=ink, fontsize=size)
    axes.text(
        x + width / 2,
        y + (0.35 if known else 0.5) * height,
        "—" if np.isnan(rho) else _two_decimals(rho),
        ha="center",
        va="center_baseline",
        color=ink,
        fontsize=sizes.number_font,
        fontweight="bold" if found and sizes.bold else "normal",
    )


def _draw_key(axes: Axes, left: float, label: str, alpha: float) -> None:
    step, height, top = 0.11, 0.13, 0.06
    for i, value in enumerate(np.linspace(-1, 1, 11)):
        color = diverging_color(float(value))[0]
        axes.add_patch(Rectangle((left + 0.2 + i * step, top), step, height, facecolor=color, linewidth=0))
    middle = top + height / 2
    axes.text(left, middle, "−1", va="center", color=MUTED, fontsize=8)
    axes.text(left + 0.26 + 11 * step, middle, "1", va="center", color=MUTED, fontsize=8)
    axes.text(left + 0.45 + 11 * step, middle, label, va="center", fontsize=8)
    axes.add_patch(Rectangle((left + 0.2, top + 0.2), 2 * step, height, fill=False, edgecolor=INK, linewidth=1.3))
    note = f"p < {alpha:g} after Holm's correction; gray: no number"
    axes.text(left + 0.28 + 2 * step, middle + 0.2, note.replace("0.", ".", 1), va="center", fontsize=8)


def _two_decimals(rho: float) -> str:
    return f"{rho:.2f}".replace("-0.00", "0.00").replace("-", "−").replace("0.", ".", 1)


def _broken(words: str, longest: int) -> str:
    """Words in two lines where they are too long for one."""
    if len(words) <= longest or " " not in words:
        return words
    spaces = [i for i, letter in enumerate(words) if letter == " "]
    middle = min(spaces, key=lambda i: abs(i - len(words) / 2))
    return f"{words[:middle]}\n{words[middle + 1 :]}"
