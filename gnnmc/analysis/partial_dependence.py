"""How the predicted barrier moves with one statistic, the others as the graphs have them."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from gnnmc.analysis.log_barrier import check_not_negative, from_log, log_barrier
from gnnmc.analysis.prediction import FEWEST_CLUSTERS, additive_model, checked_predictors
from gnnmc.analysis.ranks import Array
from gnnmc.analysis.units import BY, check_columns, graph_groups
from gnnmc.numbers import whole_number

# A statistic is in clumps if there are no more of them than this, of two values or more on average; parts of the range
# that lie between two of them at least, that one spans at most, and that all span at most [all ours].
_MOST_CLUMPS, _APART, _WIDEST, _COVERED = 8, 0.05, 0.2, 0.4
DEPENDENCE_COLUMNS = (
    "predictors",
    "statistic",
    "outcome",
    "value",
    "predicted",
    "num_graphs",
    "num_clusters",
    "note",
)


def partial_dependence(
    table: pd.DataFrame,
    predictors: Mapping[str, Sequence[str]],
    *,
    outcome: str = "barrier",
    by: Sequence[str] = BY,
    graph: str = "graph",
    cluster: str = "cluster",
    points: int = 21,
) -> pd.DataFrame:
    """The barrier that the model of `predict_barrier`, fitted on all clusters, gives along each statistic.

    Every graph is given the value in turn and the predicted logarithms are averaged (Friedman 2001). The values are
    ones that graphs have: between values that are far apart a smooth curve may bend as nothing in the data says.
    Statistics that move together are still taken apart by the model, so a curve may speak of graphs that there are none
    of. How far to believe it is said by `r2` on graphs held out (`predict_barrier`).

    points: values per statistic at most, the least and the largest among them and the others at even ranks. Where the
    values of graphs lie in a few clumps (8 at most, more than 5 % of the range apart, none wider than 20 % and all
    together no wider than 40 %), as those of generated graphs do, the median of each clump (of an even number, the
    lower of its middle two) in place of these.

    Shapes: table: one row per (graph, pair, group) → one row per (group, set, statistic, value): the columns of `by`,
    `predictors` (the set's name), `statistic, outcome, value`, `predicted` (of the outcome, from the mean logarithm),
    `num_graphs, num_clusters, note`; one row with the reason where there is no model.

    Raises InputError as `predict_barrier` does. Source: science 1.8; Friedman 2001, section 8.2.
    """
    named = checked_predictors(predictors)
    points = whole_number("points", points, least=2)
    statistics = list(dict.fromkeys(name for names in named.values() for name in names))
    check_columns(table, outcome, statistics, by=by, graph=graph, cluster=cluster)
    check_not_negative(table[outcome], outcome)
    rows: list[dict[str, object]] = []
    for group in graph_groups(table, outcome, statistics, by=by, graph=graph, cluster=cluster):
        for label, names in named.items():
            graphs = group.units.dropna(subset=names)
            sizes = {"num_graphs": len(graphs), "num_clusters": graphs[cluster].nunique()}
            about = {**dict(zip(by, group.values)), "predictors": label, "outcome": outcome, "note": ""} | sizes
            rows += [about | row for row in _curves(graphs, names, outcome, points, sizes["num_clusters"])]
    return pd.DataFrame(rows, columns=[*by, *DEPENDENCE_COLUMNS])


def _curves(
    graphs: pd.DataFrame, names: Sequence[str], outcome: str, points: int, clusters: int
) -> list[dict[str, object]]:
    varied = [name for name in names if graphs[name].nunique() > 1]
    y = log_barrier(graphs[outcome])
    if clusters < FEWEST_CLUSTERS:
        return [{"note": f"{clusters} clusters: at least {FEWEST_CLUSTERS} are needed to fit a model"}]
    if not varied or np.ptp(y) == 0:
        what = "the outcome" if varied else "every statistic"
        return [{"note": f"{what} is the same for all graphs"}]
    x = graphs[varied].to_numpy(dtype=float)
    model = additive_model().fit(x, y)
    rows: list[dict[str, object]] = []
    for place, name in enumerate(varied):
        values = _values(x[:, place], points)
        moved = np.tile(x, (len(values), 1, 1))
        moved[:, :, place] = values[:, None]
        means = model.predict(moved.reshape(-1, len(varied))).reshape(len(values), -1).mean(axis=1)
        rows += [
            {"statistic": name, "value": float(value), "predicted": float(predicted)}
            for value, predicted in zip(values, from_log(means))
        ]
    return rows


def _values(of_graphs: Array, points: int) -> Array:
    """Values of graphs at which a curve is taken: a clump counts once. Shapes: (A,) → (V,), in order."""
    there, ordered = np.unique(of_graphs), np.sort(of_graphs)
    clumps = np.split(ordered, np.flatnonzero(np.diff(ordered) > _APART * np.ptp(there)) + 1)
    widths = np.array([np.ptp(clump) for clump in clumps]) / np.ptp(there)
    few = len(clumps) <= min(_MOST_CLUMPS, len(there) // 2)
    if few and widths.max() <= _WIDEST and widths.sum() <= _COVERED:
        return np.array([clump[(len(clump) - 1) // 2] for clump in clumps])
    if len(there) <= points:
        return there
    return np.asarray(there[np.linspace(0, len(there) - 1, points).round().astype(int)])
