"""The observations O1 to O6 on the mode connectivity of GNNs (Li et al. 2025), each judged from tables."""

import numpy as np
import pandas as pd

from gnnmc.analysis.axis import bend
from gnnmc.analysis.claims import CLAIMS, Claim, Judged, Judgment, Tables, all_agree, judgment, of_effect
from gnnmc.analysis.cluster_effect import Level, cluster_effect
from gnnmc.analysis.domains import domain_likeness
from gnnmc.analysis.inference import Resampling, Sample, infer
from gnnmc.analysis.log_barrier import check_not_negative, log_barrier
from gnnmc.analysis.units import require_numbers
from gnnmc.analysis.wording import counted, percent
from gnnmc.errors import InputError

CURVE, LINEAR = "bezier", "linear"
GNNS, MLP = ("gcn", "sage", "gat"), "mlp"
# Nats: below this there is no barrier to remove (science 1.3 calls such a peak flat).
FLAT_BELOW = 0.01


def _curves_remove_barriers(tables: Tables, level: Level) -> Judged:
    rows = _train_loss(tables["barriers"])
    # Pair by pair, where pairs are told apart: a curve that was fitted for some of them is compared on these alone.
    pairs = [name for name in ("a", "b") if name in rows]
    keys = ["cluster", "graph", "model", *pairs]
    both = rows.pivot_table(index=keys, columns="path", values="barrier", observed=True)
    if not {LINEAR, CURVE} <= set(both.columns):
        return Judged(Judgment.CANNOT, "not measured", f"both paths are needed: {LINEAR} and {CURVE}")
    per_graph = both[[LINEAR, CURVE]].dropna().groupby(level=["cluster", "graph"]).mean()
    high = per_graph[per_graph[LINEAR] >= FLAT_BELOW]
    removed = high[LINEAR] - high[CURVE]
    clusters = pd.factorize(high.index.get_level_values("cluster"))[0]
    effect = cluster_effect(
        removed.to_numpy(dtype=float), clusters, 0.5, level, "O1", per=high[LINEAR].to_numpy(dtype=float)
    )
    lost = len(per_graph) - len(high)
    flat = f"; {counted(lost, 'graph')} without a linear barrier left out" if lost else ""
    words = f"fitted curves remove {percent(effect.estimate)} of the linear barriers" if len(high) else "no barriers"
    return of_effect(effect, words, effect.why + flat)


def _same_domain_alike(tables: Tables, level: Level) -> Judged:
    found = domain_likeness(tables["curve_distances"], seed=level.seed)
    verdict = Judgment.CANNOT
    if found.p_value <= level.alpha:
        verdict = Judgment.AGREES if found.r > 0 else Judgment.DOES_NOT
    known = f"R = {found.r:.2f}" if np.isfinite(found.r) else "R is not defined"
    words = f"{known} over {counted(found.num_within, 'pair')} of clusters of one domain and those of two"
    sizes = {"num_graphs": found.num_graphs, "num_clusters": found.num_clusters}
    return Judged(verdict, words, found.why, found.r, p_value=found.p_value, **sizes)


def _mlp_differs(tables: Tables, level: Level) -> Judged:
    rows = _train_loss(tables["barriers"])
    rows = rows[rows["path"] == LINEAR]
    check_not_negative(rows["barrier"], "barrier")
    rows = rows.assign(height=log_barrier(rows["barrier"]))
    wide = rows.pivot_table(index=["cluster", "graph"], columns="model", values="height", observed=True)
    gnns = [name for name in GNNS if name in wide]
    if MLP not in wide or len(gnns) < 2:
        return Judged(Judgment.CANNOT, "not measured", f"{MLP} and two of {', '.join(GNNS)} are needed")
    wide = wide[[*gnns, MLP]].dropna()
    among = [(wide[a] - wide[b]).abs() for i, a in enumerate(gnns) for b in gnns[i + 1 :]]
    apart = sum((wide[name] - wide[MLP]).abs() for name in gnns) / len(gnns)
    alike = np.asarray(sum(among), dtype=float) / len(among)
    clusters = pd.factorize(wide.index.get_level_values("cluster"))[0]
    farther = cluster_effect(np.asarray(apart, dtype=float) - alike, clusters, 0.0, level, "O3 farther")
    near = cluster_effect(alike, clusters, float(np.log(2)), level, "O3 alike")
    if not len(wide):
        return of_effect(farther, "not measured", farther.why)
    words = (
        f"barriers of two GNNs ({', '.join(gnns)}) differ by a factor of {np.exp(near.estimate):.2g}, those of a GNN "
        f"and the MLP by {np.exp(near.estimate + farther.estimate):.2g}"
    )
    verdict = all_agree([judgment(farther.side), judgment(-near.side)])
    return of_effect(farther, words, f"MLP farther: {farther.why}; GNNs within a factor of 2: {near.why}", verdict)


def _csbm_shapes(tables: Tables, level: Level) -> Judged:
    predictions, shapes = tables["csbm_predictions"], tables["csbm_shape"]
    require_numbers(predictions, ["rho"], others=["statement", "agrees", "why"])
    require_numbers(shapes, ["bend", "p_permutation", "p_below", "p_above", "rho_below"], others=["turns"])
    parts, words, reasons = [], [], []
    for start, name in (("density", "density"), ("feature noise", "separability")):
        rows = predictions[predictions["statement"].str.startswith(start)]
        parts.append(all_agree([_ANSWERS[answer] for answer in rows["agrees"]]))
        rhos = ", ".join("not varied" if np.isnan(rho) else f"{rho:.2f}" for rho in rows["rho"])
        words.append(f"falls with {name}: {parts[-1].value} (rho with {start}: {rhos or 'none'})")
        reasons += [f"{name}: {why}" for why in dict.fromkeys(rows["why"]) if why]
    bends = [bend(row, level.alpha) for _, row in shapes.iterrows()]
    answers = {"rises and then falls": Judgment.AGREES, "falls and then rises": Judgment.DOES_NOT}
    parts.append(all_agree([answers.get(each, Judgment.CANNOT) for each in bends]))
    words.append(f"peaks at middling homophily: {parts[-1].value} ({', '.join(each or 'no bend' for each in bends)})")
    known = [table for table in (predictions, shapes) if "num_clusters" in table]
    sizes = {
        name: int(max((table[name].max() for table in known if name in table), default=0))
        for name in ("num_graphs", "num_clusters")
    }
    return Judged(all_agree(parts), "; ".join(words), "; ".join(reasons), **sizes)


def _barrier_follows_gap(tables: Tables, level: Level) -> Judged:
    table, measure, reference = tables["gap_ranking"], "train_accuracy_barrier", "val_accuracy"
    numbers = ["tau", "advantage", "advantage_low", "advantage_high", "num_clusters"]
    require_numbers(table, numbers, others=["measure"])
    rows, others = (table[table["measure"] == name] for name in (measure, reference))
    if rows.empty or others.empty:
        return Judged(Judgment.CANNOT, "not measured", f"both measures are needed: {measure} and {reference}")
    sides = (rows["advantage_low"] > 0).astype(int) - (rows["advantage_high"] < 0)
    verdict = all_agree([judgment(int(side)) for side in sides])
    taus = [", ".join(f"{tau:.2f}" for tau in each["tau"]) for each in (rows, others)]
    words = f"tau with the gap: train-accuracy barrier {taus[0]}, validation accuracy {taus[1]}"
    why = "the interval of the advantage " + ("lies on one side of 0" if verdict is not Judgment.CANNOT else "holds 0")
    if rows["advantage_low"].isna().any():
        why = f"{int(rows['num_clusters'].min())} clusters: no interval of the advantage"
    number = int(rows["num_clusters"].min())
    if len(rows) > 1:
        return Judged(verdict, words, why, num_graphs=number, num_clusters=number)
    advantage, low, high = (float(rows.iloc[0][name]) for name in numbers[1:4])
    return Judged(verdict, words, why, advantage, low, high, num_graphs=number, num_clusters=number)


def _distance_follows_transfer(tables: Tables, level: Level) -> Judged:
    table = tables["transfer"]
    require_numbers(table, ["distance", "gap"], others=["pair", "cluster", "method"])
    rows = table[np.isfinite(table["distance"]) & np.isfinite(table["gap"])].sort_values(["cluster", "pair", "method"])
    means = rows.groupby(["cluster", "pair", "method"], observed=True)[["distance", "gap"]].mean().reset_index()
    sample = Sample(
        means["gap"].to_numpy(dtype=float),
        means[["distance"]].to_numpy(dtype=float),
        np.empty((len(means), 0)),
        pd.factorize(means["cluster"])[0],
    )
    found = infer(sample, Resampling(10_000, level.bootstrap, level.confidence, ("O6", level.seed)))[0]
    inside = found.ci_low <= 0 <= found.ci_high
    side = 0 if not found.p_permutation <= level.alpha or inside else int(np.sign(found.rho))
    wide = means.pivot(index=["cluster", "pair"], columns="method", values="distance")
    aligned = [name for name in wide.columns if name != "vanilla"]
    words = f"rho of distance and transfer gap {found.rho:.2f}"
    reasons = [f"follows the gap: p = {found.p_permutation:.2g}", *found.notes]
    parts = [judgment(side)]
    if "vanilla" in wide and aligned:
        lowered = (wide["vanilla"] - wide[aligned].mean(axis=1)).dropna()
        clusters = pd.factorize(lowered.index.get_level_values("cluster"))[0]
        effect = cluster_effect(lowered.to_numpy(dtype=float), clusters, 0.0, level, "O6 lowered")
        parts.append(judgment(effect.side))
        changed = "lower" if effect.estimate >= 0 else "raise"
        words += f"; methods that align {changed} the distance by {abs(effect.estimate):.2g}"
        reasons.append(f"lowered: {effect.why}")
    else:
        parts.append(Judgment.CANNOT)
        reasons.append("lowered: vanilla and a method that aligns are needed")
    return Judged(
        all_agree(parts),
        words,
        "; ".join(reasons),
        found.rho,
        found.ci_low,
        found.ci_high,
        found.p_permutation,
        num_graphs=len(wide),
        num_clusters=sample.num_clusters,
    )


_ANSWERS = {"yes": Judgment.AGREES, "no": Judgment.DOES_NOT, "cannot be told": Judgment.CANNOT}


def _train_loss(table: pd.DataFrame) -> pd.DataFrame:
    require_numbers(table, ["barrier"], others=["graph", "cluster", "model", "path"])
    rows = table[np.isfinite(table["barrier"])]
    for name, kept in (("split", "train"), ("metric", "loss"), ("barrier_kind", "chord"), ("aligned", "none")):
        if name in rows:
            rows = rows[rows[name] == kept]
    if rows.empty:
        raise InputError("no finite barrier of the train loss (chord, not aligned) is in the table: give those rows")
    return rows


CLAIMS.add(
    "O1",
    Claim(
        "fitted curves remove most linear barriers",
        "more than half of the linear barriers is gone (train loss, chord; graphs whose mean is .01 nats or more)",
        "share removed",
        ("barriers",),
        _curves_remove_barriers,
    ),
)
CLAIMS.add(
    "O2",
    Claim(
        "graphs of one domain have alike curves",
        "curves are nearer within domains than between them: ANOSIM R > 0, domains exchanged between clusters",
        "ANOSIM R",
        ("curve_distances",),
        _same_domain_alike,
    ),
)
CLAIMS.add(
    "O3",
    Claim(
        "GCN, SAGE and GAT are alike, the MLP is different",
        "log(B + 1e-3) of linear train-loss barriers: the MLP is farther from the GNNs than they are from each other, "
        "and these differ by less than a factor of 2",
        "how much farther the MLP is, in log(B)",
        ("barriers",),
        _mlp_differs,
    ),
)
CLAIMS.add(
    "O4",
    Claim(
        "on CSBM the barrier falls with density and separability, and peaks at middling homophily",
        "both signs are found with everything else held; along homophily the barrier bends, rises and then falls",
        "",
        ("csbm_predictions", "csbm_shape"),
        _csbm_shapes,
    ),
)
CLAIMS.add(
    "O5",
    Claim(
        "the train-accuracy barrier follows the generalization gap better than validation accuracy does",
        "expected sign × tau of the barrier, less the same of validation accuracy, is above 0",
        "the barrier's advantage in tau",
        ("gap_ranking",),
        _barrier_follows_gap,
    ),
)
CLAIMS.add(
    "O6",
    Claim(
        "d_MC follows the transfer gap, and methods that align lower it",
        "the rank correlation of d_MC with the gap over pairs × methods is above 0; vanilla less the mean of the "
        "methods that align is above 0",
        "rho of d_MC and gap",
        ("transfer",),
        _distance_follows_transfer,
    ),
)
