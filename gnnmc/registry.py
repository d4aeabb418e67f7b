"""Named choices. A duplicate is an error; an unknown name is an error with the nearest matches."""

import difflib
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from gnnmc.errors import InputError

Entry = TypeVar("Entry")


def unknown_name(kind: str, got: object, allowed: Iterable[str]) -> InputError:
    """The error for a name that is not among `allowed`, nearest matches first."""
    names = sorted(allowed)
    lowered = {name.lower(): name for name in names}
    near = [lowered[match] for match in difflib.get_close_matches(str(got).lower(), list(lowered), n=3, cutoff=0.5)]
    hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
    return InputError(f"unknown {kind} {got!r}: {hint}allowed: {', '.join(names)}")


class Registry(Generic[Entry]):
    """A mapping from a name to a choice that refuses duplicates and explains unknown names."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, Entry] = {}

    def add(self, name: str, entry: Entry) -> Entry:
        """Register `entry` under `name`; raises InputError when the name is taken."""
        if name in self._entries:
            raise InputError(f"{self.kind} {name!r} is registered already: choose another name")
        self._entries[name] = entry
        return entry

    def register(self, name: str) -> Callable[[Entry], Entry]:
        """`add` as a decorator."""
        return lambda entry: self.add(name, entry)

    def __getitem__(self, name: str) -> Entry:
        try:
            return self._entries[name]
        except (KeyError, TypeError):
            raise unknown_name(self.kind, name, self._entries) from None

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def names(self) -> list[str]:
        """All names, in the order of registration."""
        return list(self._entries)
