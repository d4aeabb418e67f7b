"""The answer at a glance: a word with its numbers for every setting, and sentences that count them."""

from collections.abc import Sequence

import pandas as pd

from gnnmc.analysis.axis import bend
from gnnmc.analysis.rows import group_columns, is_total, rows_where
from gnnmc.analysis.verdict import Verdict, verdict
from gnnmc.analysis.wording import counted, in_words, listed, number

_OPEN = {
    Verdict.HINT: "a hint only",
    Verdict.WEAK: "none, or weak",
    Verdict.UNDECIDED: "cannot tell",
    Verdict.DESCRIPTION: "not tested",
    Verdict.UNDEFINED: "not defined",
}
_TESTED = (Verdict.FOUND, Verdict.HINT, Verdict.WEAK, Verdict.UNDECIDED)
_FOUND_COLUMNS = ("what", "trend", "bent", "rho", "verdict")
# The same of a number of settings: what is said of those in which nothing was shown.
_NOT_SHOWN = {
    Verdict.HINT: "there is a hint that Holm's correction takes away",
    Verdict.WEAK: "a weak one at most fits the data",
    Verdict.UNDECIDED: "the data cannot tell",
    Verdict.DESCRIPTION: "nothing could be tested",
    Verdict.UNDEFINED: "no correlation is defined",
}


def verdict_cells(
    association: pd.DataFrame, shape: pd.DataFrame | None, *, statistic: str, alpha: float = 0.05
) -> pd.DataFrame:
    """What was found of `statistic` in every setting, in a word or two.

    Shapes: `association` from `associate(...).frame()`, `shape` from `shape_test` → one row per setting (group of the
    association): its columns, `what` (the Verdict on the trend), `trend` ("rises", "falls" or "": no trend shown),
    `bent` (what `bend` says), `rho`, and `verdict`, the words for a table with rho and the interval that there is.
    """
    by = group_columns(association)
    rows = association[(association["statistic"] == statistic) & is_total(association)]
    cells = []
    for _, row in rows.iterrows():
        group = {name: row[name] for name in by}
        bent = ""
        if shape is not None and len(shape):
            found = rows_where(shape[shape["statistic"] == statistic], group)
            bent = bend(found.iloc[0], alpha) if len(found) else ""
        what = verdict(row, alpha)
        trend = ("rises" if row["rho"] > 0 else "falls") if what is Verdict.FOUND else ""
        words = f"{_words(what, trend, bent)}{_size(row)}"
        cells.append({**group, "what": what, "trend": trend, "bent": bent, "rho": row["rho"], "verdict": words})
    return pd.DataFrame(cells, columns=[*by, *_FOUND_COLUMNS])


def _words(what: Verdict, trend: str, bent: str) -> str:
    if bent not in ("", "bends"):
        return bent.replace(" and", ",")
    if trend:
        return f"{trend}{', bends' if bent else ''}"
    return "bends, no trend" if bent else _OPEN[what]


def _size(row: "pd.Series[float]") -> str:
    """Rho and its interval; with spaces that do not break, so that a narrow cell breaks before them."""
    if pd.isna(row["rho"]):
        return ""
    size = f": ρ\N{NO-BREAK SPACE}{number(row['rho'])}"
    return (
        size
        if pd.isna(row["ci_low"])
        else f"{size} [{number(row['ci_low'])},\N{NO-BREAK SPACE}{number(row['ci_high'])}]"
    )


def verdict_table(cells: pd.DataFrame, rows: Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
    """The words of `verdict_cells` as a small table: `rows` in rows, combinations of `columns` across.

    Shapes: one row per combination of `rows`, a column per combination of `columns` ("linear, train"), empty where a
    combination was not asked.
    """
    across = cells[list(columns)].astype(str).agg(", ".join, axis=1)
    wide = cells.assign(_across=across).pivot_table(
        index=list(rows), columns="_across", values="verdict", aggfunc="first", sort=False
    )
    return wide[list(dict.fromkeys(across))].fillna("").reset_index().rename_axis(columns=None)


def overview(cells: pd.DataFrame, statistic: str, settings: str = "combinations of path, split and model") -> list[str]:
    """How many settings say what: sentences that claim no more than the cells do. settings: what they are, in words.

    Where trends on the train and on the test split have opposite signs, that is said too.
    """
    name, total, turns = in_words(statistic), len(cells), _turns(cells)
    rest = cells[(cells["trend"] == "") & (cells["bent"] == "")]
    counts = [
        (int(((cells["trend"] == "falls") & ~turns).sum()), f"falls with {name}"),
        (int(((cells["trend"] == "rises") & ~turns).sum()), f"rises with {name}"),
        (int(turns.sum()), f"turns along {name}"),
        (int(((cells["trend"] == "") & (cells["bent"] == "bends")).sum()), f"bends along {name} without a trend"),
    ]
    shown = [f"{words} in {count}" for count, words in counts if count]
    if not cells["what"].isin(_TESTED).any():
        return [f"Nothing could be tested: this describes how the barrier changes with {name}, and concludes nothing."]
    if total == 1 and shown:
        return [f"Yes: the barrier {shown[0].removesuffix(' in 1')} in the only setting tested."]
    of = "the only setting" if total == 1 else f"{total} {settings}"
    if not shown:
        return [
            f"Not shown: in none of {of} was a trend with {name} found, which does not show that there is none: "
            f"{_left(rest)}."
        ]
    lead = "There is no single answer" if len(shown) > 1 else "Yes, where anything was shown" if len(rest) else "Yes"
    left = f"; in {len(rest)} no trend was shown: {_left(rest)}." if len(rest) else "."
    return [f"{lead}: of {of}, the barrier {', '.join(shown)}{left}", *_opposite(cells[~turns], name)]


def _turns(cells: pd.DataFrame) -> "pd.Series[bool]":
    return ~cells["bent"].isin(["", "bends"])


def _left(rest: pd.DataFrame) -> str:
    """Why nothing was shown, and in how many settings each."""
    counts = [(int((rest["what"] == what).sum()), words) for what, words in _NOT_SHOWN.items()]
    there = [(count, words) for count, words in counts if count]
    return there[0][1] if len(there) == 1 else ", ".join(f"{words} in {count}" for count, words in there)


def _opposite(cells: pd.DataFrame, name: str) -> list[str]:
    """Settings whose trends on the train and the test split have opposite signs."""
    if not {"split", "model", "path"} <= set(cells.columns):
        return []
    keys = [column for column in cells.columns if column not in ("split", *_FOUND_COLUMNS)]
    found = cells[cells["trend"] != ""]
    both = found[found["split"] == "train"].merge(found[found["split"] == "test"], on=keys, suffixes=("", "_test"))
    both = both[both["trend"] != both["trend_test"]]
    lines = []
    for trend, rows in both.groupby("trend", sort=False):
        where = [
            f"{listed(some['model']) if some['model'].is_unique else counted(len(some), 'combination')} ({path} path)"
            for path, some in rows.groupby("path", sort=False)
        ]
        lines.append(
            f"The splits disagree: the barrier {trend} with {name} on the train split and "
            f"{rows['trend_test'].iloc[0]} with it on the test split for {listed(where)}."
        )
    return lines
