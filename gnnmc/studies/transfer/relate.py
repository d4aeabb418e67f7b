"""Stage `follow`: which distance follows the transfer gap, and what training on both domains does to either."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import pandas as pd

from gnnmc.analysis import associate
from gnnmc.analysis.cluster_effect import Level, cluster_effect
from gnnmc.analysis.inference import ENOUGH_CLUSTERS, Resampling, Sample, bootstrap_correlations
from gnnmc.analysis.ranks import rank_correlations
from gnnmc.analysis.resampling import percentiles
from gnnmc.diagnostics import Diagnostic
from gnnmc.domains import DISTANCES
from gnnmc.store import Cell, Execution, Request, Result, Task
from gnnmc.studies.findings import UNDERTRAINED, common_findings, findings_frame
from gnnmc.studies.regimes import joined
from gnnmc.studies.stages.adapt import VANILLA

VERSION = 2

_RESAMPLES = 2_000
# Distances that differ by method, and those of the graphs alone.
OF_MODES = ("distance", "test_distance", "embedding_mmd")
OF_GRAPHS = ("separate_distance", *DISTANCES.names())
SCOPE = ("scope", "methods", "model")
EVERYWHERE = "all pairs"
ALL_METHODS, VANILLA_ALONE = "all methods", "vanilla alone"


def relate_task(tables: Cell, transfers: Cell, least_train_accuracy: float) -> Task:
    """The task that relates distances to gaps."""
    config = {"least_train_accuracy": least_train_accuracy}
    inputs = {"tables": tables, "transfers": transfers}
    return Task(follow, (Cell("follow", VERSION, config, inputs, label="what follows the gap"),))


def follow(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """tables of modes and of transfers → the tables

    following: one row per (scope, methods, model, distance): `gnnmc.analysis.associate` of the distance with the gap
        over pairs × methods, both directions of a pair in one cluster; `advantage`, rho of d_MC less that of this one,
        on the cases that have both, with `advantage_low, advantage_high` from 10 clusters on (95 % bootstrap). scope:
        all pairs, or those of one group.
    lowered: one row per (scope, model, method, outcome): what a method changes in `distance` and `gap` beside vanilla
        on the same pairs: `vanilla`, its mean on those pairs; `difference` (method − vanilla), `ci_low, ci_high` from
        10 clusters on, else `p_sign`.
    diagnostics
    """
    return [_follow(request) for request in requests]


def _follow(request: Request) -> Result:
    tables = cast(dict[str, pd.DataFrame], request.inputs["tables"])
    transfers = cast(dict[str, pd.DataFrame], request.inputs["transfers"])
    found = common_findings(tables, float(request.config["least_train_accuracy"]))
    for code, rows in transfers["transfer_fired"].groupby("code", sort=True):
        first = rows.iloc[0]
        found.append(Diagnostic(str(code), f"{len(rows)} times, such as {first['where']}: {first['message']}"))
    table = transfers["transfer"]
    found += _not_learned(table, tables["graphs"])
    following = []
    for scope, rows in _scopes(table):
        for methods, some in ((ALL_METHODS, rows), (VANILLA_ALONE, rows[rows["method"] == VANILLA])):
            names = [name for name in (*OF_MODES, *OF_GRAPHS) if name in some and some[name].notna().any()]
            known = some.assign(scope=scope, methods=methods, case=some["pair"] + ", " + some["method"])
            if methods == VANILLA_ALONE and rows["method"].nunique() < 2:
                continue
            if len(known) and names:
                associated = associate(known, names, outcome="gap", by=SCOPE, graph="case", cluster="cluster")
                following.append(associated.frame().merge(_advantages(known, names), on=[*SCOPE, "statistic"]))
                found += associated.diagnostics
    return {
        "following": joined(following),
        "lowered": joined([_lowered(rows).assign(scope=scope) for scope, rows in _scopes(table)]),
        "diagnostics": findings_frame(found),
    }


def _not_learned(table: pd.DataFrame, graphs: pd.DataFrame) -> list[Diagnostic]:
    """GMC001: methods under which the source's own training items are not learned."""
    if "num_classes" not in graphs or "ends_train_loss" not in table:
        return []
    classes = table["source"].map(graphs.drop_duplicates("graph").set_index("graph")["num_classes"])
    poor = table[
        (table["ends_train_loss"] > UNDERTRAINED * np.log(classes.clip(lower=2))) & (table["method"] != VANILLA)
    ]
    return [
        Diagnostic(
            "GMC001",
            f"{method}: on {len(rows)} of {int((table['method'] == method).sum())} pairs, the worst is "
            f"{rows['pair'].iloc[int(rows['ends_train_loss'].argmax())]}: train loss of the source "
            f"{rows['ends_train_loss'].max():.2f} nats",
        )
        for method, rows in poor.groupby("method", sort=False)
    ]


def _advantages(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """By how much d_MC follows the gap more closely than each other distance does, on common resamples."""
    rows = []
    for key, some in table.groupby(list(SCOPE), sort=False):
        for name in names:
            columns = ["distance", name] if name != "distance" else ["distance"]
            known = np.isfinite(some[["gap", *columns]].to_numpy(float)).all(axis=1)
            both = some.loc[known].sort_values(["cluster", "case"])
            row = dict(zip([*SCOPE, "statistic"], [*key, name]))
            row |= dict.fromkeys(("advantage", "advantage_low", "advantage_high"), float("nan"))
            if name != "distance" and len(both) > 2:
                clusters = pd.factorize(both["cluster"])[0]
                gap, given = both["gap"].to_numpy(float), both[columns].to_numpy(float)
                sample = Sample(gap, given, np.empty((len(both), 0)), clusters)
                first, other = rank_correlations(sample.statistics, sample.outcome, sample.controls)
                row["advantage"] = float(first - other)
                if sample.num_clusters >= ENOUGH_CLUSTERS:
                    drawn = bootstrap_correlations(sample, Resampling(1, _RESAMPLES, 0.95, ("advantage", *key, name)))
                    low, high = percentiles(drawn[:, 0] - drawn[:, 1], 0.95)
                    row |= {"advantage_low": low, "advantage_high": high}
            rows.append(row)
    return pd.DataFrame(rows)


def _scopes(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """All pairs, and those of each group where there are several."""
    groups = [(str(name), rows) for name, rows in table.groupby("group", sort=False)]
    return [(EVERYWHERE, table), *(groups if len(groups) > 1 else ())]


def _lowered(table: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for model, some in table.groupby("model", sort=False):
        for outcome in ("distance", "gap"):
            wide = some.pivot_table(index=["cluster", "pair"], columns="method", values=outcome, sort=False)
            for method in (name for name in some["method"].unique() if name != VANILLA):
                if method not in wide or VANILLA not in wide:
                    continue
                both = wide[[method, VANILLA]].dropna().sort_index()
                change = both[method] - both[VANILLA]
                clusters = pd.factorize(change.index.get_level_values("cluster"))[0]
                effect = cluster_effect(change.to_numpy(float), clusters, 0.0, Level(), f"transfer {outcome} {method}")
                rows.append(
                    {"model": model, "method": method, "outcome": outcome, "vanilla": both[VANILLA].mean()}
                    | {"difference": effect.estimate, "ci_low": effect.ci_low, "ci_high": effect.ci_high}
                    | {"p_sign": effect.p_value, "side": effect.side, "lower_share": float(np.mean(change < 0))}
                    | {"num_pairs": effect.num_graphs, "num_clusters": effect.num_clusters, "note": effect.why}
                )
    return pd.DataFrame(rows)
