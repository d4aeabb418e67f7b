"""Shares of a barrier: from which size on there is one, and how it is told."""

from typing import Any, TypeVar

import pandas as pd

# Shares of a mean barrier of no more than this are shares of nothing.
LEAST = 0.02

Barrier = TypeVar("Barrier", float, "pd.Series[Any]")


def enough(barrier: Barrier) -> Any:
    """Whether what is left of a mean barrier can be told as a share of it; of a column, for each row."""
    return barrier > LEAST


def share(row: "pd.Series[Any]", name: str) -> str:
    """A ratio as a percentage with the interval that there is."""
    if pd.isna(row[name]):
        return "undefined"
    interval = ""
    if not pd.isna(row[f"{name}_low"]):
        interval = f" [{whole_percent(row[f'{name}_low'])}, {whole_percent(row[f'{name}_high'])}]"
    return f"{whole_percent(row[name])} %{interval}"


def whole_percent(ratio: float) -> str:
    """A ratio in whole percent without the sign of percent, with a true minus sign; what rounds to 0 has none."""
    return f"{round(100 * ratio) + 0:.0f}".replace("-", "−")
