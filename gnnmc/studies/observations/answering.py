"""The answer in words: which observations were found again, and a table of all."""

import pandas as pd

from gnnmc.analysis.claims import Judgment
from gnnmc.analysis.wording import counted, listed
from gnnmc.studies.alignments import after, called
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
            f"{row.claim}, {row.claimed}" + (f" ({row.measured})" if known else "") for row in rows.itertuples()
        )
        if told:
            lines.append(f"{counted(len(rows), 'observation').capitalize()} of {len(own)} {words}: {told}.")
    for _, row in claims[claims["aligned"] != AS_TRAINED].iterrows():
        before = own.loc[own["claim"] == row["claim"], "verdict"].iloc[0]
        changed = (
            f"{row['verdict']}, where it {_was(before)} as trained"
            if row["verdict"] != before
            else f"still {row['verdict']}"
        )
        lines.append(f"{row['claim']} {after(str(row['aligned']))}: {changed}.")
    return [*lines, *_short(tables["stated"]), *_absent(tables["absent"])]


def at_a_glance(tables: Tables) -> TableView:
    """One row per observation: claimed, measured, verdict."""
    claims = tables["observations"]
    rows = pd.DataFrame(
        {
            "observation": claims["claim"],
            "lines": claims["aligned"].map(called),
            "claimed": claims["claimed"],
            "measured here": claims["measured"],
            "verdict": claims["verdict"],
            "graphs (clusters)": [
                f"{graphs} ({clusters})" for graphs, clusters in zip(claims["num_graphs"], claims["num_clusters"])
            ],
        }
    )
    return TableView(
        "at_a_glance",
        rows,
        "The paper's observations (Li et al. 2025) and what was measured here: train split unless said, barriers over "
        "the chord. An observation agrees or does not where an interval over clusters, or a test with fewer than 10, "
        "says so; else it cannot be told.",
    )


def _was(verdict: str) -> str:
    return {Judgment.AGREES.value: "agrees", Judgment.DOES_NOT.value: "does not"}.get(verdict, "could not be told")


def _short(stated: pd.DataFrame) -> list[str]:
    short = stated[stated["short"].astype(bool)] if len(stated) else stated
    if stated.empty:
        return []
    if short.empty:
        return [f"All ends with a stated accuracy ({counted(len(stated), 'graph')}) are within 2 points of it."]
    names = listed(f"{graph} ({-points:.1f})" for graph, points in zip(short["graph"], short["points"], strict=True))
    return [f"Ends more than 2 points below the accuracy that a tuned network reaches: {names} (GMC026)."]


def _absent(absent: pd.DataFrame) -> list[str]:
    if absent.empty:
        return []
    return [f"Left out, since their raw files were not to be had: {listed(absent['graph'])}."]
