"""How well the statistics of a graph predict the barriers on graphs that were not looked at (science 1.8)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from gnnmc.analysis.inference import ENOUGH_CLUSTERS
from gnnmc.analysis.log_barrier import check_not_negative, log_barrier
from gnnmc.analysis.ranks import Array
from gnnmc.analysis.resampling import Indices, cluster_counts
from gnnmc.analysis.units import BY, Group, check_columns, graph_groups
from gnnmc.errors import InputError
from gnnmc.seeding import numpy_generator, stream

# scikit-learn is imported where it is used: every process of a run imports this package, and one of them predicts.
if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

# Fewer clusters than this leave nothing to hold out.
FEWEST_CLUSTERS = 4

SCORE_COLUMNS = (
    "predictors",
    "statistics",
    "outcome",
    "r2",
    "ci_low",
    "ci_high",
    "confidence",
    "error_factor",
    "num_graphs",
    "num_clusters",
    "folds",
    "dropped_statistics",
    "dropped_graphs",
    "note",
)
IMPORTANCE_COLUMNS = ("predictors", "statistic", "outcome", "importance", "num_graphs", "num_clusters")

_Folds: TypeAlias = list[tuple[Indices, Indices]]


@dataclass(frozen=True)
class Prediction:
    """What `predict_barrier` found.

    scores: one row per (group, set of predictors): the columns of `by`, then `predictors` (the set's name),
    `statistics, outcome`, `r2` (out of fold; 1: perfect, 0: no better than the mean of the other folds, below: worse),
    `ci_low, ci_high, confidence`, `error_factor` (typical factor between predicted and measured B + 1e-3), `num_graphs,
    num_clusters, folds, dropped_statistics` (constant ones), `dropped_graphs` (a value is missing), `note`.
    importances: one row per (group, set, statistic): `importance` is the loss of r2 when the statistic's values are
    exchanged between graphs. Statistics that carry the same information share it: each can be replaced by the others.
    """

    scores: pd.DataFrame
    importances: pd.DataFrame


def predict_barrier(
    table: pd.DataFrame,
    predictors: Mapping[str, Sequence[str]],
    *,
    outcome: str = "barrier",
    by: Sequence[str] = BY,
    graph: str = "graph",
    cluster: str = "cluster",
    folds: int = 5,
    repeats: int = 50,
    bootstrap: int = 2_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Prediction:
    """Predict log(B + 1e-3) from statistics of the graph, on graphs held out.

    The pairs are averaged within (graph, group) first, as in `associate`. Folds never split a cluster: no version of a
    graph is predicted from another version of it. The model is additive: a smooth curve (quadratic spline, 4 knots at
    quantiles) per statistic, ridge penalty chosen within the training folds by leave-one-out. The interval resamples
    the clusters of the held-out errors (percentiles, from 10 clusters on); the model is not refitted in it.

    predictors: name of a set → its statistics, e.g. {"homophily alone": ["homophily_edge"], "all": [...]}.
    folds: at most as many as clusters. repeats: exchanges per statistic, of which the importance is the mean.

    Shapes: table: one row per (graph, pair, group). See `Prediction` for what comes back.
    Raises InputError as `associate` does, for an empty set, for settings out of range, and for outcomes below zero, of
    which there is no such logarithm (a midpoint barrier, say). Source: science 1.8.
    """
    named = checked_predictors(predictors)
    _check_settings(folds, repeats, bootstrap, confidence)
    statistics = list(dict.fromkeys(name for names in named.values() for name in names))
    check_columns(table, outcome, statistics, by=by, graph=graph, cluster=cluster)
    check_not_negative(table[outcome], outcome)
    scores: list[dict[str, object]] = []
    importances: list[dict[str, object]] = []
    from sklearn import config_context

    # Its checks take scikit-learn longer than models of a few dozen graphs do, and these are sound.
    with config_context(assume_finite=True, skip_parameter_validation=True):
        for group in graph_groups(table, outcome, statistics, by=by, graph=graph, cluster=cluster):
            for label, names in named.items():
                held_out = _HeldOut(group, label, names, outcome, cluster, folds, (seed, outcome, *by, *group.names()))
                where = dict(zip(by, group.values)) | {"predictors": label, "outcome": outcome}
                scores.append(where | held_out.score(bootstrap, confidence))
                importances += [where | row for row in held_out.importances(repeats)]
    return Prediction(
        pd.DataFrame(scores, columns=[*by, *SCORE_COLUMNS]),
        pd.DataFrame(importances, columns=[*by, *IMPORTANCE_COLUMNS]),
    )


class _HeldOut:
    """One set of predictors on the graphs of one group: models of the training folds, and what they say of the rest."""

    def __init__(
        self,
        group: Group,
        label: str,
        names: Sequence[str],
        outcome: str,
        cluster: str,
        folds: int,
        stream_names: tuple[object, ...],
    ) -> None:
        graphs = group.units.dropna(subset=list(names))
        self.dropped_graphs = group.num_known - len(graphs)
        self.constant = [name for name in names if graphs[name].nunique() < 2]
        self.names = [name for name in names if name not in self.constant]
        self.clusters: Indices = pd.factorize(graphs[cluster])[0]
        self.num_clusters = int(self.clusters.max()) + 1 if len(graphs) else 0
        self.x = graphs[self.names].to_numpy(dtype=float)
        self.y = log_barrier(graphs[outcome])
        self.streams = stream_names
        self.folds: _Folds = []
        self.models: list[Pipeline] = []
        if not self.why_not():
            from sklearn.model_selection import GroupKFold

            splitter = GroupKFold(min(folds, self.num_clusters), shuffle=True, random_state=self._seed("folds"))
            self.folds = list(splitter.split(self.x, self.y, self.clusters))
            self.models = [additive_model().fit(self.x[train], self.y[train]) for train, _ in self.folds]
            # What a fold is compared with: the mean of the graphs that its model was fitted on.
            self.plain = self._out_of_fold([np.full(len(test), self.y[train].mean()) for train, test in self.folds])
            self.spread = float(np.square(self.y - self.plain).sum())

    def why_not(self) -> str:
        """Why nothing can be predicted; empty where it can."""
        if self.num_clusters < FEWEST_CLUSTERS:
            return f"{self.num_clusters} clusters: at least {FEWEST_CLUSTERS} are needed to hold some out"
        if not self.names:
            return "every statistic is the same for all graphs"
        if np.ptp(self.y) == 0:
            return "the outcome is the same for all graphs"
        return ""

    def score(self, bootstrap: int, confidence: float) -> dict[str, object]:
        """The row of `Prediction.scores`, without the group."""
        row: dict[str, object] = {
            "statistics": ", ".join(self.names),
            "confidence": confidence,
            "num_graphs": len(self.y),
            "num_clusters": self.num_clusters,
            "folds": len(self.folds),
            "dropped_statistics": ", ".join(self.constant),
            "dropped_graphs": self.dropped_graphs,
            "note": self.why_not(),
        }
        if not self.folds:
            return row
        errors = np.square(self.y - self.predicted(self.x))
        row |= {"r2": 1 - errors.sum() / self.spread, "error_factor": float(np.exp(np.sqrt(errors.mean())))}
        if self.num_clusters < ENOUGH_CLUSTERS:
            return row | {"note": f"{self.num_clusters} clusters: no bootstrap interval"}
        counts = cluster_counts(self.clusters, bootstrap, numpy_generator("predict", "bootstrap", *self.streams))
        values = 1 - (counts @ errors) / (counts @ np.square(self.y - self.plain))
        tail = (1 - confidence) / 2
        low, high = np.quantile(values, [tail, 1 - tail])
        return row | {"ci_low": float(low), "ci_high": float(high)}

    def importances(self, repeats: int) -> list[dict[str, object]]:
        """Rows of `Prediction.importances`, without the group; the most important first."""
        if not self.folds:
            return []
        error = float(np.square(self.y - self.predicted(self.x)).sum())
        orders = numpy_generator("predict", "exchange", *self.streams)
        rows = []
        for place, name in enumerate(self.names):
            exchanged = np.tile(self.x, (repeats, 1, 1))
            exchanged[:, :, place] = orders.permuted(exchanged[:, :, place], axis=1)
            errors = np.square(self.y - self.predicted(exchanged)).sum(axis=1)
            rows.append({"statistic": name, "importance": float(errors.mean() - error) / self.spread})
        sizes = {"num_graphs": len(self.y), "num_clusters": self.num_clusters}
        return [row | sizes for row in sorted(rows, key=lambda row: -float(str(row["importance"])))]

    def predicted(self, x: Array) -> Array:
        """What the models say of the graphs they were not fitted on. Shapes: (…, N, S) → (…, N)."""
        parts = [self._ask(model, x[..., test, :]) for model, (_, test) in zip(self.models, self.folds)]
        return self._out_of_fold(parts)

    @staticmethod
    def _ask(model: "Pipeline", x: Array) -> Array:
        flat: Array = model.predict(x.reshape(-1, x.shape[-1]))
        return flat.reshape(x.shape[:-1])

    def _out_of_fold(self, parts: Sequence[Array]) -> Array:
        joined = np.empty((*parts[0].shape[:-1], len(self.y)))
        for part, (_, test) in zip(parts, self.folds):
            joined[..., test] = part
        return joined

    def _seed(self, purpose: str) -> int:
        return stream("predict", purpose, *self.streams) % 2**32


def additive_model() -> "Pipeline":
    """A smooth curve (quadratic spline, 4 knots at quantiles) per statistic, ridge penalty by leave-one-out."""
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import SplineTransformer, StandardScaler

    splines = SplineTransformer(n_knots=4, degree=2, knots="quantile", extrapolation="constant", include_bias=False)
    return make_pipeline(splines, StandardScaler(), RidgeCV(alphas=np.logspace(-2, 3, 11)))


def checked_predictors(predictors: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Name of a set → its statistics, each once. Raises InputError for no sets, and for a set without statistics."""
    if not isinstance(predictors, Mapping) or not predictors:
        raise InputError('predictors: give name → statistics, e.g. {"homophily alone": ["homophily_edge"]}')
    for label, names in predictors.items():
        if isinstance(names, str) or not names:
            raise InputError(f"predictors[{label!r}]={names!r}: give a list of at least one column name")
    return {label: list(dict.fromkeys(names)) for label, names in predictors.items()}


def _check_settings(folds: int, repeats: int, bootstrap: int, confidence: float) -> None:
    for name, value, least in (("folds", folds, 2), ("repeats", repeats, 1), ("bootstrap", bootstrap, 1)):
        if value < least:
            raise InputError(f"{name}={value} is out of range: at least {least} is needed")
    if not 0 < confidence < 1:
        raise InputError(f"confidence={confidence} is out of range: a number between 0 and 1 is needed, e.g. 0.95")
