"""Numbers as a reader wants them: three significant digits, a dash where there is none."""

import math
from collections.abc import Callable
from typing import Any

import pandas as pd

DASH = "—"


def shown(value: Any) -> str:
    """A value as text."""
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return DASH
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        return str(value)
    number = float(value)
    if number.is_integer() and abs(number) < 1e6:
        return f"{int(number):,}".replace("-", "\N{MINUS SIGN}")
    text = f"{number:.3g}" if abs(number) >= 1e-3 else f"{number:.1e}"
    return text.replace("-", "\N{MINUS SIGN}")


def column_format(column: "pd.Series[Any]") -> Callable[[Any], str]:
    """How to show the values of one column: all measured values with three digits, zeros at the end included.

    A column of short values (settings such as 0.1 or 20) stays short.
    """
    if not pd.api.types.is_float_dtype(column):
        return shown
    values = [float(value) for value in column.dropna().unique() if math.isfinite(value)]
    if all(float(f"{value:.3g}") == value for value in values):
        return shown
    return _three_digits


def _three_digits(value: Any) -> str:
    if pd.isna(value) or value == 0 or not 1e-3 <= abs(float(value)) < 999.5:
        return shown(value)
    return f"{float(value):#.3g}".rstrip(".").replace("-", "\N{MINUS SIGN}")


def sort_key(value: Any) -> str:
    """What a column is sorted by: the number itself, or the text."""
    return repr(float(value)) if hasattr(value, "__float__") and not isinstance(value, bool) else str(value)
