"""The bounds of the theory, term by term, and its predictions of the order of graphs."""

import pandas as pd

from gnnmc.analysis.bounds import UNIT_CONSTANTS
from gnnmc.analysis.wording import in_words
from gnnmc.studies.generalization.answering import predicted
from gnnmc.studies.generalization.naming import path_in_words
from gnnmc.studies.pages import Section, Tables, TableView
from gnnmc.studies.sections import loss_unit
from gnnmc.studies.stages.align import AS_TRAINED

_TERMS = {
    "bound_barrier_term": "8·B",
    "bound_size_term": "n^1.5/(m(n − m))",
    "bound_schedule_term": "log T",
    "bound_confidence_term": "log 1/δ",
    "bound_rho_0": "bound, ρ = 0",
    "bound_steps_term_rho_half": "T^½",
    "bound_rho_half": "bound, ρ = ½",
}
_BOUND_WORDS = {
    "bound_rho_0": "the barrier's bound (ρ = 0)",
    "bound_rho_half": "the barrier's bound (ρ = ½)",
    "train_loss_barrier": "the barrier itself",
    "bound_size_term": "the size term alone",
    "barrier_bound": "the bound from weights",
    "weight_distance": "the distance of the weights alone",
}
_OUTCOMES = {"gap": "gap", "loss_gap": "gap of the loss", "train_loss_barrier": "barrier of the train loss"}


def bound_sections(tables: Tables) -> list[Section]:
    """Every term of the bound on the gap and of that on the barrier, and what their order is worth."""
    bound = tables["bound"]
    if bound.empty:
        return []
    several = set(bound.loc[bound["aligned"] != AS_TRAINED, "path"])
    views = [_terms(bound, several, loss_unit(tables))]
    weights = tables["weight_bound"]
    if len(weights) and "lambda_eff" in weights:
        views.append(_weights(weights, several))
    agreement = tables["agreement"]
    if len(agreement):
        views.append(_agreement(agreement, several))
    sentences = (
        "Bound on the gap: 8·B · n^1.5/(m(n − m)) · log T · T^ρ · log 1/δ, with B the barrier of the train loss, n "
        "nodes, m labeled training nodes, T training steps, every unknown constant 1. Vacuous: above 1 for a gap of "
        "error, above log C nats (the loss of guessing) for one of the loss. It is a shape, not a guarantee.",
        "Bound on the barrier of a line: max of C_L = 1 and λ_eff·‖X‖·Σ_l N_l‖W_a − W_b‖, with λ_eff = 1 − Δ + "
        "√(log n/d_min), Δ the spectral gap; the matrices of one layer act side by side, and their norms are added.",
    )
    return [Section(f"The bounds, term by term ({UNIT_CONSTANTS})", sentences, tables=tuple(views))]


def _terms(bound: pd.DataFrame, several: set[str], unit: str) -> TableView:
    rows = bound.assign(**{"path ": _paths(bound, several)})
    groups = rows.groupby(["path ", "label_rate"], sort=False)
    frame = groups[["barrier", *_TERMS]].median().rename(columns=_TERMS)
    for of in ("error", "loss"):
        for rho, words in (("rho_0", "ρ = 0"), ("rho_half", "ρ = ½")):
            column = f"vacuous_{rho}_{of}"
            frame[f"vacuous, {of}, {words}"] = groups[column].mean().astype(float)
    frame.insert(0, "pairs", groups.size())
    frame["median gap"] = groups["gap"].median()
    caption = (
        f"The bound on the generalization gap ({UNIT_CONSTANTS}) by path and training items per class: medians over "
        f"pairs of modes of every term, barrier B in {unit} on the train split; vacuous: share of the pairs whose "
        "bound is above the largest gap. Every pair: table bound of the run's folder."
    )
    return TableView("bound_terms", frame.reset_index().rename(columns={"path ": "path"}), caption)


def _weights(weights: pd.DataFrame, several: set[str]) -> TableView:
    rows = weights.assign(**{"path ": _paths(weights, several)})
    columns = ["train_loss_barrier", "lambda_eff", "feature_norm", "weight_distance", "barrier_bound"]
    groups = rows.groupby(["path ", "model"], sort=False)
    frame = groups[columns].median()
    frame.insert(0, "pairs", groups.size())
    frame = frame.reset_index().rename(columns={"path ": "path"}).rename(columns=in_words)
    return TableView(
        "weight_bound_terms",
        frame,
        f"The bound on the barrier from the weights of the ends ({UNIT_CONSTANTS}): medians over pairs of modes, "
        "spectral norms; barrier of the train loss beside it.",
    )


def _agreement(agreement: pd.DataFrame, several: set[str]) -> TableView:
    columns = [
        "tau",
        "tau_low",
        "tau_high",
        "granulated",
        "granulated_low",
        "granulated_high",
        "num_rows",
        "num_clusters",
    ]
    frame = agreement.assign(path=_paths(agreement, several), order=agreement["measure"].map(_BOUND_WORDS))
    frame["against"] = agreement["outcome"].map(_OUTCOMES)
    return TableView(
        "agreement",
        frame[["against", "path", "order", *columns]],
        "How the order of a bound, and of what it is made of, goes with the gap and with the barrier: Kendall's τ "
        "over all pairs of modes, and one factor changed at a time; low, high: 95 %, resampled clusters (10 or more).",
    )


def _paths(frame: pd.DataFrame, several: set[str]) -> list[str]:
    pairs = frame[["path", "aligned"]].itertuples(index=False, name=None)
    return [path_in_words(path, aligned, several).removeprefix(", ") for path, aligned in pairs]


def prediction_sections(tables: Tables) -> list[Section]:
    """Signs that the theory predicts along generated graphs, and the measured ones."""
    found = tables["predictions"]
    if found.empty:
        return []
    several = set(found.loc[found["aligned"] != AS_TRAINED, "path"])
    signs = {1.0: "+", -1.0: "−", 0.0: "0"}
    frame = found.assign(
        path=_paths(found, several),
        statistic=found["statistic"].map(in_words),
        predicted=found["predicted"].map(lambda sign: signs[float(sign)]),
        measured=[signs.get(float(sign), "") for sign in found["measured"]],
    )
    columns = [
        "statement", "model", "path", "predicted", "measured", "agrees", "rho", "ci_low", "ci_high", "p_holm",
        "statistic", "num_strata", "num_graphs", "num_clusters", "dropped_graphs", "why", "held",
    ]  # fmt: skip
    view = TableView(
        "predictions",
        frame[columns],
        "Predicted and measured sign of the association of a statistic with the chord barrier of the train loss, over "
        "generated graphs that are equal in everything else (held): partial Spearman correlation given these, 95 % "
        "bootstrap over clusters (from 10 on), permutation p over clusters after Holm's correction over the statements "
        "of a model and path. Cannot be told: with the reason.",
    )
    words = (
        "Constants of the theory are not known, so only signs are tested; each prediction with the other settings of "
        "the generator held, and the spectral gap never along a sweep of homophily."
    )
    return [Section("Predictions of the theory on generated graphs", (*predicted(found), words), tables=(view,))]
