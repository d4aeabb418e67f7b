"""Numbers that a user gives: checked, and made Python's own, so that they can be kept as JSON."""

import math
import operator
from numbers import Real

from gnnmc.errors import InputError


def whole_number(name: str, given: object, least: int | None = None) -> int:
    """The whole number given as `name`. Raises InputError for anything else, and for less than `least`."""
    try:
        number = operator.index(given)  # type: ignore[arg-type]  # what has no index raises
    except TypeError:
        raise InputError(f"{name}={given!r} is a {type(given).__name__}: expected a whole number") from None
    if least is not None and number < least:
        raise InputError(f"{name}={number}: at least {least} is needed")
    return number


def real_number(name: str, given: object, *, zero: bool) -> float:
    """The finite number given as `name`, at least 0. Raises InputError for anything else, and for 0 unless allowed."""
    rule = "≥ 0" if zero else "> 0"
    if isinstance(given, bool) or not isinstance(given, Real):
        raise InputError(f"{name}={given!r} is a {type(given).__name__}: allowed: a number {rule}")
    number = float(given)
    if not math.isfinite(number) or number < 0 or (number == 0 and not zero):
        raise InputError(f"{name}={given}: allowed: a finite number {rule}")
    return number


def share(name: str, given: object) -> float:
    """The number in [0, 1) given as `name`. Raises InputError for anything else."""
    number = real_number(name, given, zero=True)
    if number >= 1:
        raise InputError(f"{name}={given}: allowed: a number in [0, 1)")
    return number
