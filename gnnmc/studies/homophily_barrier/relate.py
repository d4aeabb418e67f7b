"""Stage `relate`: barriers against graph statistics, and the diagnostics that fired (science 1.6, 1.8)."""

from collections.abc import Sequence
from typing import cast

import pandas as pd

from gnnmc.analysis import associate, barrier_summary, compare_statistics, shape_test
from gnnmc.store import Cell, Execution, Request, Result, Task
from gnnmc.studies.findings import common_findings, findings_frame
from gnnmc.studies.homophily_barrier.predict import predictions

VERSION = 3

GROUP = ("regime", "model", "path", "split", "metric", "barrier_kind")
AXIS = "homophily_edge"
# The ends' own train loss is no statistic of the graph, but science 1.6 asks whether the barrier only follows it.
ENDS = "ends_train_loss"
NOT_THROUGH_ENDS = "not through end quality"
BEYOND = "beyond homophily"
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


def relate_task(tables: Cell, least_train_accuracy: float) -> Task:
    """The task that relates one run's barriers to its graphs."""
    config = {"least_train_accuracy": least_train_accuracy}
    return Task(relate, (Cell("relate", VERSION, config, {"tables": tables}, label="association"),))


def relate(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """tables → `association`, `summary`, `shape`, `rivals`, `prediction`, `importance` and `diagnostics`.

    gnnmc.analysis gives their columns.
    """
    return [_relate(request) for request in requests]


def _relate(request: Request) -> Result:
    tables = cast(dict[str, pd.DataFrame], request.inputs["tables"])
    barriers = tables["barriers"]
    graphs = tables["graphs"].assign(homophily_adjusted_abs=tables["graphs"]["homophily_adjusted"].abs())
    found = common_findings(tables, float(request.config["least_train_accuracy"]))
    empty = pd.DataFrame()
    joined = barriers.merge(graphs, on="graph")
    chord = joined[joined["barrier_kind"] == "chord"]
    end_quality = tuple(name for name in ("ends_loss", "ends_accuracy") if name in chord.columns)
    parts: dict[str, list[pd.DataFrame]] = {
        name: [] for name in ("association", "shape", "rivals", "prediction", "importance")
    }
    for _, regime in chord.groupby("regime", sort=False):
        statistics = _varied(regime)
        if not statistics:
            continue
        kinds = {"total": (), NOT_THROUGH_ENDS: end_quality}
        associations = [associate(regime, statistics, kinds=kinds, by=GROUP)]
        rivals = _rivals(regime, statistics)
        if rivals:
            associations.append(associate(regime, rivals, kinds={BEYOND: (AXIS,)}, by=GROUP))
        parts["association"] += [association.frame() for association in associations]
        found += [diagnostic for association in associations for diagnostic in association.diagnostics]
        of_the_graph = [name for name in statistics if name != ENDS]
        if of_the_graph:
            scores, importances = predictions(regime, of_the_graph, GROUP)
            parts["prediction"].append(scores)
            parts["importance"].append(importances)
        if AXIS in statistics:
            parts["shape"].append(shape_test(regime, AXIS, by=GROUP))
            if rivals:
                parts["rivals"].append(compare_statistics(regime, AXIS, rivals, by=GROUP))
    related = {name: pd.concat(frames, ignore_index=True) if frames else empty for name, frames in parts.items()}
    generated = chord[chord["family"] == "csbm"]
    summary = barrier_summary(generated, [*GROUP, "homophily_asked"]) if len(generated) else empty
    return related | {"summary": summary, "diagnostics": findings_frame(found)}


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
