"""Stage `rank`: which measure follows the generalization gap, and where barriers and bounds stand (science 1.3)."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pandas as pd

from gnnmc.analysis import rank_measures
from gnnmc.analysis.inference import ENOUGH_CLUSTERS
from gnnmc.analysis.wording import counted
from gnnmc.diagnostics import Diagnostic
from gnnmc.store import Cell, Execution, Request, Result, Task
from gnnmc.studies.alignment_findings import alignment_findings
from gnnmc.studies.findings import common_findings, findings_frame
from gnnmc.studies.gap_rows import gap_rows
from gnnmc.studies.generalization.bounding import agreement, bound_rows, vacuous_findings, weight_bounds
from gnnmc.studies.generalization.predictions import predictions
from gnnmc.studies.generalization.rivals import LINE, PATH, rivals
from gnnmc.studies.regimes import joined, tables_of

VERSION = 1

# What is the same for every row of a pair, and the factors that granulated Kendall changes one at a time.
CELL = ["graph", "problem", "cluster", "model", "label_rate", "a", "b"]
FACTORS = ("graph", "model", "label_rate")
GAPS = ("gap", "loss_gap")


def rank_task(inputs: Mapping[str, Cell], config: Mapping[str, Any]) -> Task:
    """The task that ranks the measures of a run.

    inputs: the cells of stages `table`, `measured` and `alignments`, as `tables, measured, alignments`. config:
    `gap_metric, batch_size, delta, line` (name of the straight path, None without one), `least_train_accuracy`.
    """
    return Task(rank, (Cell("rank", VERSION, dict(config), dict(inputs), label="ranking"),))


def rank(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """tables, measured, alignments → `gaps`, `ranking`, `factors`, `bound`, `weight_bound`, `agreement`, `predictions`

    gaps: one row per (pair, path, aligned), as `gap_rows` gives it, with `steps` and the terms of the bound.
    ranking: one row per (outcome, measure, path, aligned): `outcome` "gap" or "loss_gap"; `path, aligned` empty where
        the measure belongs to no path; the columns of `GapRanking.measures`, places over all of an outcome.
    factors: one row per (outcome, measure, path, aligned, factor), the columns of `GapRanking.factors`.
    families: `ranking` of each kind of graph by itself (`family`), where there are several.
    bound: one row per (pair, path, aligned) with a barrier: every term, and whether vacuous at the gap of error and of
        loss. weight_bound: one row per (pair, aligned) that a line joins. agreement: how the order of these goes with
        the gap and with the barrier. predictions: as `rank_predictions`, of the generated graphs.
    diagnostics: what fired.
    """
    return [_rank(request) for request in requests]


def _rank(request: Request) -> Result:
    tables = tables_of(request)
    measured, alignments = (
        cast(Mapping[str, pd.DataFrame], request.inputs[name]) for name in ("measured", "alignments")
    )
    config = request.config
    gaps = gap_rows(tables, measured, gap_metric=config["gap_metric"])
    bound = bound_rows(gaps, config["delta"], config["batch_size"])
    terms = ["steps", "bound_size_term", "bound_rho_0", "bound_rho_half"]
    gaps = gaps.merge(bound[["problem", "model", "a", "b", "path", "aligned", *terms]], "left")
    weights = weight_bounds(gaps, tables["graphs"], config["line"])
    ranking, factors = ranked(gaps, config["gap_metric"], config["line"])
    found = common_findings(tables, float(config["least_train_accuracy"]))
    found += alignment_findings({**tables, **alignments})
    found += [*vacuous_findings(bound), *_few(gaps)]
    return {
        "gaps": gaps,
        "ranking": ranking,
        "factors": factors,
        "families": by_family(gaps, config["gap_metric"], config["line"]),
        "bound": bound,
        "weight_bound": weights,
        "agreement": agreement(gaps, weights, FACTORS),
        "predictions": predictions(tables["barriers"], tables["graphs"], weights),
        "diagnostics": findings_frame(found),
    }


def ranked(gaps: pd.DataFrame, gap_metric: str, line: str | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measures, and measures by factor, all on one row per pair so that every one meets the same rivals."""
    wide, places = side_by_side(gaps, gap_metric, line)
    expected = {column: rivals(gap_metric)[measure].expected for column, (measure, _, _) in places.items()}
    names = pd.DataFrame([(column, *place) for column, place in places.items()], columns=["column", *_PLACE])
    of_measures, of_factors = [], []
    for outcome in GAPS:
        found = rank_measures(wide, expected, gap=outcome, factors=FACTORS, reference=f"val_{gap_metric}")
        of_measures.append(_placed(found.measures, names, outcome))
        if len(found.factors):  # none where nothing differs
            of_factors.append(_placed(found.factors, names, outcome))
    return joined(of_measures), joined(of_factors)


def by_family(gaps: pd.DataFrame, gap_metric: str, line: str | None) -> pd.DataFrame:
    """The ranking of each kind of graph by itself: what is pooled may run one way in one and the other in the next."""
    known = gaps.dropna(subset=["gap"])
    if known["family"].nunique() < 2:
        return pd.DataFrame()
    frames = [
        ranked(some, gap_metric, line)[0].assign(family=family) for family, some in known.groupby("family", sort=False)
    ]
    return joined(frames)


_PLACE = ["measure", "path", "aligned"]


def side_by_side(
    gaps: pd.DataFrame, gap_metric: str, line: str | None
) -> tuple[pd.DataFrame, dict[str, tuple[str, str, str]]]:
    """One row per pair, a column for every measure of every path; and of each column (measure, path, aligned)."""
    known = {name: each for name, each in rivals(gap_metric).items() if name in gaps}
    once = [name for name, each in known.items() if each.of not in (LINE, PATH)]
    places = {name: (name, "", "") for name in once}
    # The size term comes from the bound, which is there where a barrier is: any path's row has it.
    wide = gaps.groupby(CELL, sort=False, dropna=False)[[*GAPS, *once]].first().reset_index()
    for (path, aligned), some in gaps.groupby(["path", "aligned"], sort=False):
        of_path = [name for name, each in known.items() if each.of == PATH or (each.of == LINE and path == line)]
        columns = {name: f"{name} ({path}, {aligned})" for name in of_path}
        places |= {column: (name, str(path), str(aligned)) for name, column in columns.items()}
        wide = wide.merge(some[[*CELL, *of_path]].rename(columns=columns), "left", CELL)
    numbers = {name: wide[name].astype(float) for name in [*GAPS, *places]}
    return wide.assign(**numbers), places


def _placed(frame: pd.DataFrame, names: pd.DataFrame, outcome: str) -> pd.DataFrame:
    found = names.merge(frame.rename(columns={"measure": "column"}), on="column", how="right").drop(columns="column")
    return found.assign(outcome=outcome)[["outcome", *_PLACE, *(n for n in found.columns if n not in _PLACE)]]


def _few(gaps: pd.DataFrame) -> list[Diagnostic]:
    """GMC008: too few clusters for intervals."""
    known = gaps.dropna(subset=["gap"])
    clusters = known["cluster"].nunique()
    if clusters >= ENOUGH_CLUSTERS:
        return []
    sizes = f"{counted(clusters, 'cluster')} with {counted(known['graph'].nunique(), 'graph')}"
    return [Diagnostic("GMC008", f"{sizes} whose gap is known: the ranking of measures has no intervals")]
