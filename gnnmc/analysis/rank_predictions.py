"""What the theory of barriers says of the order of graphs, held against what was measured (science 1.3)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gnnmc.analysis.held import HeldSample, infer_held
from gnnmc.analysis.holm import holm
from gnnmc.analysis.inference import Finding, Resampling
from gnnmc.analysis.resampling import check_resampling
from gnnmc.analysis.units import BY, Group, check_columns, graph_groups
from gnnmc.analysis.wording import in_words, listed
from gnnmc.errors import InputError
from gnnmc.numbers import real_number


@dataclass(frozen=True)
class Statement:
    """One printed prediction: the barrier goes with `statistic` in the direction `sign`, all other settings held.

    moved: the settings that may differ between the graphs compared, since they are how the statistic is moved. For the
    spectral gap there is none: it is never tested along a sweep of homophily, where it moves too and the printed
    predictions contradict each other.
    """

    name: str
    statistic: str
    sign: int
    moved: tuple[str, ...] = ()
    note: str = ""


HOMOPHILY = "homophily_asked"
STATEMENTS = (
    Statement("spectral gap", "gap_modulus", -1),
    Statement(
        "homophily",
        "homophily_adjusted_abs",
        -1,
        (HOMOPHILY,),
        "the spectral gap moves with homophily, and its own prediction is not separate here",
    ),
    Statement("density", "density", -1, ("made_mean_degree",)),
    Statement("feature noise (1/separation)", "feature_noise", 1, ("made_separation",)),
    Statement("least degree", "degree_min", -1),
)
# What makes a graph of the generator; a setting that the table lacks is taken to be the same throughout.
SETTINGS = (HOMOPHILY, "made_mean_degree", "made_separation", "made_train_per_class", "num_nodes", "num_classes")

PREDICTION_COLUMNS = (
    "statement",
    "statistic",
    "outcome",
    "predicted",
    "measured",
    "rho",
    "ci_low",
    "ci_high",
    "confidence",
    "p_permutation",
    "p_holm",
    "agrees",
    "why",
    "held",
    "num_strata",
    "num_graphs",
    "num_clusters",
    "dropped_graphs",
)


def rank_predictions(
    table: pd.DataFrame,
    *,
    statements: Sequence[Statement] = STATEMENTS,
    settings: Sequence[str] | None = None,
    outcome: str = "barrier",
    by: Sequence[str] = BY,
    graph: str = "graph",
    cluster: str = "cluster",
    permutations: int = 10_000,
    bootstrap: int = 2_000,
    confidence: float = 0.95,
    alpha: float = 0.05,
    seed: int = 0,
) -> pd.DataFrame:
    """Every statement of the theory with its predicted sign, the measured one, and whether they agree.

    Graphs are compared only with graphs that are equal in every setting but those that move the statistic; ranks are
    taken within such strata and correlated together (partial Spearman correlation given the stratum, Liu et al. 2018).
    Permutation over clusters whose graphs lie in the same strata; interval of resampled clusters, from 10 on; Holm over
    the statements of a group. Real graphs, whose settings are missing or their own, are left out and counted.

    `agrees` is "yes" where the measured sign is the predicted one at level `alpha` (two-sided, after Holm), and the
    interval, where there is one, lies on that side of 0; "no" where the same holds for the other sign; else "cannot be
    told", with the reason in `why`. It is about the sign alone: the constants of the theory are not known.

    statements: those of the theory by default. `feature_noise` is the noise of the features over the distance of the
    classes, 1/made_separation; it is made from that column where the table lacks it. A statement whose statistic the
    table lacks gets a row that says so. settings: columns that say how a graph was made: by default those of SETTINGS
    that the table has. What set the homophily must be among them.

    Shapes: table: one row per (graph, pair, group) → one row per (group, statement): the columns of `by`, `statement,
    statistic, outcome, predicted` (−1 or 1), `measured` (−1, 0, 1), `rho, ci_low, ci_high, confidence, p_permutation,
    p_holm, agrees, why, held` (what was held, in words), `num_strata, num_graphs, num_clusters, dropped_graphs` (no
    other graph is equal in what is held, or a value is missing).

    Raises InputError as `associate` does, and when the settings lack one that a statement moves: it could not be held
    for the others. Source: Li et al. 2025; science 1.3, 1.8.
    """
    check_resampling(permutations, bootstrap, confidence)
    if not 0 < real_number("alpha", alpha, zero=False) < 1:
        raise InputError(f"alpha={alpha} is out of range: a number between 0 and 1 is needed, e.g. 0.05")
    table = _with_noise(table)
    settings = _checked_settings(table, settings, statements)
    there = [each for each in statements if each.statistic in table.columns]
    # A setting may be a statistic too: they are read from copies, so that no column has two roles.
    copies = {name: f"held: {name}" for name in settings}
    rows = table.assign(**{copy: table[name] for name, copy in copies.items()})
    others = list(dict.fromkeys([*(each.statistic for each in there), *copies.values()]))
    check_columns(rows, outcome, others, by=by, graph=graph, cluster=cluster)
    found: list[dict[str, object]] = []
    for group in graph_groups(rows, outcome, others, by=by, graph=graph, cluster=cluster):
        resampling = Resampling(permutations, bootstrap, confidence, (seed, outcome, *by, *group.names()))
        about = {**dict(zip(by, group.values)), "outcome": outcome, "confidence": confidence}
        block = [about | _row(group, each, copies, outcome, cluster, resampling) for each in statements]
        for row, adjusted in zip(block, holm(np.array([row["p_permutation"] for row in block], dtype=float))):
            row["p_holm"] = float(adjusted)
            row["agrees"], row["why"] = _agrees(row, alpha)
        found += block
    return pd.DataFrame(found, columns=[*by, *PREDICTION_COLUMNS])


def _with_noise(table: pd.DataFrame) -> pd.DataFrame:
    if isinstance(table, pd.DataFrame) and "made_separation" in table and "feature_noise" not in table:
        separation = pd.to_numeric(table["made_separation"])
        return table.assign(feature_noise=1 / separation.where(separation > 0))
    return table


def _checked_settings(
    table: pd.DataFrame, settings: Sequence[str] | None, statements: Sequence[Statement]
) -> Sequence[str]:
    if not isinstance(table, pd.DataFrame):
        raise InputError(f"expected a table, got {type(table).__name__}: pass a pandas DataFrame of rows per pair")
    if isinstance(settings, str):
        raise InputError(f"settings={settings!r} is a text: give a list of column names")
    if settings is None:
        settings = [name for name in SETTINGS if name in table.columns]
    moved = {name: each.name for each in statements if each.statistic in table for name in each.moved}
    for name, statement in moved.items():
        if name not in settings:
            raise InputError(
                f"settings lack {name!r}, which moves {statement!r}: it must be held for the other statements "
                "(add the column, constant where it was not varied)"
            )
    if HOMOPHILY not in settings and not any(each.name == "homophily" and each.moved for each in statements):
        raise InputError(f"settings lack {HOMOPHILY!r}: the spectral gap is never tested along a sweep of homophily")
    return list(dict.fromkeys(settings))


def _row(
    group: Group,
    statement: Statement,
    copies: dict[str, str],
    outcome: str,
    cluster: str,
    resampling: Resampling,
) -> dict[str, object]:
    held = {name: copy for name, copy in copies.items() if name not in statement.moved}
    row: dict[str, object] = {
        "statement": statement.name,
        "statistic": statement.statistic,
        "predicted": statement.sign,
        "held": ", ".join(in_words(name.removeprefix("made_")) for name in held),
        "num_strata": 0,
        "num_graphs": 0,
        "num_clusters": 0,
        "dropped_graphs": group.num_known,
        "notes": [f"the table has no column {statement.statistic!r}"],
        "p_permutation": np.nan,
        "rho": np.nan,
        "measured": np.nan,
    }
    if statement.statistic not in group.units:
        return row
    sample = _sample(group.units, statement.statistic, list(held.values()), outcome, cluster)
    finding = infer_held(sample, resampling)
    notes = finding.notes + ([statement.note] if statement.note and not np.isnan(finding.rho) else [])
    return row | {
        **_numbers(finding),
        "measured": np.sign(finding.rho) if abs(finding.rho) > 1e-12 else 0.0 * finding.rho,
        "num_strata": sample.num_strata,
        "num_graphs": len(sample.outcome),
        "num_clusters": sample.num_clusters,
        "dropped_graphs": group.num_known - len(sample.outcome),
        "notes": notes,
    }


def _numbers(finding: Finding) -> dict[str, float]:
    return {name: getattr(finding, name) for name in ("rho", "ci_low", "ci_high", "p_permutation")}


def _sample(units: pd.DataFrame, statistic: str, held: list[str], outcome: str, cluster: str) -> HeldSample:
    known = units.dropna(subset=[statistic, *held])
    strata = known.groupby(held, sort=False).ngroup() if held else pd.Series(0, index=known.index)
    known = known.assign(stratum=strata)[strata.groupby(strata).transform("size") > 1]
    # Rows of a cluster in the order of their strata: clusters that exchange places do so stratum by stratum.
    known = known.sort_values("stratum", kind="stable")
    return HeldSample(
        statistic=known[statistic].to_numpy(dtype=float),
        outcome=known[outcome].to_numpy(dtype=float),
        strata=pd.factorize(known["stratum"])[0],
        clusters=pd.factorize(known[cluster])[0],
    )


def _agrees(row: dict[str, object], alpha: float) -> tuple[str, str]:
    notes = row.pop("notes")
    reasons = list(notes) if isinstance(notes, list) else []
    rho, p_holm = float(str(row["rho"])), float(str(row["p_holm"]))
    low, high = (float(str(row.get(name, np.nan))) for name in ("ci_low", "ci_high"))
    if np.isnan(rho):
        return "cannot be told", "; ".join(reasons)
    if np.isnan(p_holm):
        return "cannot be told", "; ".join(["no test of the sign", *reasons])
    if p_holm > alpha:
        return "cannot be told", "; ".join([f"p = {p_holm:.2g} after Holm is above {alpha:g}", *reasons])
    if low <= 0 <= high:
        return "cannot be told", "; ".join(["the interval holds 0", *reasons])
    same = np.sign(rho) == row["predicted"]
    evidence = listed([f"rho = {rho:.2f}", f"p = {p_holm:.2g} after Holm"])
    return ("yes" if same else "no"), "; ".join([evidence, *reasons])
