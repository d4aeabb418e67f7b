"""Structure, not architecture? One word for every line and split, from the shares of variance."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

import pandas as pd

from gnnmc.analysis.variance_shares import DIFFERENCE, PARTS
from gnnmc.studies.shares import share
from gnnmc.studies.structure.lines import with_lines

# A share of at least this is most of the variance.
MOST = 0.5
_KEYS = ["regime", "grid", "path", "split", "left_out"]
_SIZES = ["num_graphs", "num_clusters", "num_models", "num_pairs", "dropped_graphs", "note"]


class Says(Enum):
    """The strongest answer that the shares of one line on one split support."""

    YES = "yes"
    PARTLY = "more the graph, but not surely half"
    NO = "no"
    UNTOLD = "cannot be told"


def judged(shares: pd.DataFrame) -> pd.DataFrame:
    """One row per decomposition: its keys, for every part its share and `…_low, …_high`, sizes, and `says`.

    Yes: the share of the graph is above that of the architecture, the interval of the difference above 0, and is at
    least half of the variance, interval and all; no: the interval of the difference is below 0; without an interval it
    cannot be told.
    """
    if shares.empty:
        return pd.DataFrame(columns=[*_KEYS, *_SIZES, "says"])
    rows = []
    for values, some in with_lines(shares).groupby(_KEYS, sort=False):
        parts = some.set_index("part")
        row = dict(zip(_KEYS, values, strict=True)) | {name: some[name].iloc[0] for name in _SIZES}
        for part in (*PARTS, DIFFERENCE):
            known = parts[["omega2", "ci_low", "ci_high"]].astype(float).loc[part]
            row |= dict(zip((part, f"{part}_low", f"{part}_high"), known, strict=True))
        rows.append(row | {"says": _says(row)})
    return pd.DataFrame(rows)


def _says(row: Mapping[str, Any]) -> Says:
    if row[f"{DIFFERENCE}_low"] > 0:
        return Says.YES if row["graph_low"] >= MOST else Says.PARTLY
    return Says.NO if row[f"{DIFFERENCE}_high"] < 0 else Says.UNTOLD


def shares_in_words(row: "pd.Series[Any]") -> str:
    """The shares of one row with their intervals, or why there are none."""
    if pd.isna(row["graph"]):
        return f"no share is defined ({row['note']})"
    told = f"graph {share(row, 'graph')}, architecture {share(row, 'architecture')}, "
    if pd.isna(row["interaction"]):
        return f"{told}interaction and rest {share(row, 'residual')} (one pair in a cell)"
    return f"{told}interaction {share(row, 'interaction')}, rest {share(row, 'residual')}"
