"""The barrier over two settings at once, and whether the effect of one depends on the other."""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
import pandas as pd

from gnnmc.analysis.log_barrier import check_not_negative, log_barrier
from gnnmc.analysis.ranks import NOTHING_LEFT, Array
from gnnmc.analysis.resampling import Indices, arrangements, check_resampling
from gnnmc.analysis.units import BY, Group, check_columns, graph_groups
from gnnmc.errors import InputError
from gnnmc.seeding import numpy_generator

MAP_COLUMNS = ("x", "y", "value", "se", "x_statistic", "y_statistic", "outcome", "num_graphs", "num_clusters")
TEST_COLUMNS = (
    "x_statistic",
    "y_statistic",
    "outcome",
    "share",
    "f",
    "df_interaction",
    "df_residual",
    "p_permutation",
    "moved",
    "num_cells",
    "num_graphs",
    "num_clusters",
    "dropped_graphs",
    "note",
)
# Arrangements whose sums of squares are taken at once.
_CHUNK = 1000


def interaction_map(
    table: pd.DataFrame,
    x: str,
    y: str,
    *,
    outcome: str = "barrier",
    by: Sequence[str] = BY,
    graph: str = "graph",
    cluster: str = "cluster",
) -> pd.DataFrame:
    """The mean outcome of every cell of a grid of two factors, ready to be drawn (`gnnmc.draw`, `maps.draw_map`).

    Pairs are averaged within a graph first, so every graph counts once. The standard error is that of a mean of
    clusters of graphs, √(K/(K − 1)·Σ_c(Σ_{i in c}(B_i − mean))²)/n: with a cluster for every graph, s/√n.

    Shapes: table: one row per (graph, pair, group); x and y take one value on the rows of a graph → one row per (group,
    cell with a graph): the columns of `by`, `x, y, value, se` (NaN with one cluster), `x_statistic, y_statistic,
    outcome, num_graphs, num_clusters`.

    Raises InputError as `associate` does, and for a graph with several values of x or y. Source: science 1.8.
    """
    rows: list[dict[str, object]] = []
    for group in _grid_groups(table, x, y, outcome, by, graph, cluster):
        for (at_x, at_y), cell in group.units.dropna(subset=[x, y]).groupby([x, y]):
            values = cell[outcome].to_numpy(dtype=float)
            sums = pd.Series(values - values.mean()).groupby(cell[cluster].to_numpy()).sum().to_numpy()
            number = len(sums)
            se = np.sqrt(number / (number - 1) * np.square(sums).sum()) / len(values) if number > 1 else np.nan
            rows.append(
                {
                    **dict(zip(by, group.values)),
                    "x": at_x,
                    "y": at_y,
                    "value": float(values.mean()),
                    "se": float(se),
                    "x_statistic": x,
                    "y_statistic": y,
                    "outcome": outcome,
                    "num_graphs": len(values),
                    "num_clusters": number,
                }
            )
    return pd.DataFrame(rows, columns=[*by, *MAP_COLUMNS])


def interaction_test(
    table: pd.DataFrame,
    x: str,
    y: str,
    *,
    outcome: str = "barrier",
    by: Sequence[str] = BY,
    graph: str = "graph",
    cluster: str = "cluster",
    permutations: int = 10_000,
    seed: int = 0,
) -> pd.DataFrame:
    """Is log(B + 1e-3) a sum of an effect of x and one of y, or does the effect of one depend on the other?

    The additive model is fitted to the graphs (pairs averaged), every value of x and y a level of its own. `f` is what
    the means of the cells explain beyond it, per degree of freedom, over the variance within cells. The residuals of
    the additive model are rearranged over clusters and the model is fitted anew (Freedman and Lane 1983, approximate):
    clusters of one cell each exchange places with others of their size; where clusters lie in several cells (a base
    graph in many versions), every cluster has a level of its own and the signs of its residuals are flipped together.

    An interaction depends on the scale: effects that multiply are a sum of logarithms.

    Shapes: table: as for `interaction_map` → one row per group: the columns of `by`, `x_statistic, y_statistic,
    outcome, share` (of the variance between cells that the additive model leaves), `f, df_interaction, df_residual,
    p_permutation, moved` (what was rearranged), `num_cells, num_graphs, num_clusters, dropped_graphs` (x, y or the
    outcome is missing), `note`.

    Raises InputError as `interaction_map` does, and for outcomes below 0. Source: science 1.8 (scale, clusters) [ours];
    Anderson and ter Braak 2003.
    """
    check_resampling(permutations, 1, 0.95)
    rows = []
    for group in _grid_groups(table, x, y, outcome, by, graph, cluster):
        check_not_negative(group.units[outcome], outcome)
        units = group.units.dropna(subset=[x, y])
        rng = numpy_generator("interaction", seed, outcome, x, y, *map(str, by), *group.names())
        about = {"x_statistic": x, "y_statistic": y, "outcome": outcome, "dropped_graphs": group.num_known - len(units)}
        xs, ys, clusters = (pd.factorize(units[name])[0] for name in (x, y, cluster))
        tested = _test(log_barrier(units[outcome]), xs, ys, clusters, permutations, rng)
        rows.append(dict(zip(by, group.values)) | about | tested)
    return pd.DataFrame(rows, columns=[*by, *TEST_COLUMNS])


def _grid_groups(
    table: pd.DataFrame, x: str, y: str, outcome: str, by: Sequence[str], graph: str, cluster: str
) -> Iterator[Group]:
    if x == y:
        raise InputError(f"x and y are both {x!r}: two different columns are needed")
    check_columns(table, outcome, [x, y], by=by, graph=graph, cluster=cluster)
    for name in (x, y):
        several = table.groupby([*by, graph], observed=True, dropna=False)[name].nunique()
        if (several > 1).any():
            which = several.idxmax()
            raise InputError(
                f"graph {which[-1] if isinstance(which, tuple) else which!r} has {several.max()} values of {name!r}: "
                "name the graph of every setting apart, and let the base graph be its cluster"
            )
    yield from graph_groups(table, outcome, [x, y], by=by, graph=graph, cluster=cluster)


def _test(
    values: Array, xs: Indices, ys: Indices, clusters: Indices, permutations: int, rng: np.random.Generator
) -> dict[str, object]:
    cells = np.unique(np.stack([xs, ys]), axis=1, return_inverse=True)[1].ravel()
    found: dict[str, object] = {
        "num_cells": len(np.unique(cells)),
        "num_graphs": len(values),
        "num_clusters": len(np.unique(clusters)),
        "moved": "",
        "p_permutation": np.nan,
    }
    if not len(values):
        return found | {"note": "no graphs"}
    crossed = bool((pd.Series(cells).groupby(clusters).nunique() > 1).any())
    block = [_levels(clusters)] if crossed else []
    additive, full = _basis([_levels(xs), _levels(ys), *block]), _basis([_levels(cells), *block])
    df_interaction, df_residual = full.shape[1] - additive.shape[1], len(values) - full.shape[1]
    found |= {"df_interaction": df_interaction, "df_residual": df_residual}
    if df_interaction < 1:
        return found | {"note": "the cells with graphs leave no interaction to see: vary both settings together"}
    residual = values - additive @ (additive.T @ values)
    beyond = float(np.square(residual @ full).sum())
    between = float(np.square((values - values.mean()) @ _basis([_levels(cells)])).sum())
    found["share"] = beyond / between if between > NOTHING_LEFT else np.nan
    if df_residual < 1:
        return found | {"note": "one graph in every cell: an interaction cannot be told from differences of graphs"}
    if np.square(residual).sum() <= NOTHING_LEFT * max(np.square(values - values.mean()).sum(), NOTHING_LEFT):
        return found | {"note": "nothing is left of the additive model"}

    def ratio(rows: Array) -> Array:
        total, sums = (np.square(each).sum(axis=1) for each in (rows, rows @ full))
        explained = sums - np.square(rows @ additive).sum(axis=1)
        inside = np.maximum(total - sums, NOTHING_LEFT * total)
        return np.asarray((explained / df_interaction) / (inside / df_residual))

    f = float(ratio(residual[None, :])[0])
    found["f"] = f
    if crossed:
        signs, exact = _sign_flips(int(clusters.max()) + 1, permutations, rng)
        draws = [ratio(residual * signs[first : first + _CHUNK][:, clusters]) for first in range(0, len(signs), _CHUNK)]
        found["moved"] = "signs of clusters"
    else:
        moved, exact = arrangements(clusters, permutations, rng)
        draws = [ratio(residual[moved[first : first + _CHUNK]]) for first in range(0, len(moved), _CHUNK)]
        found["moved"] = "clusters"
    drawn = np.concatenate(draws)
    if np.ptp(np.append(drawn, f)) <= 1e-9 * abs(f):
        return found | {"note": "rearranging the clusters changes nothing: no p-value"}
    as_large = int((drawn >= f * (1 - 1e-9)).sum())
    p_value = as_large / len(drawn) if exact else (as_large + 1) / (len(drawn) + 1)
    few = exact and len(drawn) < 40
    note = f"only {len(drawn)} arrangements of the clusters" if few else ""
    return found | {"p_permutation": p_value, "note": note}


def _sign_flips(clusters: int, limit: int, rng: np.random.Generator) -> tuple[Array, bool]:
    """All signs of the clusters when they are at most `limit`, else as many random ones. Shapes: → (A, K)."""
    if clusters < 60 and 2**clusters <= limit:
        return np.array(list(product((1.0, -1.0), repeat=clusters))), True
    return rng.choice([1.0, -1.0], size=(limit, clusters)), False


def _levels(codes: Indices) -> Array:
    return np.eye(int(codes.max()) + 1)[codes]


def _basis(columns: list[Array]) -> Array:
    """An orthonormal basis of what the columns span. Shapes: (N, …) each → (N, Q)."""
    left, sizes, _ = np.linalg.svd(np.hstack(columns), full_matrices=False)
    return left[:, sizes > NOTHING_LEFT * sizes.max()]
