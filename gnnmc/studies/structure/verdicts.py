"""Structure, not architecture? One word for every line and split, from the shares of variance."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

import pandas as pd

from gnnmc.analysis.inference import ENOUGH_CLUSTERS
from gnnmc.analysis.variance_shares import DIFFERENCE, PARTS
from gnnmc.analysis.wording import counted
from gnnmc.studies.shares import share
from gnnmc.studies.structure.lines import with_lines

# A share of at least this is most of the variance.
MOST = 0.5
_KEYS = ["regime", "grid", "path", "split", "left_out", "ends"]
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


def why_untold(row: "pd.Series[Any]") -> str:
    """Why the shares of one row of `judged` say nothing; empty where they say something.

    Where clusters are too few for an interval, or chance has put the graph below 0, numbers would look like findings.
    """
    if pd.isna(row["graph"]):
        return str(row["note"])
    clusters = counted(row["num_clusters"], "cluster")
    if row["num_clusters"] < ENOUGH_CLUSTERS:
        return f"{clusters}: an interval needs at least {ENOUGH_CLUSTERS}"
    if row["graph"] < 0 and row["says"] is Says.UNTOLD:
        return f"{clusters}: the share of the graph comes out below 0"
    return ""


def two_shares(row: "pd.Series[Any]") -> str:
    """The shares of the graph and the architecture with their intervals."""
    return f"graph {share(row, 'graph')}, architecture {share(row, 'architecture')}"


def shares_in_words(row: "pd.Series[Any]") -> str:
    """The shares of one row with their intervals, or why they say nothing."""
    if why := why_untold(row):
        return f"{Says.UNTOLD.value} ({why})"
    if pd.isna(row["interaction"]):
        return f"{two_shares(row)}, interaction and rest {share(row, 'residual')} (one pair in a cell)"
    return f"{two_shares(row)}, interaction {share(row, 'interaction')}, rest {share(row, 'residual')}"
