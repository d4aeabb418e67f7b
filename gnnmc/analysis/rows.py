"""Rows of a result table: those of one setting, the total ones, and those that were corrected together."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from gnnmc.analysis.association import RESULT_COLUMNS
from gnnmc.analysis.verdict import Verdict, verdict


def group_columns(association: pd.DataFrame) -> list[str]:
    """The columns that tell the settings of an association frame apart."""
    return [str(name) for name in association.columns if name not in RESULT_COLUMNS]


def rows_where(frame: pd.DataFrame, values: Mapping[str, Any]) -> pd.DataFrame:
    """Rows that agree with `values` on the columns that the frame has; missing agrees with missing."""
    for name, value in values.items():
        if name in frame.columns:
            frame = frame[frame[name].isna() if pd.isna(value) else frame[name] == value]
    return frame


def is_total(association: pd.DataFrame) -> "pd.Series[bool]":
    """Which rows were asked for without controls (a row whose only control was dropped is not one of them)."""
    return (association["controls"] == "") & (association["dropped_controls"] == "")


def family_size(setting_rows: pd.DataFrame, row: "pd.Series[Any]") -> int:
    """How many statistics of the setting Holm's correction ran over together with `row`."""
    return int(setting_rows[setting_rows["kind"] == row["kind"]]["p_permutation"].notna().sum())


def found(association: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """The rows that support a claim at level `alpha`."""
    return association[[verdict(row, alpha) is Verdict.FOUND for _, row in association.iterrows()]]
