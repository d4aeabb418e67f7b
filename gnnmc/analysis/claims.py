"""Claims of a paper held against what was measured here: what a claim is, and the table of all that there are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import pandas as pd

from gnnmc.analysis.cluster_effect import Effect, Level
from gnnmc.analysis.resampling import check_resampling
from gnnmc.errors import InputError
from gnnmc.numbers import real_number
from gnnmc.registry import Registry

Tables = Mapping[str, pd.DataFrame]


class Judgment(Enum):
    """What the measurements say of a claim."""

    AGREES = "agrees"
    DOES_NOT = "does not"
    CANNOT = "cannot be told"


@dataclass(frozen=True)
class Judged:
    """What was measured of a claim. p_value: of the test that decided, where an interval did not."""

    verdict: Judgment
    measured: str
    why: str
    estimate: float = np.nan
    ci_low: float = np.nan
    ci_high: float = np.nan
    p_value: float = np.nan
    num_graphs: int = 0
    num_clusters: int = 0


@dataclass(frozen=True)
class Claim:
    """A claim in words, the threshold in words, what is estimated, the tables that it needs, and how it is judged."""

    claimed: str
    threshold: str
    estimated: str
    tables: tuple[str, ...]
    judge: Callable[[Tables, Level], Judged]


CLAIMS: Registry[Claim] = Registry("claim")
CLAIM_COLUMNS = (
    "claim",
    "claimed",
    "measured",
    "estimated",
    "estimate",
    "ci_low",
    "ci_high",
    "confidence",
    "p_value",
    "threshold",
    "verdict",
    "why",
    "num_graphs",
    "num_clusters",
)


def judge_claims(
    tables: Tables,
    claims: Sequence[str] | None = None,
    *,
    bootstrap: int = 2_000,
    confidence: float = 0.95,
    alpha: float = 0.05,
    seed: int = 0,
) -> pd.DataFrame:
    """The claims O1 to O6: claimed, measured, and whether they agree, with the threshold in words.

    A claim "agrees" or "does not" where the interval over clusters of graphs lies on one side of the threshold (from 10
    clusters on), or else where a test over clusters says so at level `alpha`; in between it "cannot be told". A claim
    whose table is not given cannot be told either. Of a claim of several parts all must agree, and one that does not
    decides.

    claims: names in CLAIMS, all by default.

    Shapes: tables, by name (rows of train-split chord barriers of the loss are chosen where columns `split, metric,
    barrier_kind, aligned` tell rows apart; `aligned` "none"):
        barriers: one row per (graph, model, path, pair): `graph, cluster, model, path` ("linear", "bezier"),
            `barrier` (nats), and `a, b` where pairs are told apart [O1, O3]
        curve_distances: one row per pair of graphs: see `domain_likeness` [O2]
        csbm_predictions: one row per (group, statement), as `rank_predictions` gives [O4]
        csbm_shape: one row per group, as `shape_test` gives for homophily [O4]
        gap_ranking: one row per (group, measure), `GapRanking.measures` with `train_accuracy_barrier` among the
            measures and reference="val_accuracy" [O5]
        transfer: one row per (pair of source and target, method): `pair, cluster, method` ("vanilla" and those that
            align), `distance` (d_MC, size form), `gap` (transfer gap) [O6]
        returns: one row per claim: `claim, claimed, measured` (words), `estimated` (what, in words),
        `estimate, ci_low, ci_high, confidence, p_value, threshold` (words), `verdict` ("agrees", "does not", "cannot be
        told"), `why, num_graphs, num_clusters`.

    Raises InputError for an unknown claim, tables that lack a column, and settings out of range. Source: Li et al.
    2025; science 1.4, 1.6, 1.8; the thresholds are ours.
    """
    check_resampling(1, bootstrap, confidence)
    if not 0 < real_number("alpha", alpha, zero=False) < 1:
        raise InputError(f"alpha={alpha} is out of range: a number between 0 and 1 is needed, e.g. 0.05")
    if isinstance(claims, str):
        raise InputError(f"claims={claims!r} is a text: give a sequence of names, e.g. claims=({claims!r},)")
    if not isinstance(tables, Mapping):
        raise InputError(f"expected tables by name, got {type(tables).__name__}: pass a dict of name → table")
    level = Level(bootstrap, confidence, alpha, seed)
    rows = []
    for name in CLAIMS.names() if claims is None else claims:
        claim = CLAIMS[name]
        missing = [each for each in claim.tables if tables.get(each) is None or not len(tables[each])]
        if missing:
            judged = Judged(Judgment.CANNOT, "not measured", f"no rows of {' and '.join(missing)} were given")
        else:
            judged = claim.judge(tables, level)
        rows.append(
            {
                "claim": name,
                "claimed": claim.claimed,
                "threshold": claim.threshold,
                "estimated": claim.estimated,
                "confidence": confidence,
                **{key: value for key, value in vars(judged).items() if key != "verdict"},
                "verdict": judged.verdict.value,
            }
        )
    return pd.DataFrame(rows, columns=list(CLAIM_COLUMNS))


def judgment(side: int) -> Judgment:
    """Agrees where what is claimed lies above its threshold (1), does not where it lies below (−1)."""
    return {1: Judgment.AGREES, -1: Judgment.DOES_NOT}.get(side, Judgment.CANNOT)


def all_agree(parts: Sequence[Judgment]) -> Judgment:
    """Of a claim of several parts: one that does not agree decides, and all must agree."""
    if Judgment.DOES_NOT in parts:
        return Judgment.DOES_NOT
    return Judgment.AGREES if parts and set(parts) == {Judgment.AGREES} else Judgment.CANNOT


def of_effect(effect: Effect, words: str, why: str, verdict: Judgment | None = None) -> Judged:
    """What an effect over clusters says of a claim."""
    return Judged(
        verdict or judgment(effect.side),
        words,
        why,
        effect.estimate,
        effect.ci_low,
        effect.ci_high,
        effect.p_value,
        effect.num_graphs,
        effect.num_clusters,
    )
