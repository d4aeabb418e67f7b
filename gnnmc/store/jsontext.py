"""JSON that gives back what went in, NaN and infinities included, and stays readable by any JSON parser.

Standard JSON has no NaN or infinity. They are written as `{"$float": "nan"}`, `{"$float": "inf"}` and
`{"$float": "-inf"}`; a key of the caller's that begins with `$` gets one more `$`, so nothing can be mistaken for them.
Tuples come back as lists and numpy scalars as Python numbers, as JSON knows neither.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from gnnmc.errors import InputError

_MARK = "$float"


def dumps(value: Any, what: str = "value") -> str:
    """The text of `value`; `what` names it in errors.

    Raises InputError for anything but dicts with text keys, lists, tuples, text, numbers, booleans and None.
    """
    try:
        return json.dumps(_standard(value, what), allow_nan=False, separators=(",", ":"))
    except RecursionError:
        raise InputError(f"{what} contains itself or is nested too deeply to be written as JSON") from None


def loads(text: str | bytes) -> Any:
    """The value that `dumps` wrote; raises ValueError for text that is not JSON."""
    return json.loads(text, object_hook=_restored)


def _standard(value: Any, what: str) -> Any:
    if isinstance(value, np.generic):
        number = value.item()
        if isinstance(number, np.generic):  # longdouble has no Python twin
            raise _refusal(value, what)
        return _standard(number, what)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {_MARK: str(float(value))}
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise InputError(f"{what} has the key {key!r} ({type(key).__name__}): JSON allows only text as keys")
        return {_escaped(key): _standard(member, f"{what}.{key}") for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_standard(member, f"{what}[{position}]") for position, member in enumerate(value)]
    raise _refusal(value, what)


def _refusal(value: Any, what: str) -> InputError:
    kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    return InputError(
        f"{what} is a {kind}: allowed are a dict of tensors, a DataFrame, "
        "or dicts, lists, text, numbers, booleans and None"
    )


def _escaped(key: str) -> str:
    return f"${key}" if key.startswith("$") else key


def _restored(members: dict[str, Any]) -> Any:
    if _MARK in members:
        return float(members[_MARK])
    return {key[1:] if key.startswith("$") else key: member for key, member in members.items()}
