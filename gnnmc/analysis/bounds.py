"""The bounds of the theory of barriers, evaluated in their shape: every term named, every unknown constant 1.

Nothing here is a guarantee: the constants hidden in O(·) are unknown, so the values order graphs and no more
(science 1.3).
"""

from collections.abc import Sequence
from enum import Enum

import numpy as np
import pandas as pd

from gnnmc.analysis.ranks import Array
from gnnmc.analysis.units import groups_of, require_numbers
from gnnmc.errors import InputError

UNIT_CONSTANTS = "unit constants"


class GapOf(Enum):
    """What the generalization gap is a difference of, which says how large it can be."""

    ERROR = "error"
    LOSS = "loss"


def generalization_bound(table: pd.DataFrame, *, gap: GapOf | str = GapOf.ERROR) -> pd.DataFrame:
    """The bound on the generalization gap that a barrier gives, in its shape, term by term.

    bound = 8·B · n^{3/2}/(m(n − m)) · log c(T) · T^ρ · log(1/δ), with c(T) = T, at ρ = 0 and at ρ = ½, every constant
    of O(·) taken as 1. A bound is called vacuous when it is above the largest gap: 1 for error rates; for a loss, which
    has no largest value, log C, the loss of guessing. With unit constants this says that the shape alone exceeds the
    gap; what can be claimed from the values is their order.

    gap: "error" or "loss", the gap that the bound is held against.

    Shapes:
        table: one row per barrier: `barrier` (train split, nats per labeled node), `num_nodes` n, `num_train` m
            (labeled training nodes), `steps` T (training steps), `delta` δ (the bound holds with probability 1 − δ),
            and `num_classes` C for gap="loss"; any other columns.
        returns: a copy with `bound_barrier_term` 8·B, `bound_size_term`, `bound_schedule_term` log c(T),
            `bound_steps_term_rho_0` and `bound_steps_term_rho_half` T^ρ, `bound_confidence_term` log(1/δ),
            `bound_rho_0`, `bound_rho_half`, `largest_gap`, `largest_gap_is` (words), `vacuous_rho_0`,
            `vacuous_rho_half` (missing where there is no barrier), `constants`.

    Raises InputError for a missing or non-numeric column, for values outside their range, and for rows that a column
    `split` or `metric` says are not of the train split or not of the loss. Source: Li et al. 2025, theorem
    4.1; science 1.3 (the constants, c(T) and ρ are ours).
    """
    gap = _choice(gap)
    needed = ["barrier", "num_nodes", "num_train", "steps", "delta"]
    require_numbers(table, needed + (["num_classes"] if gap is GapOf.LOSS else []))
    for name, only in (("split", "train"), ("metric", "loss")):
        if name in table and (others := sorted(set(table[name].astype(str)) - {only})):
            raise InputError(f"column {name!r} has {others[0]!r}: the bound is of the train-loss barrier")
    columns = {name: table[name].to_numpy(dtype=float) for name in needed}
    n, m, steps, delta = (columns[name] for name in needed[1:])
    _refuse(columns["barrier"], columns["barrier"] < 0, "barrier", "a chord barrier of 0 or more, in nats")
    _refuse(n, ~(n >= 2), "num_nodes", "a number of nodes of 2 or more")
    _refuse(m, ~((m >= 1) & (m < n)), "num_train", "1 or more and fewer than num_nodes: the bound is about the others")
    _refuse(steps, ~(steps > 1), "steps", "more than 1 training step, since log c(T) is 0 at 1")
    _refuse(delta, ~((delta > 0) & (delta < 1)), "delta", "a probability between 0 and 1, e.g. 0.05")

    found = table.copy()
    found["bound_barrier_term"] = 8 * columns["barrier"]
    found["bound_size_term"] = n**1.5 / (m * (n - m))
    found["bound_schedule_term"] = np.log(steps)
    found["bound_steps_term_rho_0"] = np.ones(len(table))
    found["bound_steps_term_rho_half"] = np.sqrt(steps)
    found["bound_confidence_term"] = np.log(1 / delta)
    if gap is GapOf.LOSS:
        classes = table["num_classes"].to_numpy(dtype=float)
        _refuse(classes, ~(classes >= 2), "num_classes", "2 classes or more")
        largest, meaning = np.log(classes), "log C nats: the loss of guessing; a loss has no largest value"
    else:
        largest, meaning = np.ones(len(table)), "1: error rates lie in [0, 1]"
    shared = [f"bound_{term}_term" for term in ("barrier", "size", "schedule", "confidence")]
    for rho in ("rho_0", "rho_half"):
        found[f"bound_{rho}"] = found[shared].prod(axis=1, skipna=False) * found[f"bound_steps_term_{rho}"]
    found["largest_gap"], found["largest_gap_is"] = largest, meaning
    for rho in ("rho_0", "rho_half"):
        bound = found[f"bound_{rho}"]
        found[f"vacuous_{rho}"] = (bound > found["largest_gap"]).astype("boolean").mask(bound.isna())
    found["constants"] = UNIT_CONSTANTS
    return found


def effective_gap(table: pd.DataFrame) -> pd.DataFrame:
    """λ_eff = 1 − Δ + C₂·√(log n / d_min), how much one propagation can carry; C₂ = 1.

    Shapes:
        table: one row per graph or pair: `gap_modulus` Δ, `degree_min` (self-loop not counted, as `graph_stats` has
            it: d_min is one more), `num_nodes` n; any other columns.
        returns: a copy with `lambda_gap_term` 1 − Δ, `lambda_degree_term`, `lambda_eff`, `constants`.

    Raises InputError for a missing or non-numeric column, and for values outside their range. Source: Li et al. 2025;
    science 1.3.
    """
    require_numbers(table, ["gap_modulus", "degree_min", "num_nodes"])
    found = table.copy()
    found["lambda_gap_term"] = 1 - table["gap_modulus"].to_numpy(dtype=float)
    found["lambda_degree_term"] = _degree_term(table)
    found["lambda_eff"] = found["lambda_gap_term"] + found["lambda_degree_term"]
    found["constants"] = UNIT_CONSTANTS
    return found


def weight_distance(layers: pd.DataFrame, *, by: Sequence[str] = ("pair",)) -> pd.DataFrame:
    """Σ_l N_l·‖W_a^l − W_b^l‖: how far apart two models are, each layer weighed by what comes after it.

    N_l is the smaller of the two models' products of the spectral norms of the layers after l; 1 for the last layer.

    Shapes:
        layers: one row per (pair, layer): the columns of `by`, `layer` (numbers that rise from input to output),
            `norm_a`, `norm_b` (spectral norms of the two weights), `norm_difference` (of their difference).
        returns: one row per pair: the columns of `by`, `num_layers`, `weight_distance`.

    Raises InputError for a missing or non-numeric column, a negative norm, and a layer that a pair has twice. Source:
    Li et al. 2025; science 1.3.
    """
    norms = ["norm_a", "norm_b", "norm_difference"]
    require_numbers(layers, ["layer", *norms], others=by)
    for name in norms:
        _refuse(layers[name].to_numpy(dtype=float), layers[name].to_numpy(dtype=float) < 0, name, "a norm: 0 or more")
    rows = []
    for values, pair in groups_of(layers, by):
        ordered = pair.sort_values("layer")
        if ordered["layer"].duplicated().any():
            named = ", ".join(map(str, values)) or "the table"
            raise InputError(
                f"{named} has a layer twice: one row per (pair, layer) is needed (name the pairs with by=)"
            )
        after = [_later_products(ordered[name].to_numpy(dtype=float)) for name in ("norm_a", "norm_b")]
        total = float(np.minimum(*after) @ ordered["norm_difference"].to_numpy(dtype=float))
        rows.append({**dict(zip(by, values)), "num_layers": len(ordered), "weight_distance": total})
    return pd.DataFrame(rows, columns=[*by, "num_layers", "weight_distance"])


def weight_bound(table: pd.DataFrame) -> pd.DataFrame:
    """The bound on the barrier of one pair from its weights: max_t {(1 − t)·C_L + t·L_ℓ·λ_eff·‖X‖·Σ_l N_l‖W_a − W_b‖}.

    What is maximized is linear in t, so the maximum is the larger of its two ends. C_L and L_ℓ are 1 unless the table
    has them as columns `loss_constant` and `loss_lipschitz`.

    Shapes:
        table: one row per pair: `lambda_eff` (see `effective_gap`), `feature_norm` ‖X‖ (spectral), `weight_distance`
            (see the function of that name); any other columns.
        returns: a copy with `bound_constant_end` (t = 0), `bound_weight_end` (t = 1), `barrier_bound`, `constants`.

    Raises InputError for a missing or non-numeric column, and for a negative norm. Source: Li et al. 2025; science 1.3.
    """
    factors = ["lambda_eff", "feature_norm", "weight_distance"]
    given = [name for name in ("loss_constant", "loss_lipschitz") if name in table]
    require_numbers(table, [*factors, *given])
    for name in [*factors[1:], *given]:
        _refuse(table[name].to_numpy(dtype=float), table[name].to_numpy(dtype=float) < 0, name, "0 or more")
    found = table.copy()
    ones = pd.Series(1.0, index=table.index)
    found["bound_constant_end"] = table.get("loss_constant", ones).astype(float)
    found["bound_weight_end"] = table.get("loss_lipschitz", ones) * table[factors].prod(axis=1, skipna=False)
    found["barrier_bound"] = found[["bound_constant_end", "bound_weight_end"]].max(axis=1, skipna=False)
    found["constants"] = UNIT_CONSTANTS if not given else f"{UNIT_CONSTANTS} but {' and '.join(given)}"
    return found


def csbm_bound(table: pd.DataFrame) -> pd.DataFrame:
    """The bound for two classes: σ·√(d·log n)·[C₂·√(log n/d_min) − (h − ½)²·(p_in + p_out)/C₁], C₁ = C₂ = 1.

    Shapes:
        table: one row per graph or pair: `sigma` σ (noise of the features), `num_features` d, `num_nodes` n,
            `degree_min` (self-loop not counted), `homophily` h, `density_sum` p_in + p_out; any other columns.
        returns: a copy with `csbm_noise_term` σ·√(d·log n), `csbm_degree_term`, `csbm_signal_term`, `csbm_bound`
            (negative where the last term is larger: then only its order means anything), `constants`.

    Raises InputError for a missing or non-numeric column, and for values outside their range. Source: Li et al. 2025;
    science 1.3.
    """
    require_numbers(table, ["sigma", "num_features", "num_nodes", "degree_min", "homophily", "density_sum"])
    found, n = table.copy(), table["num_nodes"].to_numpy(dtype=float)
    degree_term = _degree_term(table)
    found["csbm_noise_term"] = table["sigma"] * np.sqrt(table["num_features"].to_numpy(dtype=float) * np.log(n))
    found["csbm_degree_term"] = degree_term
    found["csbm_signal_term"] = np.square(table["homophily"] - 0.5) * table["density_sum"]
    found["csbm_bound"] = found["csbm_noise_term"] * (found["csbm_degree_term"] - found["csbm_signal_term"])
    found["constants"] = UNIT_CONSTANTS
    return found


def _degree_term(table: pd.DataFrame) -> "pd.Series[float]":
    n, least = (table[name].to_numpy(dtype=float) for name in ("num_nodes", "degree_min"))
    _refuse(n, ~(n >= 1), "num_nodes", "a number of nodes of 1 or more")
    _refuse(least, least < 0, "degree_min", "a degree of 0 or more, the self-loop not counted")
    return pd.Series(np.sqrt(np.log(n) / (least + 1)), index=table.index)


def _later_products(
    norms: Array,
) -> Array:
    """Of every layer, the product of the norms after it."""
    return np.append(np.cumprod(norms[::-1])[::-1][1:], 1.0)


def _choice(gap: GapOf | str) -> GapOf:
    try:
        return GapOf(gap)
    except ValueError:
        raise InputError(f"gap={gap!r}: allowed: {', '.join(repr(each.value) for each in GapOf)}") from None


def _refuse(values: object, wrong: object, name: str, allowed: str) -> None:
    if np.any(wrong):  # type: ignore[call-overload]
        got = np.asarray(values)[np.asarray(wrong)][0]
        raise InputError(f"column {name!r} has {got:g}: allowed: {allowed}")
