"""Diagnostics of alignments: what was left alone, what did not help, and whether a moved mode is still the same."""

from typing import cast

import numpy as np
import pandas as pd

from gnnmc.diagnostics import Diagnostic
from gnnmc.studies.pages import Tables
from gnnmc.studies.sections import loss_rows
from gnnmc.studies.stages.align import AS_TRAINED

# A mean barrier that is higher by less is as high.
HIGHER = 0.01
# Losses of a moved mode may differ by rounding alone.
SAME = 1e-4


def alignment_findings(tables: Tables) -> list[Diagnostic]:
    """What is wrong, or has to be known, about the alignments of a run."""
    return [*_of_alignments(tables["misaligned"]), *_higher(tables["barriers"]), *_changed(tables["profiles"])]


def _of_alignments(fired: pd.DataFrame) -> list[Diagnostic]:
    """A line for each thing that was told, model and alignment: how often, and an example."""
    if fired.empty:
        return []
    found = []
    for (code, model), rows in fired.groupby(["code", "model"], sort=True):
        first = rows.iloc[0]
        often = f"{len(rows)} alignments, such as {first['aligned']} on {first['graph']}"
        found.append(Diagnostic(str(code), f"{model} ({often}): {first['message']}"))
    return found


def _higher(barriers: pd.DataFrame) -> list[Diagnostic]:
    """GMC021: graphs and models on which the mean barrier of the train loss is higher after an alignment."""
    rows = loss_rows(barriers)
    rows = rows[(rows["path"] == "linear") & (rows["split"] == "train")]
    means = rows.groupby(["graph", "model", "aligned"], sort=False)["barrier"].mean().unstack("aligned")
    found = []
    for name in (name for name in means.columns if name != AS_TRAINED):
        rise = (means[name] - means[AS_TRAINED]).dropna()
        if len(high := rise[rise > HIGHER]):
            where = ", ".join(str(part) for part in cast(tuple[object, ...], high.idxmax()))
            message = f"{name}: higher on {len(high)} of {len(rise)} cells, most by {high.max():.2f} ({where})"
            found.append(Diagnostic("GMC021", message))
    return found


def _changed(profiles: pd.DataFrame) -> list[Diagnostic]:
    """GMC022: moved ends whose loss is not that of the end as trained."""
    if profiles.empty:
        return []
    keys = ["graph", "model", "a", "b", "split"]
    ends = profiles[(profiles["t"] == 1) & (profiles["path"] == "linear")]
    trained = ends[ends["aligned"] == AS_TRAINED][[*keys, "loss"]]
    moved = ends[ends["aligned"] != AS_TRAINED]
    both = moved[[*keys, "aligned", "loss"]].merge(trained, on=keys, suffixes=("", "_trained"))
    change = (both["loss"] - both["loss_trained"]).abs()
    wrong = both[~(change <= SAME * np.maximum(1, both["loss_trained"].abs()))].assign(change=change)
    found = []
    for name, rows in wrong.groupby("aligned", sort=False):
        worst = rows.iloc[int(rows["change"].fillna(np.inf).argmax())]
        found.append(
            Diagnostic(
                "GMC022",
                f"{name}: {len(rows.drop_duplicates(keys[:-1]))} ends, most {worst['graph']}, {worst['model']}, "
                f"{worst['a']}–{worst['b']}: {worst['split']} loss {worst['loss']:.4g}, "
                f"{worst['loss_trained']:.4g} as trained",
            )
        )
    return found
