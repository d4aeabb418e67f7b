"""Sizes of memory as a person writes them."""

import re
from typing import Any

_SIZE = re.compile(r"(\d{1,18}(?:\.\d{1,18})?) ?(B|[KMGT]iB)?")
_UNITS = {"": 1, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


def in_bytes(value: Any) -> Any:
    """A text such as "2GiB" or "500 MiB" as bytes; anything but a text as it is. Raises ValueError for other text."""
    if not isinstance(value, str):
        return value
    match = _SIZE.fullmatch(value.strip())
    if match is None:
        raise ValueError("expected a number of bytes, or a size such as 2GiB or 500MiB")
    return int(float(match[1]) * _UNITS[match[2] or ""])
