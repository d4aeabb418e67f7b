"""The answer in words: which observations were found again, and a table of all."""

from typing import Any

import pandas as pd

from gnnmc.analysis.claims import Judgment
from gnnmc.analysis.wording import counted, listed, number
from gnnmc.studies.alignments import after, called
from gnnmc.studies.observations.claims import OF_LINES
from gnnmc.studies.pages import Tables, TableView
from gnnmc.studies.stages.align import AS_TRAINED

_WORDS = {
    Judgment.AGREES: "found here too",
    Judgment.DOES_NOT: "contradicted here",
    Judgment.CANNOT: "not to be told from these data",
}


def short_answer(tables: Tables) -> list[str]:
    """A sentence for each verdict with its observations, then what alignment changes, then what falls short."""
    claims = tables["observations"]
    own = claims[claims["aligned"] == AS_TRAINED]
    lines = []
    for judgment, words in _WORDS.items():
        rows = own[own["verdict"] == judgment.value]
        # What was found is in the table beside; of what cannot be told a number in the answer would be taken for one.
        known = judgment is not Judgment.CANNOT
        told = "; ".join(
            f"{row['claim']}, {row['claimed']}" + (f" ({row['measured']}; {_estimate(row)})" if known else "")
            for _, row in rows.iterrows()
        )
        if told:
            lines.append(f"Of {len(own)} observations {len(rows)} {_are(len(rows))} {words}: {told}.")
    for _, row in claims[claims["aligned"] != AS_TRAINED].iterrows():
        before = own.loc[own["claim"] == row["claim"], "verdict"].iloc[0]
        now, then = (_WORDS[Judgment(verdict)] for verdict in (row["verdict"], before))
        changed = f"still {now}" if now == then else f"{now} ({row['measured']}); as trained it was {then}"
        lines.append(f"{row['claim']} {after(str(row['aligned']))} is {changed}.")
    return [*lines, *_short(tables["stated"]), *_absent(tables["absent"])]


def at_a_glance(tables: Tables) -> TableView:
    """One row per observation: claimed, measured, verdict."""
    claims = tables["observations"]
    rows = pd.DataFrame(
        {
            "observation": [
                f"{row['claim']}, {called(str(row['aligned']))}" if row["claim"] in OF_LINES else row["claim"]
                for _, row in claims.iterrows()
            ],
            "claimed": claims["claimed"],
            "measured here": claims["measured"],
            "estimate": [_estimate(row) for _, row in claims.iterrows()],
            "verdict": claims["verdict"],
            "graphs (clusters)": [
                f"{graphs} ({clusters})" for graphs, clusters in zip(claims["num_graphs"], claims["num_clusters"])
            ],
        }
    )
    return TableView(
        "at_a_glance",
        rows.rename(columns={"estimate": "estimate [95 %]"}),
        "The paper's observations (Li et al. 2025) and what was measured here: train split unless said, barriers over "
        "the chord. An observation agrees or does not where an interval over clusters, or a test with fewer than 10, "
        "says so; else it cannot be told.",
    )


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _estimate(row: "pd.Series[Any]") -> str:
    """What was estimated of a claim, with its interval or its test."""
    if pd.isna(row["estimate"]):
        return ""
    if pd.notna(row["ci_low"]):
        uncertain = f" [{number(row['ci_low'])}, {number(row['ci_high'])}]"
    else:
        uncertain = f" (p = {row['p_value']:.2g})" if pd.notna(row["p_value"]) else ""
    return f"{row['estimated']} {number(row['estimate'])}{uncertain}"


def _short(stated: pd.DataFrame) -> list[str]:
    short = stated[stated["short"].astype(bool)] if len(stated) else stated
    if stated.empty:
        return []
    if short.empty:
        return [f"All ends with a stated accuracy ({counted(len(stated), 'graph')}) are within 2 points of it."]
    names = listed(
        f"{graph} ({-points:.1f} points)" for graph, points in zip(short["graph"], short["points"], strict=True)
    )
    return [f"Ends more than 2 points below the accuracy that a tuned network reaches: {names} (GMC026)."]


def _absent(absent: pd.DataFrame) -> list[str]:
    if absent.empty:
        return []
    return [f"Left out, since their raw files were not to be had: {listed(absent['graph'].unique())}."]
