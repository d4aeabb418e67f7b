"""What is asked of several problems at once, checked."""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from gnnmc.errors import InputError
from gnnmc.registry import unknown_name

_Settings = TypeVar("_Settings")


def settings_of(kind: type[_Settings], given: Mapping[str, Any], further: Iterable[str]) -> _Settings:
    """Settings of a dataclass from keywords; further: what else may be given, for the message.

    Raises InputError for a keyword that there is not, and as the settings do.
    """
    known = list(inspect.signature(kind).parameters)
    for name in given:
        if name not in known:
            raise unknown_name("keyword", name, [*known, *further])
    return kind(**given)


def triples(given: Iterable[Any], words: str) -> list[tuple[Any, Any, Any]]:
    """A list of these. words: what each is, "(model, problem, seeds)" say. Raises InputError for anything else."""
    listed = list(given)
    for each in listed:
        if not isinstance(each, tuple | list) or len(each) != 3:
            got = f"{len(each)} entries" if isinstance(each, tuple | list) else type(each).__name__
            raise InputError(f"expected {words} for each problem, got {got}")
    return [tuple(each) for each in listed]
