"""The bounds of the theory of barriers on the pairs of a run, in their shape, and what their order is worth."""

from collections.abc import Sequence

import pandas as pd

from gnnmc.analysis import effective_gap, generalization_bound, rank_measures, weight_bound
from gnnmc.analysis.barrier_bound import training_steps, vacuous_bounds
from gnnmc.diagnostics import Diagnostic
from gnnmc.studies.alignments import after
from gnnmc.studies.regimes import joined

# Gaps that a bound is held against.
OF = ("error", "loss")
_KEYS = ["graph", "problem", "cluster", "model", "label_rate", "a", "b", "path", "aligned"]


def bound_rows(gaps: pd.DataFrame, delta: float, batch_size: int | None) -> pd.DataFrame:
    """The bound of every path with a barrier, term by term.

    Shapes: gaps as `gap_rows` gives them → one row per (pair, path, aligned): the pair, `gap, loss_gap`, `barrier`
    (train loss), `num_nodes, num_train, num_classes, steps, delta`, the terms, `bound_rho_0`, `bound_rho_half`, and for
    gaps of error and of loss `largest_gap_<of>, vacuous_rho_0_<of>, vacuous_rho_half_<of>`.
    """
    rows = gaps.assign(barrier=gaps["train_loss_barrier"], delta=delta)
    needed = ["barrier", "num_nodes", "num_train", "num_classes", "epoch"]
    rows = rows.dropna(subset=needed)
    rows = rows[rows["num_train"] < rows["num_nodes"]]
    ends = zip(rows["epoch"], rows["num_train"], strict=True)
    steps = [training_steps(float(epoch), float(items), batch_size) for epoch, items in ends]
    rows["steps"] = pd.Series(steps, rows.index, dtype=float)
    rows = rows[[*_KEYS, "gap", "loss_gap", *needed[:-1], "steps", "delta"]].assign(
        num_classes=rows["num_classes"].clip(lower=2)
    )
    if rows.empty:
        empty = ["bound_size_term", "bound_rho_0", "bound_rho_half"]
        return rows.assign(**dict.fromkeys(empty, pd.Series(dtype=float)))
    for of in OF:
        held = ["largest_gap", "vacuous_rho_0", "vacuous_rho_half"]
        found = generalization_bound(rows.drop(columns="constants", errors="ignore"), gap=of)
        rows = found.rename(columns={name: f"{name}_{of}" for name in held}).drop(columns="largest_gap_is")
    return rows.reset_index(drop=True)


def vacuous_findings(bound: pd.DataFrame) -> list[Diagnostic]:
    """GMC007 by path and gap."""
    found: list[Diagnostic] = []
    for (path, aligned), some in bound.groupby(["path", "aligned"], sort=False):
        for of in OF:
            held = {f"{name}_{of}": name for name in ("largest_gap", "vacuous_rho_0")}
            where = f"{path} path, {after(str(aligned))}, gap of {of}: "
            found += vacuous_bounds(some.rename(columns=held), where)
    return found


def weight_bounds(gaps: pd.DataFrame, graphs: pd.DataFrame, line: str | None) -> pd.DataFrame:
    """The bound on the barrier of a line from the weights of its ends; empty without lines or statistics of graphs.

    Shapes: → one row per (pair, aligned): the pair, `train_loss_barrier`, `weight_distance, feature_norm`, the terms of
    `effective_gap` and of `weight_bound`.
    """
    stats = ["gap_modulus", "degree_min", "num_nodes"]
    columns = [*_KEYS, "train_loss", "train_loss_barrier", "bound_rho_0", "weight_distance", "feature_norm"]
    if line is None or not set(stats) <= set(graphs):
        return pd.DataFrame(columns=[*columns, "barrier_bound"])
    rows = gaps.loc[gaps["path"] == line, columns].dropna(subset=["train_loss_barrier", "weight_distance"])
    rows = rows.merge(graphs[["graph", *stats]].rename(columns={"graph": "problem"}), on="problem")
    rows = rows.dropna(subset=stats[1:])
    if rows.empty:
        return rows.assign(barrier_bound=pd.Series(dtype=float))
    return weight_bound(effective_gap(rows))


def agreement(gaps: pd.DataFrame, weights: pd.DataFrame, factors: Sequence[str]) -> pd.DataFrame:
    """How the order of bounds, and of what they are made of, goes with the gap and with the barrier.

    Shapes: → one row per (outcome, path, aligned, measure), the columns of `GapRanking.measures`.
    """
    by = ["path", "aligned"]
    found = []
    of_gap = {"bound_rho_0": 1, "bound_rho_half": 1, "train_loss_barrier": 1, "bound_size_term": 1}
    of_barrier = {"barrier_bound": 1, "weight_distance": 1, "bound_rho_0": 1}
    for outcome, rows, measures in (
        ("gap", gaps, of_gap),
        ("loss_gap", gaps, of_gap),
        ("train_loss_barrier", weights, of_barrier),
    ):
        if len(rows):
            numbers = rows.assign(**{name: rows[name].astype(float) for name in [outcome, *measures]})
            ranking = rank_measures(numbers, measures, gap=outcome, factors=factors, by=by)
            found.append(ranking.measures.assign(outcome=outcome))
    return joined(found)
