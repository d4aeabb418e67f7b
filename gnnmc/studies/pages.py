"""What a study shows: named tables and figures with their captions and sentences. The report renders them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pandas as pd

Tables: TypeAlias = Mapping[str, pd.DataFrame]


@dataclass(frozen=True, eq=False)
class TableView:
    """A table to show: `frame` as it is read, `caption` says what, of what, in which units."""

    name: str
    frame: pd.DataFrame
    caption: str


@dataclass(frozen=True, eq=False)
class FigureView:
    """A figure to draw: `draw` names a function of `gnnmc.draw` (module.function), called as draw(frame, **options).

    `frame` is what the figure shows, in numbers; `alt` says in words what one sees.
    """

    name: str
    draw: str
    frame: pd.DataFrame
    caption: str
    alt: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Section:
    """A heading, sentences, then figures and tables, in this order."""

    title: str
    sentences: tuple[str, ...] = ()
    figures: tuple[FigureView, ...] = ()
    tables: tuple[TableView, ...] = ()


@dataclass(frozen=True, eq=False)
class Page:
    """A whole report: the question, the answer in plain words, what it rests on, then sections.

    answer: a few sentences that fit on the first screen. at_a_glance: a small table of words beside them.
    """

    title: str
    question: str
    answer: tuple[str, ...]
    rests_on: tuple[str, ...]
    sections: tuple[Section, ...]
    at_a_glance: TableView | None = None
