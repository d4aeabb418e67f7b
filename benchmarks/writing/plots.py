"""Plots of how the time grows, as SVG files that follow the reader's color scheme."""

import re
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from benchmarks.measure import BASELINE, OURS
from benchmarks.writing.tables import seconds
from gnnmc.draw.export import to_svg
from gnnmc.draw.palette import MODEL_COLORS, schemes
from gnnmc.draw.style import NARROW, new_figure, styled

LOOKS = {OURS: (MODEL_COLORS[0], "o"), BASELINE: (MODEL_COLORS[1], "s")}
HEIGHT = 2.6


@styled
def draw_scaling(letter: str, record: dict[str, Any]) -> Figure:
    """Time against one size, log on log, with the slopes in the legend; as wide as a phone."""
    figure = new_figure(NARROW, HEIGHT)
    axes = figure.subplots()
    for name in (BASELINE, OURS):
        color, marker = LOOKS[name]
        label = f"{name}, slope {record['slopes'][name]:.2f}"
        axes.plot(record["values"], record[name], color=color, marker=marker, markersize=4, label=label)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(record["values"], [f"{value:,}" for value in record["values"]])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: seconds(value)))
    low = min(min(record[name]) for name in LOOKS)
    high = max(max(record[name]) for name in LOOKS)
    axes.set_ylim(low / 1.6, high * 4)  # room for the legend
    axes.set_xlabel(f"{letter}: {record['what']}")
    axes.set_title("time of a call")
    axes.legend(loc="upper left")
    return figure


def svg(figure: Figure, name: str) -> str:
    """The figure as an SVG file of its own: its colors are those of a light page, or of a dark one where asked for."""
    text = to_svg(figure, name)
    known = {light.lower(): (variable, dark) for light, (variable, _, dark) in schemes().items()}
    used: dict[str, str] = {}

    def variable(found: "re.Match[str]") -> str:
        color = found.group(0).lower()
        if color not in known:
            return color
        used[color] = known[color][0]
        return f"var({known[color][0]}, {color})"

    head, body = text.split("<defs>", 1)
    body = re.sub(r"#[0-9a-fA-F]{6}\b", variable, body)
    light = " ".join(f"{name}: {color};" for color, name in used.items())
    dark = " ".join(f"{name}: {known[color][1]};" for color, name in used.items())
    style = f"<style>:root {{ {light} }} @media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}</style>\n "
    return head + style + "<defs>" + body
