"""A check on the shares of variance: the same decomposition with random effects, where it can be fitted."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from gnnmc.analysis.log_barrier import log_barrier
from gnnmc.analysis.variance_shares import ONE_PAIR, PARTS, decompositions
from gnnmc.numbers import whole_number

MIXED_COLUMNS = (
    "left_out",
    "outcome",
    *(f"variance_{part}" for part in PARTS),
    *(f"share_{part}" for part in PARTS),
    "converged",
    "num_graphs",
    "num_models",
    "num_pairs",
    "note",
)


def mixed_model_check(
    table: pd.DataFrame,
    *,
    outcome: str = "barrier",
    by: Sequence[str] = ("path", "split"),
    graph: str = "graph",
    model: str = "model",
    cluster: str = "cluster",
    without: Sequence[str] = (),
    most_rows: int = 600,
) -> pd.DataFrame:
    """Variance components of log(B + 1e-3) with crossed random effects of graph, architecture and their cells (REML).

    A check on `variance_shares`: it takes graphs and architectures for samples of a population, uses graphs that lack
    an architecture too, and has no interval. With four architectures the component of the architecture is a guess at
    best. The fit may fail, or end at a component of 0: `converged` and `note` say so, and nothing is raised or warned
    of.

    most_rows: of more, the first pairs of every cell are used, as many as fit: time and memory grow with the cube and
    the square of the rows.

    Shapes: table: one row per (graph, model, pair, group) → one row per (group, model left out): the columns of `by`,
    `left_out, outcome, variance_graph, variance_architecture, variance_interaction, variance_residual`, `share_…` of
    the same four (they add up to 1), `converged` (bool), `num_graphs, num_models, num_pairs, note`.

    Raises InputError for a table that `variance_shares` refuses, before any fit. Source: science 1.8; statsmodels
    MixedLM.
    """
    most_rows = whole_number("most_rows", most_rows, least=1)
    rows = []
    for values, left_out, kept in decompositions(table, outcome, by, graph, model, cluster, without):
        order = kept.sort_values([cluster, graph, model, outcome]) if len(kept) > most_rows else kept
        used = _first_pairs(order, [graph, model], most_rows)
        about = {**dict(zip(by, values)), "left_out": left_out, "outcome": outcome}
        sizes = {"num_graphs": used[graph].nunique(), "num_models": used[model].nunique(), "num_pairs": len(used)}
        found = _fit(log_barrier(used[outcome]), used[graph].astype(str), used[model].astype(str))
        if len(used) < len(kept):
            found["note"] = "; ".join(filter(None, [f"{len(used)} of {len(kept)} pairs used", str(found["note"])]))
        rows.append(about | sizes | found)
    return pd.DataFrame(rows, columns=[*by, *MIXED_COLUMNS])


def _first_pairs(rows: pd.DataFrame, cell: list[str], most: int) -> pd.DataFrame:
    place = rows.groupby(cell, observed=True).cumcount()
    fits = [number for number in range(1, int(place.max()) + 2 if len(rows) else 1) if (place < number).sum() <= most]
    return rows[place < max(fits, default=1)]


def _fit(y: Any, graphs: "pd.Series[str]", models: "pd.Series[str]") -> dict[str, object]:
    failed: dict[str, object] = {"converged": False}
    if graphs.nunique() < 2 or models.nunique() < 2:
        return failed | {"note": "at least 2 graphs and 2 architectures are needed"}
    if len(y) <= (graphs + "\0" + models).nunique():
        return failed | {"note": ONE_PAIR}
    if np.ptp(y) == 0:
        return failed | {"note": "the outcome is the same everywhere"}
    levels = {"graph": graphs, "architecture": models, "interaction": graphs + "\0" + models}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            from statsmodels.regression.mixed_linear_model import MixedLM, VCSpec

            dummies = {name: pd.get_dummies(values).to_numpy(dtype=float) for name, values in levels.items()}
            spec = VCSpec(
                list(dummies),
                [[[str(column) for column in range(each.shape[1])]] for each in dummies.values()],
                [[each] for each in dummies.values()],
            )
            scale = float(np.std(y))
            fit = MixedLM(y / scale, np.ones((len(y), 1)), np.zeros(len(y)), exog_vc=spec).fit(reml=True)
            components = [*map(float, fit.vcomp), float(fit.scale)]
            converged = bool(fit.converged) and bool(np.isfinite(components).all())
        # Whatever a fit of somebody else's may fail with: that it failed is the result.
        except Exception as error:
            return failed | {"note": f"the fit failed: {type(error).__name__}: {' '.join(str(error).split())}"}
    variances = [value * scale**2 for value in components]
    total = sum(variances)
    notes = [] if converged else ["the fit did not converge"]
    notes += [f"the component of {name} ended at 0" for name, value in zip(levels, components) if value < 1e-6]
    notes += list(dict.fromkeys(" ".join(str(each.message).split()) for each in caught))
    return {
        **{f"variance_{part}": value for part, value in zip(PARTS, variances)},
        **{f"share_{part}": value / total for part, value in zip(PARTS, variances)},
        "converged": converged,
        "note": "; ".join(notes),
    }
