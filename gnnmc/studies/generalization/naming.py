"""Measures and paths in words, and the rows of a ranking as a reader meets them."""

from typing import Any

import pandas as pd

from gnnmc.analysis.wording import number
from gnnmc.studies.alignments import after
from gnnmc.studies.generalization.rivals import rivals
from gnnmc.studies.stages.align import AS_TRAINED

CANNOT = "cannot be told"


def ranking_in_words(ranking: pd.DataFrame, gap_metric: str, outcome: str) -> pd.DataFrame:
    """The rows of one gap in the order of their places, with `words` (the measure and its path) and `of`."""
    known = rivals(gap_metric)
    rows = ranking[ranking["outcome"] == outcome].sort_values("place")
    aligned = set(ranking.loc[~ranking["aligned"].isin(["", AS_TRAINED]), "path"])
    places = rows[["measure", "path", "aligned"]].itertuples(index=False, name=None)
    words = [known[name].title + path_in_words(path, alignment, aligned) for name, path, alignment in places]
    return rows.assign(words=words, of=[known[name].of for name in rows["measure"]])


def path_in_words(path: Any, aligned: Any, several: set[Any]) -> str:
    """Behind the name of a measure: the path that it belongs to, and its alignment where the path has several."""
    if not path:
        return ""
    told = after(aligned).replace("after ", "aligned by ", 1)
    return f", {path}" + (f" {told}" if path in several or aligned != AS_TRAINED else "")


def with_interval(row: "pd.Series[Any]", name: str) -> str:
    """A number of a ranking with its interval, where it has one."""
    if pd.isna(row[name]):
        return "not defined"
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return number(row[name]) + ("" if pd.isna(low) else f" [{number(low)}, {number(high)}]")
