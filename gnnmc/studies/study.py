"""A study: one scientific question, as a config, a plan of stages, and a page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gnnmc.config import StudyBlock
from gnnmc.registry import Registry
from gnnmc.store import Cell, Task
from gnnmc.studies.pages import Page, Tables


@dataclass(frozen=True, eq=False)
class Plan:
    """The tasks of a run in the order to start them, and the cells whose tables are the run's results."""

    tasks: tuple[Task, ...]
    tables: tuple[Cell, ...]


@dataclass(frozen=True, eq=False)
class Study:
    """What a study declares. It knows science and nothing of files, processes or HTML.

    config: the block a user's config must fit. plan: config → Plan. page: tables and config → Page. associated: what
    all rows of its table `association` are of, so that no column says it (column → value).
    """

    name: str
    question: str
    config: type[StudyBlock]
    plan: Callable[[Any], Plan]
    page: Callable[[Tables, Any], Page]
    associated: Mapping[str, str] = field(default_factory=dict)


STUDIES: Registry[Study] = Registry("study")
