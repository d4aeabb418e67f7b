"""Stage `observe`: the paper's observations, each held against what was measured (science 1.3–1.6)."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pandas as pd

from gnnmc.analysis import barrier_summary
from gnnmc.connectivity import LinearPath
from gnnmc.store import Cell, Execution, Request, Result, Task
from gnnmc.studies.findings import common_findings, findings_frame
from gnnmc.studies.gap_rows import gap_rows
from gnnmc.studies.generalization.rank import ranked
from gnnmc.studies.observations.claims import claims_table
from gnnmc.studies.observations.likeness import FORM, curve_distances
from gnnmc.studies.observations.stated import against_stated, below_stated
from gnnmc.studies.regimes import GROUP, chord_rows, tables_of
from gnnmc.studies.stages.align import AS_TRAINED
from gnnmc.training.adaptation import OBJECTIVES

VERSION = 1

# What the generalization gap is a difference of.
METRIC = "accuracy"
# What a graph is looked at for; domains between which is transferred have no such role.
REAL, GENERATED = "real", "generated"


def observe_task(tables: Cell, transfers: Cell | None, about: Mapping[str, Any]) -> Task:
    """The task of the observations. transfers: the tables of domains, if any; about: what the config and the recipes
    say of the graphs, and the `roles` of those that are looked at besides the domains.
    """
    inputs = {"tables": tables} | ({"transfers": transfers} if transfers else {})
    return Task(observe, (Cell("observe", VERSION, dict(about), inputs, label="observations"),))


def observe(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """tables → `observations`, what they rest on, and `diagnostics`.

    observations: `judge_claims` with `aligned`, the alignment of the lines. curve_distances: `curve_distances`.
    csbm_predictions, csbm_shape: of the generated graphs, by model and `aligned`. ranking, factors: of the real ones,
    as stage `rank` gives them. stated: `against_stated`. absent: real graphs and domains left out, and why. summary:
    `barrier_summary` of the generated graphs. roles: which graphs are observed, as "real" or "generated".
    """
    return [_observe(request) for request in requests]


def _observe(request: Request) -> Result:
    everything, about = tables_of(request), request.config
    found = common_findings(everything, float(about["least_train_accuracy"]))
    tables = {name: _in_roles(frame, about["roles"]) for name, frame in everything.items()}
    chord = chord_rows(tables)
    train = chord[(chord["metric"] == "loss") & (chord["split"] == "train")]
    distances, fired = curve_distances(tables, about["domains"])
    stated = against_stated(tables["endpoints"], about["stated"])
    ranking, factors = _ranked(tables)
    how = "trained as published" if about["recipes"] else "trained by the older profile, stated for published recipes"
    found += [*below_stated(stated, how), *fired]
    transfers = cast(Mapping[str, pd.DataFrame], request.inputs.get("transfers", {}))
    generated = chord[chord["family"] == "csbm"]
    claims = claims_table(
        train,
        (AS_TRAINED, about["alignment"]),
        {
            "curve_distances": _in_form(distances),
            "gap_ranking": _lines(ranking),
            "transfer": _that_align(transfers.get("transfer", pd.DataFrame())),
        },
    )
    return {
        **claims,
        "curve_distances": distances,
        "ranking": ranking,
        "factors": factors,
        "stated": stated,
        "absent": pd.DataFrame(about["absent"], columns=["graph", "domain", "why"]),
        "summary": barrier_summary(generated, [*GROUP, "aligned", "homophily_asked"]) if len(generated) else generated,
        "roles": pd.DataFrame({"graph": list(about["roles"]), "role": list(about["roles"].values())}),
        "diagnostics": findings_frame(found),
    }


def _ranked(tables: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What follows the gap of accuracy and of loss on the real graphs, as the study `generalization` ranks it."""
    gaps = gap_rows(tables, gap_metric=METRIC)
    gaps = gaps[gaps["family"] == "real"]
    if not gaps["gap"].notna().any():
        return pd.DataFrame(), pd.DataFrame()
    return ranked(gaps, METRIC, LinearPath.kind)


def _that_align(transfer: pd.DataFrame) -> pd.DataFrame:
    """Without methods that regularize and do not align: the claim is not about them."""
    if transfer.empty:
        return transfer
    others = [name for name in OBJECTIVES if not OBJECTIVES[name].aligns]
    return transfer[~transfer["method"].str.partition(" ")[0].isin(others)]


def _in_roles(frame: pd.DataFrame, roles: Mapping[str, str]) -> pd.DataFrame:
    return frame[frame["graph"].isin(roles)] if "graph" in frame else frame


def _lines(ranking: pd.DataFrame) -> pd.DataFrame:
    """The rows on the gap of accuracy that are about modes, and about lines as trained."""
    if ranking.empty:
        return ranking
    own = (ranking["path"] == "") | ((ranking["path"] == LinearPath.kind) & (ranking["aligned"] == AS_TRAINED))
    return ranking[own & (ranking["outcome"] == "gap")]


def _in_form(distances: pd.DataFrame) -> pd.DataFrame:
    """Distances of train-loss curves, in the form that O2 is judged by."""
    if distances.empty:
        return distances
    return distances[(distances["split"] == "train") & (distances["form"] == FORM)]
