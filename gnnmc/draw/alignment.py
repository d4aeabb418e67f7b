"""Barriers as trained and after alignment, against anything: homophily, width, depth."""

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
from gnnmc.draw.looks import MARKERS, Look, model_looks
from gnnmc.draw.palette import MUTED, ordered_colors
from gnnmc.draw.panels import Row, panel_grid, top_legend
from gnnmc.draw.style import WIDE, say_empty, styled

# Behind the name of an alignment whose line is shown with REPAIR.
REPAIRED = " + repair"
_BROKEN: Any = (0, (3, 1.4))


class AlignmentLook(NamedTuple):
    """A color and a marker for each alignment; the same with REPAIR is a broken line with open marks."""

    color: str
    marker: str
    repaired: bool

    def marks(self, size: float) -> dict[str, Any]:
        """Keywords of `plot` for its marks."""
        common = {"marker": self.marker, "ms": size, "color": self.color}
        return common | ({"mfc": "none", "mew": 1.0} if self.repaired else {"mew": 0})


def alignment_looks(names: Sequence[str]) -> dict[str, AlignmentLook]:
    """name → look, in the order of the page, from the line as trained on; beyond five the marks tell them apart."""
    bases = list(dict.fromkeys(name.removesuffix(REPAIRED) for name in names))
    colors = ordered_colors(len(bases))
    return {
        name: AlignmentLook(
            colors[bases.index(base)], MARKERS[bases.index(base) % len(MARKERS)], name.endswith(REPAIRED)
        )
        for name in names
        for base in [name.removesuffix(REPAIRED)]
    }


@styled
def draw_alignment(
    frame: pd.DataFrame,
    *,
    x: str = "x",
    x_label: str = "edge homophily",
    rows: str = "model",
    summary: pd.DataFrame | None = None,
    doubling: bool = False,
    barrier_label: str = "barrier (nats)",
    ends_label: str = "ends' mean\nloss (nats)",
    interval_label: str = "interval over graphs",
    alignments: Sequence[str] = (),
    models: Sequence[str] = (),
    width: float = WIDE,
) -> Figure:
    """A row per value of `rows` and a column per split; a line per alignment through the means, a dot per graph.

    The last row is the mean loss of the ends on the same split, which alignment does not change: a line per value of
    `rows`. `doubling`: x on a scale of powers of two. Without `summary` the lines go through the means of `frame`.

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
    given = [*alignments, *(name for name in frame["aligned"].unique() if name not in alignments)]
    looks = {name: look for name, look in alignment_looks(given).items() if name in set(frame["aligned"])}
    of_rows = model_looks([*models, *(name for name in shown if name not in models)])
    heights = [Row(str(name), barrier_label, 1.5) for name in shown] + [Row("", ends_label, 1.15)]
    figure, panels = panel_grid(heights, [f"{split} split" for split in splits], x_label, width, share_y=True)
    picture = int(frame["barrier"].notna().sum()) > MANY_DOTS
    for column, split in enumerate(splits):
        for row, name in enumerate(shown):
            here, means = ((some[(some[rows] == name) & (some["split"] == split)]) for some in (frame, summary))
            _draw_lines(panels[row][column], here, means, x, looks, picture)
        _draw_ends(panels[-1][column], frame[frame["split"] == split], x, rows, {n: of_rows[n] for n in shown})
    for panel_row in panels:
        from_zero(panel_row)
        for axes in panel_row if doubling else ():
            values = sorted(frame[x].unique())
            axes.set_xscale("log", base=2)
            axes.set_xticks(values, [f"{value:g}" for value in values])
            axes.xaxis.set_minor_locator(NullLocator())
    handles = _legend(looks, interval_label if summary["low"].notna().any() else None)
    if len(shown) > 1:
        handles += [
            Line2D([], [], color=of_rows[name].color, marker=of_rows[name].marker, ms=3, mew=0, label=f"ends: {name}")
            for name in shown
        ]
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
        axes.plot(
            line[x], line["mean"], linewidth=1.4, linestyle=_BROKEN if look.repaired else "-", **look.marks(3.6)
        )


def _draw_ends(axes: Axes, frame: pd.DataFrame, x: str, rows: str, looks: Mapping[str, Look]) -> None:
    for name, (color, marker) in looks.items():
        mean = frame[frame[rows] == name].groupby(x)["ends_loss"].mean()
        color = color if len(looks) > 1 else MUTED
        axes.plot(mean.index, mean, marker=marker, ms=3, mew=0, color=color, linewidth=1.2)


def _legend(looks: Mapping[str, AlignmentLook], interval_label: str | None) -> list[Line2D | Patch]:
    handles: list[Line2D | Patch] = [
        Line2D([], [], linestyle=_BROKEN if look.repaired else "-", label=name, **look.marks(4))
        for name, look in looks.items()
    ]
    handles.append(Line2D([], [], color=MUTED, marker="o", ms=2.6, mew=0, linestyle="none", label="one graph"))
    if interval_label is not None:
        handles.append(Patch(color=MUTED, alpha=0.25, linewidth=0, label=interval_label))
    return handles

