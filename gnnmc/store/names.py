"""Names that may become files and folders."""

import re

from gnnmc.errors import InputError

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")
_LONGEST = 100


def check_name(what: str, name: object) -> str:
    """`name` when it is a plain file name on every system; raises InputError otherwise (`what` says whose name)."""
    if isinstance(name, str) and len(name) <= _LONGEST and _PLAIN.fullmatch(name) and name.lower() != "manifest":
        return name
    raise InputError(
        f"{what} {str(name)[:_LONGEST]!r} is not allowed: 1 to {_LONGEST} letters, digits, '-', '_' and single dots "
        "inside, beginning with a letter or digit, and not 'manifest'"
    )
