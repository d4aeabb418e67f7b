"""Small multiples: a grid of panels on a wide page, the same panels one below another on a narrow one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from gnnmc.draw.style import STACKED_BELOW, new_figure

# Inches of a letter in a legend, a little more than the mean, so that what is counted to fit does.
_LETTER = 0.075
# The same of a letter of a title, and of the labels to the left of a panel.
_BOLD_LETTER = 0.088
_BESIDE = 0.6


@dataclass(frozen=True)
class Row:
    """One row of panels: its name for titles ("" when the label says all), its y-axis label, its height in inches."""

    name: str
    label: str
    height: float


def panel_grid(
    rows: Sequence[Row], columns: Sequence[str], x_label: str, width: float, share_y: bool
) -> tuple[Figure, list[list[Axes]]]:
    """A figure and its axes by [row][column]; all share x, those of a row share y when asked to.

    Below STACKED_BELOW inches the panels stand one below another, column by column, each under a title of its own.
    """
    stacked = width < STACKED_BELOW
    order = [(r, c) for c in range(len(columns)) for r in range(len(rows))]
    if stacked:
        heights = [rows[r].height + 0.28 for r, _ in order]
    else:
        heights = [row.height for row in rows]
    figure = new_figure(width, sum(heights) + 0.75)
    grid = figure.add_gridspec(len(heights), 1 if stacked else len(columns), height_ratios=heights)
    panels: dict[tuple[int, int], Axes] = {}
    for r, c in order:
        cell = grid[c * len(rows) + r, 0] if stacked else grid[r, c]
        same_row = panels.get((r, 0)) if share_y else None
        axes = figure.add_subplot(cell, sharex=panels.get((0, 0)), sharey=same_row)
        panels[r, c] = axes
        _label(axes, rows, columns, r, c, x_label, width, share_y)
    return figure, [[panels[r, c] for c in range(len(columns))] for r in range(len(rows))]


def top_legend(figure: Figure, handles: Sequence[Line2D | Patch], width: float) -> None:
    """One compact legend above all panels."""
    widths = [0.5 + len(str(handle.get_label())) * _LETTER for handle in handles]
    columns = next((n for n in range(len(handles), 1, -1) if _legend_width(widths, n) <= width), 1)
    # As many lines as that takes, and then evenly filled ones.
    columns = -(-len(handles) // -(-len(handles) // max(1, columns)))
    figure.legend(handles=list(handles), loc="outside upper left", ncols=max(1, columns))


def few_ticks(axes: Axes, count: int) -> None:
    """So many ticks at most on the x axis of a short panel, with no more digits than they need."""
    axes.xaxis.set_major_locator(MaxNLocator(count, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{round(value, 12):g}".replace("-", "−")))


def broken(name: str, longest: int) -> str:
    """A name in lines of so many letters at most, broken at spaces and behind signs that join words."""
    lines = []
    for line in name.split("\n"):
        lines.append("")
        for part in re.findall(r"[^\s_=,/-]+[\s_=,/-]*|[\s_=,/-]+", line):
            if lines[-1] and len((lines[-1] + part).rstrip()) > longest:
                lines.append("")
            lines[-1] += part
    return "\n".join(line.rstrip() for line in lines)


def _legend_width(widths: Sequence[float], columns: int) -> float:
    """Inches of a legend that matplotlib fills column by column, the first ones with one more where it is uneven."""
    whole, more = divmod(len(widths), columns)
    total, start = 0.0, 0
    for column in range(columns):
        count = whole + (column < more)
        total += max(widths[start : start + count])
        start += count
    return total


def _label(
    axes: Axes, rows: Sequence[Row], columns: Sequence[str], r: int, c: int, x_label: str, width: float, share_y: bool
) -> None:
    row, last = rows[r], r == len(rows) - 1
    longest = int(row.height / _LETTER)
    label = broken(row.label, longest)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    if width < STACKED_BELOW:
        title = ", ".join(part for part in (columns[c], row.name) if part)
        axes.set_title(broken(title, int((width - _BESIDE) / _BOLD_LETTER)))
        axes.set_ylabel(label)
    else:
        if r == 0:
            axes.set_title(columns[c])
        if c == 0:
            axes.set_ylabel("\n".join(part for part in (broken(row.name, longest), label) if part))
        elif share_y:
            axes.tick_params(labelleft=False)
    if last:
        axes.set_xlabel(x_label)
    else:
        axes.tick_params(labelbottom=False)
