"""Stage `survive`: what alignment leaves of the barriers, and of their relation to the graph (science 1.6, 1.8)."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pandas as pd

from gnnmc.analysis import associate, barrier_summary, survival
from gnnmc.store import Cell, Execution, Request, Result, Task
from gnnmc.studies.alignment_findings import alignment_findings
from gnnmc.studies.findings import common_findings, findings_frame
from gnnmc.studies.regimes import chord_rows, joined, regimes, tables_of, total_and_controlled
from gnnmc.studies.sections import loss_rows
from gnnmc.studies.stages.align import AS_TRAINED

VERSION = 1

WHERE = ("regime", "model", "split", "metric", "barrier_kind")
GROUP = (*WHERE, "aligned")
# Fewer values of homophily say nothing of a relation to it.
LEVELS = 3


def survive_task(
    tables: Cell, alignments: Cell, models: Sequence[Mapping[str, Any]], least_train_accuracy: float
) -> Task:
    """The task that compares the lines of a run. models: `model, architecture, width, depth, others` of each."""
    config = {"models": [dict(model) for model in models], "least_train_accuracy": least_train_accuracy}
    inputs = {"tables": tables, "alignments": alignments}
    return Task(survive, (Cell("survive", VERSION, config, inputs, label="what survives"),))


def survive(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """tables, alignments → `aligned`, `association`, `survival`, `summary`, `diagnostics`

    aligned: one row per (graph, model, pair, aligned, split): `architecture, width, depth`; chord `barrier` of the loss
        and `accuracy_barrier`; mean `ends_loss` and metrics of the ends; `distance` between the ends,
        `distance_before`; `share_moved` of the units. The others: gnnmc.analysis gives their columns.
    """
    return [_survive(request) for request in requests]


def _survive(request: Request) -> Result:
    tables = tables_of(request) | cast(dict[str, pd.DataFrame], request.inputs["alignments"])
    models = pd.DataFrame(cast(list[dict[str, Any]], request.config["models"]))
    found = common_findings(tables, float(request.config["least_train_accuracy"])) + alignment_findings(tables)
    associations, survivals, summaries = [], [], []
    for rows, statistics in _related(tables):
        associations.append(associate(rows, statistics, kinds=total_and_controlled(rows), by=GROUP))
        survivals.append(survival(rows, statistics, treatment="aligned", baseline=AS_TRAINED, by=WHERE))
        if (rows["family"] == "csbm").all():
            summaries.append(barrier_summary(rows, [*GROUP, "homophily_asked"]))
    found += [diagnostic for association in associations for diagnostic in association.diagnostics]
    return {
        "aligned": _aligned(tables, models),
        "association": joined([association.frame() for association in associations]),
        "survival": joined(survivals),
        "summary": joined(summaries),
        "diagnostics": findings_frame(found),
    }


def _aligned(tables: Mapping[str, pd.DataFrame], models: pd.DataFrame) -> pd.DataFrame:
    keys = ["graph", "model", "a", "b", "aligned", "split"]
    rows = tables["barriers"][tables["barriers"]["path"] == "linear"]
    loss = loss_rows(rows)
    ends = [name for name in loss.columns if name.startswith("ends_")]
    frame = loss[[*keys, "status", "barrier", *ends, "distance"]]
    accuracy = rows[(rows["metric"] == "accuracy") & (rows["barrier_kind"] == "chord")]
    frame = frame.merge(accuracy[[*keys, "barrier"]].rename(columns={"barrier": "accuracy_barrier"}), "left", keys)
    known = tables["alignments"]
    if len(known):
        frame = frame.merge(known[[*keys[:-1], "distance_before", "share_moved"]], "left", keys[:-1])
    return models.merge(frame, on="model")


def _related(tables: Mapping[str, pd.DataFrame]) -> list[tuple[pd.DataFrame, list[str]]]:
    """Chord barriers of lines on the graphs of a regime, of the models that were tried along its statistics."""
    if "homophily_adjusted" not in tables["graphs"]:
        return []
    chord = chord_rows(tables)
    chord = chord[(chord["path"] == "linear") & chord["homophily_edge"].notna()]
    if chord.empty:
        return []
    generated = chord["family"] == "csbm"
    asked = chord["homophily_asked"] if "homophily_asked" in chord else chord["homophily_edge"]
    levels = chord["homophily_edge"].where(~generated, asked)
    several = levels.groupby([chord["regime"], chord["model"]]).transform("nunique") >= LEVELS
    return [(regime.rows, regime.statistics) for regime in regimes(chord[several])]
