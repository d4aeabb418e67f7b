"""A figure for the page: drawn for a wide and for a narrow screen, in colors that follow the page's scheme."""

import gc
import re
from dataclasses import dataclass
from pathlib import Path

from gnnmc.collector import held_back
from gnnmc.draw import drawing
from gnnmc.draw.export import to_pdf, to_png, to_svg
from gnnmc.draw.palette import schemes
from gnnmc.draw.style import NARROW, WIDE
from gnnmc.store import replace_file
from gnnmc.studies.pages import FigureView


@dataclass(frozen=True)
class DrawnFigure:
    """SVG text for wide and narrow screens, colors as CSS variables."""

    wide: str
    narrow: str


def draw_figure(view: FigureView, folder: Path) -> DrawnFigure:
    """Draw a figure, write it as `name.svg`, `.png` and `.pdf` into `folder`, and return it for the page."""
    with held_back():  # drawing sets it off again and again
        drawn = _draw(view, folder)
    gc.collect(0)  # the figure, whose parts know one another
    return drawn


def _draw(view: FigureView, folder: Path) -> DrawnFigure:
    draw = drawing(view.draw)
    wide = draw(view.frame, width=WIDE, **view.options)
    folder.mkdir(parents=True, exist_ok=True)
    file = to_svg(wide, view.name)
    wide.set_layout_engine("none")  # it is laid out: the other formats need not do that again
    for suffix, data in (("svg", file.encode()), ("png", to_png(wide)), ("pdf", to_pdf(wide))):
        replace_file(folder / f"{view.name}.{suffix}", data)
    narrow = to_svg(draw(view.frame, width=NARROW, **view.options), f"{view.name}-narrow")
    return DrawnFigure(_inline(file, view.name), _inline(narrow, f"{view.name}-narrow"))


def css_variables() -> tuple[str, str]:
    """Declarations of every color of the figures, for a light and for a dark page."""
    light = " ".join(f"{variable}: {color};" for variable, color, _ in schemes().values())
    dark = " ".join(f"{variable}: {color};" for variable, _, color in schemes().values())
    return light, dark


def _inline(svg: str, name: str) -> str:
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<(title|metadata)\b.*?</\1>", "", body, flags=re.DOTALL)
    # Fixed sizes in points would overflow a phone; the viewBox keeps the proportions.
    head, rest = body.split(">", 1)
    head = re.sub(r'\s(?:width|height)="[^"]*"', "", head)
    head = head.replace("<svg", '<svg aria-hidden="true" focusable="false"', 1)
    variables = {color: f"var({name})" for color, (name, _, _) in schemes().items()}
    rest = re.sub(r"#[0-9a-fA-F]{6}\b", lambda found: variables.get(found[0].lower(), found[0]), rest)
    # Ids must differ between the figures of one page, also those that no salt reaches (figure_1, axes_1 …).
    rest = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', rest)
    rest = re.sub(r'(xlink:href|href)="#([^"]+)"', rf'\1="#{name}-\2"', rest)
    return head + ">" + re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", rest)
