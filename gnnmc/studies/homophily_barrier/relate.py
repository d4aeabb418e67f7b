"""Stage `relate`: barriers against graph statistics, and the diagnostics that fired (science 1.6, 1.8)."""

import math
from collections.abc import Sequence
from typing import cast

import numpy as np
import pandas as pd

from gnnmc.analysis import associate, barrier_summary, compare_statistics, shape_test
from gnnmc.diagnostics import Diagnostic, as_records
from gnnmc.store import Cell, Request, Result, Task

VERSION = 1

GROUP = ("regime", "model", "path", "split", "metric", "barrier_kind")
AXIS = "homophily_edge"
# The ends' own train loss is no statistic of the graph, but science 1.6 asks whether the barrier only follows it.
ENDS = "ends_train_loss"
NOT_THROUGH_ENDS = "not through end quality"
LABEL_STATISTICS = (AXIS, "homophily_adjusted_abs", "label_informativeness")
STATISTICS = (
    *LABEL_STATISTICS,
    "degree_mean",
    "degree_cv",
    "density",
    "num_nodes",
    "separability_fisher",
    ENDS,
)
# An end whose train loss is above this share of that of guessing, log C, has not learned its training nodes.
UNDERTRAINED = 0.5
FITTED_TEST_BARRIER = 0.05
# Accuracies are float32 fractions: 27 of 30 is stored a little below .9.
ROUNDING = 1e-6


def relate_task(tables: Cell, least_train_accuracy: float) -> Task:
    """The task that relates one run's barriers to its graphs."""
    config = {"least_train_accuracy": least_train_accuracy}
    return Task(relate, (Cell("relate", VERSION, config, {"tables": tables}, label="association"),))


def relate(requests: Sequence[Request], device: str) -> list[Result]:
    """tables → `association`, `summary`, `shape`, `rivals` (gnnmc.analysis gives their columns) and `diagnostics`."""
    return [_relate(request) for request in requests]


def _relate(request: Request) -> Result:
    tables = cast(dict[str, pd.DataFrame], request.inputs["tables"])
    barriers = tables["barriers"]
    graphs = tables["graphs"].assign(homophily_adjusted_abs=tables["graphs"]["homophily_adjusted"].abs())
    found = _end_diagnostics(tables, float(request.config["least_train_accuracy"]))
    found += _split_diagnostics(graphs) + _barrier_diagnostics(barriers) + _aggregated(tables["fired"])
    empty = pd.DataFrame()
    joined = barriers.merge(graphs, on="graph")
    chord = joined[joined["barrier_kind"] == "chord"]
    end_quality = tuple(name for name in ("ends_loss", "ends_accuracy") if name in chord.columns)
    parts: dict[str, list[pd.DataFrame]] = {"association": [], "shape": [], "rivals": []}
    for _, regime in chord.groupby("regime", sort=False):
        statistics = _varied(regime)
        if not statistics:
            continue
        kinds = {"total": (), NOT_THROUGH_ENDS: end_quality}
        associations = [associate(regime, statistics, kinds=kinds, by=GROUP)]
        rivals = _rivals(regime, statistics)
        if rivals:
            associations.append(associate(regime, rivals, kinds={"beyond homophily": (AXIS,)}, by=GROUP))
        parts["association"] += [association.frame() for association in associations]
        found += [diagnostic for association in associations for diagnostic in association.diagnostics]
        if AXIS in statistics:
            parts["shape"].append(shape_test(regime, AXIS, by=GROUP))
            if rivals:
                parts["rivals"].append(compare_statistics(regime, AXIS, rivals, by=GROUP))
    related = {name: pd.concat(frames, ignore_index=True) if frames else empty for name, frames in parts.items()}
    generated = chord[chord["family"] == "csbm"]
    summary = barrier_summary(generated, [*GROUP, "homophily_asked"]) if len(generated) else empty
    return related | {"summary": summary, "diagnostics": _frame(found)}


def _varied(table: pd.DataFrame) -> list[str]:
    """The statistics that differ on purpose over the graphs of one regime, and the ends' train loss.

    What a generator was not asked to vary differs by its noise alone, and testing it would only cost the others power.
    """
    graphs = table.groupby("graph")[list(STATISTICS)].mean()
    generated = (table["family"] == "csbm").all()
    asked = table["homophily_asked"].nunique() > 1 if generated else True
    names = [*LABEL_STATISTICS, ENDS] if generated else STATISTICS
    return [name for name in names if asked and graphs[name].nunique() > 1]


def _rivals(table: pd.DataFrame, statistics: list[str]) -> list[str]:
    """Statistics of the graph that could tell more than homophily does.

    None in a regime of generated graphs: there the label statistics are functions of the homophily that was asked for,
    and what bends would look as if it went beyond it. Never the ends' loss, which lies downstream of the graph.
    """
    if AXIS not in statistics or (table["family"] == "csbm").all():
        return []
    return [name for name in statistics if name not in (AXIS, ENDS)]


def _split_diagnostics(graphs: pd.DataFrame) -> list[Diagnostic]:
    """GMC015: splits in which a class has no training node."""
    lacking = graphs[graphs["classes_without_training"] > 0]
    names = ", ".join(f"{row.graph} ({row.classes_without_training})" for row in lacking.itertuples())
    return [Diagnostic("GMC015", f"classes without a training node in {names}")] if names else []


def _end_diagnostics(tables: dict[str, pd.DataFrame], least_accuracy: float) -> list[Diagnostic]:
    """GMC001: ends that have not learned their training nodes; GMC012: ends that diverged."""
    found: list[Diagnostic] = []
    used = tables["endpoints"][tables["endpoints"]["used"]]
    lost = used[used["status"] != "ok"].drop_duplicates(["graph", "model", "seed"])
    if len(lost):
        first = lost.iloc[0]
        found.append(Diagnostic("GMC012", f"{len(lost)} ends, such as {first.graph}, {first.model}: {first.status}"))
    train = used[(used["split"] == "train") & (used["status"] == "ok")].merge(
        tables["graphs"][["graph", "num_classes"]], on="graph"
    )
    guessing = np.log(train["num_classes"].clip(lower=2))
    poor = train["loss"] > UNDERTRAINED * guessing
    if "accuracy" in train:
        poor |= train["accuracy"] < least_accuracy - ROUNDING
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


def _barrier_diagnostics(barriers: pd.DataFrame) -> list[Diagnostic]:
    """GMC005: nothing was aligned; GMC006: a fitted curve with a barrier on the test loss only."""
    found: list[Diagnostic] = []
    linear = barriers[(barriers["path"].str.startswith("linear")) & (barriers["aligned"] == "none")]
    if len(linear):
        pairs = len(linear.drop_duplicates(["graph", "model", "a", "b"]))
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
            message = f"{len(high)} of {len(sides)} fitted curves, up to {high['test'].max():.2f} nats ({where})"
            found.append(Diagnostic("GMC006", message))
    return found


def _aggregated(fired: pd.DataFrame) -> list[Diagnostic]:
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


def _frame(found: Sequence[Diagnostic]) -> pd.DataFrame:
    unique = list(dict.fromkeys(found))
    columns = ["code", "title", "message", "meaning", "remedy"]
    return pd.DataFrame(as_records(sorted(unique, key=lambda diagnostic: diagnostic.code)), columns=columns)
