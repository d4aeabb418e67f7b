"""Numbers as a reader wants them: three significant digits, a dash where there is none."""

import math
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


def sort_key(value: Any) -> str:
    """What a column is sorted by: the number itself, or the text."""
    return repr(float(value)) if hasattr(value, "__float__") and not isinstance(value, bool) else str(value)
