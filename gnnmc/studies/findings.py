"""Diagnostics that any study can draw from the tables of stage `table`."""

import math
from collections.abc import Sequence
from typing import cast

import numpy as np
import pandas as pd

from gnnmc.diagnostics import Diagnostic, as_records
from gnnmc.studies.pages import Tables

# An end whose train loss is above this share of that of guessing, log C, has not learned its training items.
UNDERTRAINED = 0.5
FITTED_TEST_BARRIER = 0.05
# 27 of 30 may come out a little below .9.
ROUNDING = 1e-9


def common_findings(tables: Tables, least_train_accuracy: float) -> list[Diagnostic]:
    """What is wrong, or has to be known, about ends, splits and barriers; and what fired on single paths."""
    return [
        *_ends(tables, least_train_accuracy),
        *_splits(tables["graphs"]),
        *_twins(tables["graphs"]),
        *_barriers(tables["barriers"]),
        *_single_paths(tables["fired"]),
    ]


def findings_frame(found: Sequence[Diagnostic]) -> pd.DataFrame:
    """One row per diagnostic, in order of code: `code, title, message, meaning, remedy`."""
    unique = list(dict.fromkeys(found))
    columns = ["code", "title", "message", "meaning", "remedy"]
    return pd.DataFrame(as_records(sorted(unique, key=lambda diagnostic: diagnostic.code)), columns=columns)


def _splits(graphs: pd.DataFrame) -> list[Diagnostic]:
    """GMC015: splits in which a class has no training item."""
    lacking = graphs[graphs["classes_without_training"] > 0]
    names = ", ".join(f"{row.graph} ({row.classes_without_training})" for row in lacking.itertuples())
    return [Diagnostic("GMC015", f"classes without a training item in {names}")] if names else []


def _twins(graphs: pd.DataFrame) -> list[Diagnostic]:
    """GMC016: clusters that hold the same labels node by node."""
    if "made_labels_sha256" not in graphs:
        return []  # only collected graphs can be one another's versions
    groups = graphs.dropna(subset=["made_labels_sha256"]).groupby("made_labels_sha256", sort=False)["cluster"].unique()
    pairs = [" and ".join(clusters) for clusters in groups if len(clusters) > 1]
    return [Diagnostic("GMC016", "; ".join(pairs))] if pairs else []


def _ends(tables: Tables, least_accuracy: float) -> list[Diagnostic]:
    """GMC001: ends that have not learned their training items; GMC012: ends that diverged."""
    found: list[Diagnostic] = []
    used = tables["endpoints"][tables["endpoints"]["used"]]
    lost = used[used["status"] != "ok"].drop_duplicates(["graph", "model", "seed"])
    if len(lost):
        first = lost.iloc[0]
        found.append(Diagnostic("GMC012", f"{len(lost)} ends, such as {first.graph}, {first.model}: {first.status}"))
    train, poor = train_ends(tables, least_accuracy)
    if poor.any():
        worst = train[poor].sort_values("loss").iloc[-1]
        reached = f", accuracy {worst['accuracy']:.2f}" if "accuracy" in train else ""
        cells = len(train[poor].drop_duplicates(["graph", "model"]))
        found.append(
            Diagnostic(
                "GMC001",
                f"{int(poor.sum())} of {len(train)} ends, in {cells} graph and model cells; the worst is "
                f"{worst.graph}, {worst.model}: train loss {worst['loss']:.2f} nats{reached} "
                f"(guessing: {math.log(max(2, worst['num_classes'])):.2f} nats)",
            )
        )
    return found


def train_ends(tables: Tables, least_accuracy: float) -> tuple[pd.DataFrame, "pd.Series[bool]"]:
    """Train-split rows of the ends that classify and did not diverge, and which of them are under-trained (GMC001)."""
    used = tables["endpoints"]
    train = used[used["used"] & (used["split"] == "train") & (used["status"] == "ok")]
    if "num_classes" not in tables["graphs"]:  # nothing is classified: there is no guessing to compare with
        return train.iloc[:0], pd.Series(dtype=bool)
    train = train.merge(tables["graphs"][["graph", "num_classes"]].dropna(), on="graph")
    poor = train["loss"] > UNDERTRAINED * np.log(train["num_classes"].clip(lower=2))
    if "accuracy" in train:
        poor |= train["accuracy"] < least_accuracy - ROUNDING
    return train, poor


def _barriers(barriers: pd.DataFrame) -> list[Diagnostic]:
    """GMC005: nothing was aligned; GMC006: a fitted curve with a barrier on the test loss only."""
    found: list[Diagnostic] = []
    linear = barriers[barriers["path"].str.startswith("linear")]
    # A pair that was aligned as well is shown as trained for comparison.
    as_trained = (linear["aligned"] == "none").groupby([linear[key] for key in ("graph", "model", "a", "b")]).all()
    if pairs := int(as_trained.sum()):
        found.append(Diagnostic("GMC005", f"{pairs} pairs were connected by a line with their units as trained"))
    rows = barriers[(barriers["barrier_kind"] == "chord") & (barriers["metric"] == "loss")]
    fitted = rows[~rows["path"].str.startswith("linear")]
    keys = ["graph", "model", "path", "a", "b"]
    sides = fitted.pivot_table(index=keys, columns="split", values="barrier")
    if {"train", "test"} <= set(sides.columns):
        high = sides[(sides["test"] > FITTED_TEST_BARRIER) & (sides["test"] > sides["train"])]
        if len(high):
            top = high["test"].idxmax()
            where = ", ".join(str(part) for part in cast(tuple[object, ...], top))
            message = (
                f"{len(high)} of {len(sides)} fitted curves, up to a barrier of {high['test'].max():.2f} ({where})"
            )
            found.append(Diagnostic("GMC006", message))
    return found


def _single_paths(fired: pd.DataFrame) -> list[Diagnostic]:
    """One line per code: how often it fired, and an example."""
    found = []
    # Diverged ends are told once, by end and not by path.
    for code, rows in fired[fired["code"] != "GMC012"].groupby("code", sort=True):
        first = rows.iloc[0]
        found.append(
            Diagnostic(
                str(code), f"{len(rows)} times, such as {first.graph}, {first.model}, {first.path}: {first.message}"
            )
        )
    return found
