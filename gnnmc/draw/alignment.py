"""Barriers as trained and after alignment, against anything: homophily, width, depth."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import NullLocator

from gnnmc.draw.barrier_sweep import MANY_DOTS, from_zero
from gnnmc.draw.columns import check_columns, in_order
from gnnmc.draw.looks import MARKERS, WITH_REPAIR
from gnnmc.draw.palette import MUTED, alignment_colors
from gnnmc.draw.panels import Row, panel_grid, top_legend
from gnnmc.draw.profile import T_LABEL
from gnnmc.draw.style import WIDE, say_empty, styled

# Of the first alignment of a page and of the last.
_LARGEST, _SMALLEST = 1.9, 0.75


class AlignmentLook(NamedTuple):
    """A color and a marker for each alignment; the same with REPAIR is a broken line with open marks.

    size: of lines and marks, the larger the earlier they are drawn, so that one on top of another leaves both in sight.
    """

    color: str
    marker: str
    repaired: bool
    size: float = 1.0

    @property
    def width(self) -> float:
        """Of its lines, in points."""
        return 1.4 * self.size

    @property
    def line(self) -> Any:
        """The style of its lines."""
        return (0, (3, 1.4)) if self.repaired else "-"

    def marks(self, size: float) -> dict[str, Any]:
        """Keywords of `plot` for its marks of this size, in points."""
        common = {"marker": self.marker, "ms": size, "color": self.color}
        return common | ({"mfc": "none", "mew": 1.0} if self.repaired else {"mew": 0})


def alignment_looks(names: Sequence[str]) -> dict[str, AlignmentLook]:
    """name → look, in the order of the page, from the line as trained on; beyond eight they repeat."""
    bases = list(dict.fromkeys(name.removesuffix(WITH_REPAIR) for name in names))
    colors = alignment_colors(len(bases))
    places = {name: bases.index(name.removesuffix(WITH_REPAIR)) for name in names}
    sizes = {name: _LARGEST - (_LARGEST - _SMALLEST) * i / max(1, len(names) - 1) for i, name in enumerate(names)}
    return {
        name: AlignmentLook(colors[place], MARKERS[place % len(MARKERS)], name.endswith(WITH_REPAIR), sizes[name])
        for name, place in places.items()
    }


def looks_in(frame: pd.DataFrame, alignments: Sequence[str]) -> dict[str, AlignmentLook]:
    """The alignments of a frame with their looks. alignments: all those of the page."""
    given = [*alignments, *(name for name in frame["aligned"].unique() if name not in alignments)]
    return {name: look for name, look in alignment_looks(given).items() if name in set(frame["aligned"])}


@styled
def draw_alignment(
    frame: pd.DataFrame,
    *,
    x: str = "x",
    x_label: str = "edge homophily",
    rows: str = "model",
    summary: pd.DataFrame | None = None,
    at_values: bool = False,
    barrier_label: str = "barrier (nats)",
    ends_label: str = "ends' mean\nloss (nats)",
    interval_label: str = "interval over graphs",
    alignments: Sequence[str] = (),
    models: Sequence[str] = (),
    width: float = WIDE,
) -> Figure:
    """A row per value of `rows` and a column per split; a line per alignment through the means, a dot per graph.

    The last row is the mean loss of the ends on the same split, which alignment does not change: a line per value of
    `rows`. `at_values`: ticks where there are values of x, and a scale of powers of two if they double. Without
    `summary` the lines go through the means of `frame`.

    Shapes: `frame` one row per (`rows`, split, aligned, x, graph): `barrier` (mean over pairs, nats per labeled item),
    `ends_loss` (nats); `summary` one row per (`rows`, split, aligned, x): `mean, low, high` (NaN where there is no
    interval). `alignments`: all those of the page in their order; `models`: all the values of `rows` of the page;
    `width` in inches.

    Raises InputError for a missing column.
    """
    check_columns(frame, [rows, "split", "aligned", x, "barrier", "ends_loss"], "alignment")
    if summary is None:
        keys = [rows, "split", "aligned", x]
        means = frame.groupby(keys, sort=False)["barrier"].mean().rename("mean").reset_index()
        summary = means.assign(low=float("nan"), high=float("nan"))
    check_columns(summary, [rows, "split", "aligned", x, "mean", "low", "high"], "summary of alignment")
    shown, splits = in_order(frame, rows), in_order(frame, "split")
    shown = [name for name in models if name in shown] + [name for name in shown if name not in models]
    looks = looks_in(frame, alignments)
    every = [*models, *(name for name in shown if name not in models)]
    marks = {name: MARKERS[every.index(name) % len(MARKERS)] for name in shown}
    heights = [Row(str(name), barrier_label, 1.5) for name in shown] + [Row("", ends_label, 1.15)]
    figure, panels = panel_grid(heights, [f"{split} split" for split in splits], x_label, width, share_y=True)
    picture = int(frame["barrier"].notna().sum()) > MANY_DOTS
    for column, split in enumerate(splits):
        for row, name in enumerate(shown):
            here, means = ((some[(some[rows] == name) & (some["split"] == split)]) for some in (frame, summary))
            _draw_lines(panels[row][column], here, means, x, looks, picture)
        _draw_ends(panels[-1][column], frame[frame["split"] == split], x, rows, marks)
    for panel_row in panels:
        from_zero(panel_row)
        for axes in panel_row if at_values else ():
            _tick(axes, sorted(frame[x].unique()))
    handles = _legend(looks, interval_label if summary["low"].notna().any() else None)
    if len(shown) > 1:
        handles += [Line2D([], [], label=f"ends' loss: {name}", **_ends_look(marks[name])) for name in shown]
    top_legend(figure, handles, width)
    return figure


def _draw_lines(
    axes: Axes, dots: pd.DataFrame, means: pd.DataFrame, x: str, looks: Mapping[str, AlignmentLook], picture: bool
) -> None:
    if not dots["barrier"].notna().any():
        say_empty(axes)
    for name, look in looks.items():
        some, line = dots[dots["aligned"] == name], means[means["aligned"] == name].sort_values(x)
        axes.fill_between(line[x], line["low"], line["high"], color=look.color, alpha=0.1, linewidth=0)
        axes.plot(some[x], some["barrier"], "o", color=look.color, ms=2, mew=0, alpha=0.4, rasterized=picture)
        axes.plot(line[x], line["mean"], linewidth=look.width, linestyle=look.line, **look.marks(3.4 * look.size))


def _draw_ends(axes: Axes, frame: pd.DataFrame, x: str, rows: str, marks: Mapping[str, str]) -> None:
    for name, marker in marks.items():
        mean = frame[frame[rows] == name].groupby(x)["ends_loss"].mean()
        axes.plot(mean.index, mean, **_ends_look(marker))


def _ends_look(marker: str) -> dict[str, Any]:
    # No color of its own: colors are alignments here.
    return {"marker": marker, "ms": 3.4, "mew": 0, "color": MUTED, "linewidth": 0.9}


def _tick(axes: Axes, values: Sequence[float]) -> None:
    """Ticks at the values alone, evenly spaced where each is twice the one before."""
    if len(values) > 1 and all(high == 2 * low for low, high in itertools.pairwise(values)):
        axes.set_xscale("log", base=2)
        axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(values, [f"{value:g}" for value in values])


def _few(count: int, place: int) -> slice:
    """Marks at every fourth or so of the points of a line, other ones for each alignment."""
    step = max(1, count // 6)
    return slice(place % step, None, step)


def _legend(looks: Mapping[str, AlignmentLook], interval_label: str | None) -> list[Line2D | Patch]:
    handles: list[Line2D | Patch] = [
        Line2D([], [], linewidth=look.width, linestyle=look.line, label=name, **look.marks(3.4 * look.size))
        for name, look in looks.items()
    ]
    handles.append(Line2D([], [], color=MUTED, marker="o", ms=2.6, mew=0, linestyle="none", label="one graph"))
    if interval_label is not None:
        handles.append(Patch(color=MUTED, alpha=0.25, linewidth=0, label=interval_label))
    return handles


@styled
def draw_aligned_profiles(
    frame: pd.DataFrame,
    *,
    value_label: str = "loss (nats)",
    alignments: Sequence[str] = (),
    width: float = WIDE,
) -> Figure:
    """Loss along the line: a row per value of `row`, a column per split, a color per alignment.

    Shapes: one row per (row, split, aligned, t): `loss` (mean over pairs). `alignments`: all those of the page in their
    order; `width` in inches.

    Raises InputError for a missing column.
    """
    check_columns(frame, ["row", "split", "aligned", "t", "loss"], "profiles of alignments")
    shown, splits = in_order(frame, "row"), in_order(frame, "split")
    looks = looks_in(frame, alignments)
    heights = [Row(str(name), value_label, 1.5) for name in shown]
    figure, panels = panel_grid(heights, [f"{split} split" for split in splits], T_LABEL, width, share_y=True)
    for (row, split, name), some in frame.sort_values("t").groupby(["row", "split", "aligned"], sort=False):
        axes, look = panels[shown.index(row)][splits.index(split)], looks[str(name)]
        marks = {"markevery": _few(len(some), list(looks).index(str(name))), **look.marks(2.6 * look.size)}
        axes.plot(some["t"], some["loss"], linestyle=look.line, linewidth=look.width, **marks)
    handles = [
        Line2D([], [], linewidth=look.width, linestyle=look.line, label=name, **look.marks(2.6 * look.size))
        for name, look in looks.items()
    ]
    top_legend(figure, handles, width)
    return figure
