"""Does the graph or the architecture decide the barrier? Shares of its variance, with an interval over clusters."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gnnmc.analysis.inference import ENOUGH_CLUSTERS
from gnnmc.analysis.log_barrier import check_not_negative, log_barrier
from gnnmc.analysis.ranks import Array
from gnnmc.analysis.resampling import Indices, check_resampling, cluster_counts
from gnnmc.analysis.units import check_columns, groups_of
from gnnmc.errors import InputError
from gnnmc.registry import unknown_name
from gnnmc.seeding import numpy_generator

PARTS = ("graph", "architecture", "interaction", "residual")
DIFFERENCE = "graph minus architecture"
ONE_PAIR = "one pair in every cell: the interaction cannot be told from the residual"
# How far the scale of the intervals goes beyond the range of a share, for estimates about 0.
_BEYOND = 0.05
SHARE_COLUMNS = (
    "left_out",
    "part",
    "outcome",
    "omega2",
    "ci_low",
    "ci_high",
    "confidence",
    "num_graphs",
    "num_clusters",
    "num_models",
    "num_pairs",
    "dropped_graphs",
    "note",
)


def variance_shares(
    table: pd.DataFrame,
    *,
    outcome: str = "barrier",
    by: Sequence[str] = ("path", "split"),
    graph: str = "graph",
    model: str = "model",
    cluster: str = "cluster",
    without: Sequence[str] = (),
    bootstrap: int = 2_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """How much of the variance of log(B + 1e-3) goes with the graph, the architecture, and both together: ω² of each.

    Two-way fixed effects on the graphs that have every architecture, balanced by the means of the cells: all cells
    count alike, with the harmonic mean of their numbers of pairs (unweighted means); the residual is the variance of
    the pairs within a cell. ω² = (SS − df·MS_residual)/(SS_total + MS_residual); an effect that is not there has ω²
    about 0, below 0 as often as above. The shares, the residual's among them, add up to 1. With one pair in every cell
    the interaction cannot be told from the residual: it has none, and takes the residual's place.

    The interval resamples the K clusters of graphs whole, from 10 on. Its width is the standard error over resamples on
    a logit scale, times Student's t with K − 1 degrees of freedom; the scale ends 0.05 beyond the ends of the range, so
    that estimates about 0 have a place on it. Sums of squares over graphs are enlarged by K/(K − 1) there, the share of
    their spread that a resample loses. Percentiles are too short for shares: in 300 trials of 12 normal graphs, 95 %
    intervals held the truth 77–94 % of the time, these 89–100 %.

    Pairs that share an end are more alike than others, so the residual is too small and the interaction too large where
    pairs are not disjoint: to compare these two, use disjoint pairs.

    without: models each of which is left out once, beside the decomposition of all ("mlp": it often decides).

    Shapes: table: one row per (graph, model, pair, group) → one row per (group, model left out, part): the columns of
    `by`, `left_out` ("" for none), `part` (graph, architecture, interaction, residual, and "graph minus architecture"),
    `outcome, omega2, ci_low, ci_high, confidence, num_graphs, num_clusters, num_models, num_pairs, dropped_graphs`
    (an architecture is missing), `note`.

    Raises InputError as `associate` does, for a model left out that is not there, and for barriers below 0. Source:
    science 1.8 (the scale, the clusters); Olejnik and Algina 2003 (ω²); Rao and Wu 1988 (rescaled resamples); the
    interval is ours.
    """
    check_resampling(1, bootstrap, confidence)
    rows: list[dict[str, object]] = []
    for values, left_out, kept in decompositions(table, outcome, by, graph, model, cluster, without):
        cells = Cells.of(kept, outcome, graph, model, cluster)
        about = {**dict(zip(by, values)), "left_out": left_out, "outcome": outcome, "confidence": confidence}
        rng = numpy_generator("variance shares", seed, outcome, left_out, *map(str, values))
        rows += [about | row for row in _rows(cells, bootstrap, confidence, rng)]
    return pd.DataFrame(rows, columns=[*by, *SHARE_COLUMNS])


def decompositions(
    table: pd.DataFrame,
    outcome: str,
    by: Sequence[str],
    graph: str,
    model: str,
    cluster: str,
    without: Sequence[str],
) -> list[tuple[tuple[object, ...], str, pd.DataFrame]]:
    """Values of the group, the model left out ("" for none) and the rows with a finite outcome. Checks the table."""
    if isinstance(without, str):
        raise InputError(f"without={without!r} is a text: give a sequence of models, e.g. without=({without!r},)")
    check_columns(table, outcome, [], by=[*by, model], graph=graph, cluster=cluster)
    check_not_negative(table[outcome], outcome)
    models = list(dict.fromkeys(table[model].astype(str)))
    for name in without:
        if name not in models:
            raise unknown_name("model to leave out", name, models)
    known = table[np.isfinite(table[outcome].astype(float))]
    found = []
    for values, rows in groups_of(known, by):
        for left_out in ["", *without]:
            found.append((values, left_out, rows[rows[model].astype(str) != left_out]))
    return found


@dataclass(frozen=True)
class Cells:
    """Graph × architecture: means and numbers of the pairs, and what varies within.

    Shapes: means, counts (A, M); within (A,): squares within the cells of a graph; clusters (A,).
    """

    means: Array
    counts: Array
    within: Array
    clusters: Indices
    dropped_graphs: int

    @classmethod
    def of(cls, rows: pd.DataFrame, outcome: str, graph: str, model: str, cluster: str) -> "Cells":
        """The cells of the graphs that have every architecture of the rows, in the order of (cluster, graph)."""
        named = pd.DataFrame(
            {
                "y": log_barrier(rows[outcome]),
                "graph": rows[graph].astype(str),
                "model": rows[model].astype(str),
                "cluster": rows[cluster].astype(str),
            }
        ).sort_values("y")  # so that rounding does not depend on the order of the table
        grouped = named.groupby(["cluster", "graph", "model"])["y"]
        wide = {name: getattr(grouped, name)().unstack("model") for name in ("mean", "count")}
        complete = wide["mean"].notna().all(axis=1)
        means, counts = (wide[name][complete].to_numpy(dtype=float) for name in ("mean", "count"))
        named["square"] = (named["y"] - grouped.transform("mean")) ** 2
        squares = named.groupby(["cluster", "graph"])["square"].sum()
        return cls(
            means=means,
            counts=counts,
            within=squares.reindex(wide["mean"].index)[complete].to_numpy(dtype=float),
            clusters=pd.factorize(wide["mean"].index.get_level_values("cluster")[complete])[0],
            dropped_graphs=int((~complete).sum()),
        )

    @property
    def num_clusters(self) -> int:
        """Number of independent base graphs."""
        return int(self.clusters.max()) + 1 if len(self.clusters) else 0

    def why_not(self) -> str:
        """Why nothing can be decomposed; empty where it can."""
        graphs, models = self.means.shape
        if graphs < 2:
            return f"{graphs} graphs have every architecture: at least 2 are needed"
        if models < 2:
            return f"{models} architectures: at least 2 are needed"
        if np.ptp(self.means) == 0 and self.within.sum() == 0:
            return "the outcome is the same everywhere"
        return ""

    def shares(self, weights: Array, lost: float = 1.0) -> Array:
        """ω² of graph, architecture, interaction and residual when graphs count `weights` times.

        lost: what the spread between graphs is multiplied by. Shapes: weights (B, A) → (B, 4).
        """
        models = self.means.shape[1]
        number = weights.sum(axis=1)
        of_graph = self.means.mean(axis=1)
        grand = weights @ of_graph / number
        of_model = weights @ self.means / number[:, None]
        pairs = number * models / (weights @ (1 / self.counts).sum(axis=1))
        between = (weights * np.square(of_graph - grand[:, None])).sum(axis=1) * models * pairs * lost
        architecture = number * np.square(of_model - grand[:, None]).sum(axis=1) * pairs
        spread = weights @ np.square(self.means - of_graph[:, None]).sum(axis=1) * pairs
        interaction = np.maximum(spread - architecture, 0.0) * lost
        df_graph, df_model = number - 1, models - 1.0
        df_residual = weights @ (self.counts - 1).sum(axis=1)
        alone = df_residual.max() == 0
        if alone:
            error, inside = interaction / (df_graph * df_model), np.zeros_like(number)
        else:
            error = np.divide(weights @ self.within, df_residual, out=np.zeros_like(number), where=df_residual > 0)
            inside = error * number * models * (pairs - 1)
        total = between + architecture + interaction + inside + error
        effects = np.stack(
            [
                between - df_graph * error,
                architecture - df_model * error,
                np.full_like(total, np.nan) if alone else interaction - df_graph * df_model * error,
            ],
            axis=1,
        )
        omega = np.divide(effects, total[:, None], out=np.full_like(effects, np.nan), where=total[:, None] > 0)
        return np.column_stack([omega, 1 - np.nansum(omega, axis=1)])


def _rows(cells: Cells, bootstrap: int, confidence: float, rng: np.random.Generator) -> list[dict[str, object]]:
    about: dict[str, object] = {
        "num_graphs": len(cells.means),
        "num_clusters": cells.num_clusters,
        "num_models": cells.means.shape[1],
        "num_pairs": int(cells.counts.sum()),
        "dropped_graphs": cells.dropped_graphs,
        "note": cells.why_not(),
    }
    parts = [*PARTS, DIFFERENCE]
    if about["note"]:
        return [{"part": part} | about for part in parts]
    notes = []
    if cells.counts.max() == 1:
        notes.append(ONE_PAIR)
    values = _with_difference(cells.shares(np.ones((1, len(cells.means)))))[0]
    ends = [(np.nan, np.nan)] * len(parts)
    if (number := cells.num_clusters) >= ENOUGH_CLUSTERS:
        counts = cluster_counts(cells.clusters, bootstrap, rng)
        resampled = _with_difference(cells.shares(counts, number / (number - 1)))
        ends = [
            _interval(value, column, -1.0 if part == DIFFERENCE else 0.0, number, confidence)
            for part, value, column in zip(parts, values, resampled.T)
        ]
    else:
        notes.append(f"{number} clusters: no bootstrap interval")
    return [
        {"part": part, "omega2": value, "ci_low": low, "ci_high": high} | about | {"note": "; ".join(notes)}
        for part, value, (low, high) in zip(parts, values.tolist(), ends)
    ]


def _interval(value: float, resampled: Array, least: float, clusters: int, confidence: float) -> tuple[float, float]:
    """Student's t around the value, on the logit of the range from `least` to 1, made a little wider."""
    from scipy.stats import t as student

    known = resampled[np.isfinite(resampled)]
    if not np.isfinite(value) or len(known) < 2 or len(known) <= len(resampled) / 2:
        return float("nan"), float("nan")
    low, high = least - _BEYOND, 1 + _BEYOND

    def logit(share: Array) -> Array:
        inside = np.clip(share, low + 1e-3, high - 1e-3)
        return np.asarray(np.log((inside - low) / (high - inside)))

    middle = float(logit(np.array(value)))
    half = student.ppf((1 + confidence) / 2, clusters - 1) * float(logit(known).std(ddof=1))
    ends = low + (high - low) / (1 + np.exp(-np.array([middle - half, middle + half])))
    # Below 0 an estimate may lie, above 1 it cannot.
    return float(ends[0]), min(float(ends[1]), 1.0)


def _with_difference(shares: Array) -> Array:
    return np.column_stack([shares, shares[:, 0] - shares[:, 1]])
