"""What a drawing needs of its frame."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from gnnmc.errors import InputError

# The models of most pages: these look the same on all of them.
KEPT_MODELS = ("gcn", "sage", "gat", "mlp")
# Known names in the order in which they are shown; others follow in the order of the frame.
_ORDER = {
    "split": ("train", "val", "test"),
    "path": ("linear", "bezier", "polygonal"),
    "model": KEPT_MODELS,
}


def check_columns(frame: pd.DataFrame, needed: Sequence[str], what: str) -> None:
    """Raises InputError when the frame of `what` lacks a needed column."""
    if missing := [name for name in needed if name not in frame.columns]:
        lacking, having = ", ".join(map(repr, missing)), ", ".join(map(str, frame.columns))
        raise InputError(f"{what}: the frame has no column {lacking}; it has {having}")


def in_order(frame: pd.DataFrame, column: str) -> list[Any]:
    """The values of a column once each, known names in their usual order, numbers ascending."""
    found = list(frame[column].dropna().unique())
    if pd.api.types.is_numeric_dtype(frame[column]):
        return sorted(found)
    known = _ORDER.get(column, ())
    return [name for name in known if name in found] + [name for name in found if name not in known]
