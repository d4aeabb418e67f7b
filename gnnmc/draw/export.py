"""A figure as bytes: the same bytes for the same figure, without a date."""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib
from matplotlib.figure import Figure

from gnnmc.draw.style import styled

PNG_DPI = 200
_FONT = re.compile(r"'DejaVu Sans'(, sans-serif)?")
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


@styled
def to_svg(figure: Figure, salt: str) -> str:
    """The figure as an SVG file with its words as text. `salt` names it: files on one page need different ones."""
    matplotlib.rcParams.update({"svg.hashsalt": salt, "svg.fonttype": "none", "savefig.dpi": PNG_DPI})
    stream = io.StringIO()
    with _without_glyph_warnings():
        figure.savefig(stream, format="svg", metadata=_NO_METADATA)
    return _FONT.sub("'DejaVu Sans', Verdana, sans-serif", stream.getvalue())


@styled
def to_png(figure: Figure) -> bytes:
    """The figure as a PNG file on white, 200 dots per inch."""
    stream = io.BytesIO()
    with _without_glyph_warnings():
        figure.savefig(stream, format="png", dpi=PNG_DPI, metadata={"Software": None})
    return stream.getvalue()


@styled
def to_pdf(figure: Figure) -> bytes:
    """The figure as a PDF file, its words as text in embedded TrueType fonts, as journals ask for."""
    matplotlib.rcParams.update({"pdf.fonttype": 42})
    stream = io.BytesIO()
    with _without_glyph_warnings():
        figure.savefig(stream, format="pdf", metadata={"CreationDate": None, "Creator": None, "Producer": None})
    return stream.getvalue()


@contextmanager
def _without_glyph_warnings() -> Iterator[None]:
    # A name in a script that the layout's font lacks: a browser shows it all the same.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield
