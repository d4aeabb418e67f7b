"""The answer at a glance: one word or two for every setting, and how many settings say the same."""

from collections.abc import Sequence

import pandas as pd

from gnnmc.analysis.axis import bend
from gnnmc.analysis.rows import group_columns, is_total, rows_where
from gnnmc.analysis.verdict import Verdict, verdict
from gnnmc.analysis.wording import in_words, number

_OPEN = {
    Verdict.HINT: "a hint only",
    Verdict.WEAK: "none, or weak",
    Verdict.UNDECIDED: "cannot tell",
    Verdict.DESCRIPTION: "not tested",
    Verdict.UNDEFINED: "not defined",
}


def verdict_cells(
    association: pd.DataFrame, shape: pd.DataFrame | None, *, statistic: str, alpha: float = 0.05
) -> pd.DataFrame:
    """What was found of `statistic` in every setting, in a word or two.

    Shapes: `association` from `associate(...).frame()`, `shape` from `shape_test` → one row per setting (group of the
    association): its columns, `trend` ("rises", "falls" or "": no trend shown), `bent` (what `bend` says) and
    `verdict`, the words for a table, with rho where a trend was found.
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
        cells.append({**group, "trend": trend, "bent": bent, "verdict": _words(what, trend, bent, row["rho"])})
    return pd.DataFrame(cells, columns=[*by, "trend", "bent", "verdict"])


def _words(what: Verdict, trend: str, bent: str, rho: float) -> str:
    size = f" (ρ {number(rho)})" if trend else ""
    if bent not in ("", "bends"):
        return f"{bent.replace(' and', ',')}{size}"
    if trend:
        return f"{trend}{', bends' if bent else ''}{size}"
    return "bends, no trend" if bent else _OPEN[what]


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


def overview(cells: pd.DataFrame, statistic: str) -> list[str]:
    """How many settings say what: sentences that claim no more than the cells do."""
    name, total = in_words(statistic), len(cells)
    turns = cells[~cells["bent"].isin(["", "bends"])]
    rest = cells.drop(index=turns.index)
    counts = {
        "falls": int((rest["trend"] == "falls").sum()),
        "rises": int((rest["trend"] == "rises").sum()),
    }
    bends = int(((rest["trend"] == "") & (rest["bent"] != "")).sum())
    open_ = total - sum(counts.values()) - bends - len(turns)
    if total == 1:
        what = "falls" if counts["falls"] else "rises" if counts["rises"] else "turns" if len(turns) else ""
        if what:
            with_ = "along" if what == "turns" else "with"
            return [f"Yes: the barrier {what} {with_} {name} in the only setting tested."]
    of = "the only setting" if total == 1 else f"{total} combinations of path, split and model"
    named = [
        (counts["falls"], f"falls with {name}"),
        (counts["rises"], f"rises with {name}"),
        (len(turns), f"turns along {name}"),
        (bends, f"bends along {name} without a trend"),
    ]
    parts = [f"{words} in {count}" for count, words in named if count]
    if not parts:
        return [f"Not shown: in none of {of} was a trend with {name} found, which does not show that there is none."]
    lead = "There is no single answer" if len(parts) > 1 else "Yes, where anything was shown" if open_ else "Yes"
    told = f"{lead}: of {of}, the barrier {', '.join(parts)}"
    return [told + (f"; in {open_} no trend was shown." if open_ else ".")]
