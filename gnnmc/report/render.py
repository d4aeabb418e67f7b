"""A page as one HTML file, its figures as SVG, PNG and PDF files, its tables as CSV, Parquet and LaTeX files."""

import re
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from gnnmc.errors import GnnmcError, InputError
from gnnmc.report.figure import DrawnFigure, css_variables, draw_figure
from gnnmc.report.latex import to_latex
from gnnmc.report.numbers import column_format, sort_key
from gnnmc.run.calls import begin_call
from gnnmc.store import Written, export_table, replace_file
from gnnmc.studies.pages import FigureView, Page, Section, TableView

# A table on the page ends here; the file beside it has all rows.
MOST_ROWS = 400
# What each figure and each table is written as, beside the page.
FIGURE_FILES = ("svg", "png", "pdf")
TABLE_FILES = ("parquet", "csv", "tex")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")


def render_page(page: Page, folder: str | Path, reproduce: Mapping[str, str], calls: Executor | None = None) -> Path:
    """Write `report.html` into `folder`, figures into `figures/`, what they and the tables show into `shown/`.

    What an earlier page had there and this one has not is removed; a file that is not ours stays. The page needs no
    network and no other file. Equal input gives equal bytes. `reproduce`: title → text, shown at the end.
    `calls`: other processes, where the figures are drawn while this one writes the tables.

    Raises InputError for a table or figure whose name is no plain file name or is used twice, GnnmcError when the
    folder cannot be written.
    """
    target = Path(folder)
    figures, frames = _names(page)
    written = Written(target)
    try:
        with (
            written.renewing("figures", [f"{name}.{suffix}" for name in figures for suffix in FIGURE_FILES]),
            written.renewing("shown", [f"{name}.{suffix}" for name in frames for suffix in TABLE_FILES]),
        ):
            drawn = {
                view.name: begin_call(calls, draw_figure, view, target / "figures")
                for section in page.sections
                for view in section.figures
            }
            html = (
                _environment()
                .get_template("report.html")
                .render(
                    page=page,
                    sections=[_section(section, target, drawn) for section in page.sections],
                    at_a_glance=_table(page.at_a_glance, target) if page.at_a_glance else None,
                    reproduce=reproduce,
                    css_light=Markup(css_variables()[0]),
                    css_dark=Markup(css_variables()[1]),
                )
            )
        replace_file(target / "report.html", html.encode())
    except OSError as error:
        raise GnnmcError(f"cannot write the report into {target}: {error.strerror or error}") from None
    return target / "report.html"


def _names(page: Page) -> tuple[list[str], list[str]]:
    """Of the figures, and of all frames shown. Raises InputError for one that is no plain file name, or used twice."""
    figures = [view.name for section in page.sections for view in section.figures]
    names = [*figures]
    names += [name for section in page.sections for view in section.figures for name, _, _ in _further_frames(view)]
    names += [view.name for section in page.sections for view in section.tables]
    names += [page.at_a_glance.name] if page.at_a_glance else []
    for name in names:
        if not _PLAIN_NAME.fullmatch(name):
            raise InputError(f"{name!r} is no name of a figure or table: use letters, digits, _ and -")
        if names.count(name) > 1:
            raise InputError(f"two figures or tables of the page are called {name!r}: name each once")
    return figures, names


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("gnnmc.report"), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )


def _section(section: Section, folder: Path, drawn: Mapping[str, Callable[[], DrawnFigure]]) -> dict[str, Any]:
    return {
        "title": section.title,
        "sentences": section.sentences,
        "figures": [_figure(view, folder, drawn[view.name]()) for view in section.figures],
        "tables": [_table(view, folder) for view in section.tables],
    }


def _figure(view: FigureView, folder: Path, drawn: DrawnFigure) -> dict[str, Any]:
    return {
        "name": view.name,
        "caption": view.caption,
        "alt": view.alt,
        # Our own drawing: every text in it was escaped when it was written as SVG.
        "wide": Markup(drawn.wide),
        "narrow": Markup(drawn.narrow),
        "tables": [
            _table(TableView(view.name, view.frame, view.caption), folder),
            *(
                _table(TableView(name, frame, f"{view.caption} ({what})"), folder)
                for name, what, frame in _further_frames(view)
            ),
        ],
    }


def _further_frames(view: FigureView) -> list[tuple[str, str, pd.DataFrame]]:
    """What a figure shows besides its frame: the frames among its options, such as means with their intervals."""
    return [
        (f"{view.name}_{option}", option.replace("_", " "), value)
        for option, value in view.options.items()
        if isinstance(value, pd.DataFrame)
    ]


def _table(view: TableView, folder: Path) -> dict[str, Any]:
    name, frame, caption = view.name, view.frame, view.caption
    if frame.index.nlevels > 1 or frame.index.name is not None:
        frame = frame.reset_index()
    export_table(frame, folder / "shown", name)
    replace_file(folder / "shown" / f"{name}.tex", to_latex(frame, caption, name).encode())
    head = frame.head(MOST_ROWS)
    numeric = [pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind) for kind in frame.dtypes]
    formats = [column_format(column) for _, column in frame.items()]
    rows = [
        [{"text": text(value), "key": sort_key(value)} for text, value in zip(formats, row, strict=True)]
        for row in head.itertuples(index=False, name=None)
    ]
    return {
        "name": name,
        "caption": caption,
        "columns": [
            {"title": str(column).replace("_", " "), "numeric": is_numeric}
            for column, is_numeric in zip(frame.columns, numeric, strict=True)
        ],
        "rows": rows,
        "left_out": len(frame) - len(head),
    }
