"""Does another statistic follow the barrier more closely than the one asked about?"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gnnmc.analysis.inference import ENOUGH_CLUSTERS, Resampling, Sample, bootstrap_correlations
from gnnmc.analysis.ranks import rank_correlations
from gnnmc.analysis.units import BY, Group, graph_groups
from gnnmc.errors import InputError

COMPARISON_COLUMNS = (
    "reference",
    "rival",
    "outcome",
    "rho_reference",
    "rho_rival",
    "advantage",
    "ci_low",
    "ci_high",
    "confidence",
    "num_graphs",
    "num_clusters",
    "note",
)


def compare_statistics(
    table: pd.DataFrame,
    reference: str,
    rivals: Sequence[str],
    *,
    outcome: str = "barrier",
    by: Sequence[str] = BY,
    graph: str = "graph",
    cluster: str = "cluster",
    bootstrap: int = 2_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """|rho| of each rival minus |rho| of the reference, on the same graphs, with a bootstrap over clusters.

    Both correlations are taken in the same resamples, so what the two share cancels. The intervals hold for all rivals
    of a group together: each is at level 1 − (1 − confidence)/rivals (Bonferroni). No interval below 10 clusters.

    Shapes: one row per (group, rival): the columns of `by`, `reference, rival, outcome, rho_reference, rho_rival,
    advantage` (|rho_rival| − |rho_reference|, > 0: the rival is closer), `ci_low, ci_high, confidence` (of all
    intervals of the group together), `num_graphs, num_clusters, note`.

    Raises InputError as `associate` does, and when the reference is among the rivals. Source: science 1.6, 1.8 [ours].
    """
    if isinstance(rivals, str) or not rivals or reference in rivals:
        raise InputError(f"rivals={rivals!r}: give a list of statistics other than the reference {reference!r}")
    rivals = list(dict.fromkeys(rivals))
    level = 1 - (1 - confidence) / len(rivals)
    rows: list[dict[str, object]] = []
    for group in graph_groups(table, outcome, [reference, *rivals], by=by, graph=graph, cluster=cluster):
        resampling = Resampling(1, bootstrap, level, (seed, outcome, *by, *group.names()))
        for rival in rivals:
            rows.append(
                {
                    **dict(zip(by, group.values)),
                    "reference": reference,
                    "rival": rival,
                    "outcome": outcome,
                    "confidence": confidence,
                    **_compare(_sample(group, [reference, rival], outcome, cluster), resampling),
                }
            )
    return pd.DataFrame(rows, columns=[*by, *COMPARISON_COLUMNS])


def _sample(group: Group, statistics: list[str], outcome: str, cluster: str) -> Sample:
    graphs = group.units.dropna(subset=statistics)
    return Sample(
        outcome=graphs[outcome].to_numpy(),
        statistics=graphs[statistics].to_numpy(),
        controls=np.empty((len(graphs), 0)),
        clusters=pd.factorize(graphs[cluster])[0],
    )


def _compare(sample: Sample, resampling: Resampling) -> dict[str, object]:
    found: dict[str, object] = {
        "rho_reference": np.nan,
        "rho_rival": np.nan,
        "advantage": np.nan,
        "ci_low": np.nan,
        "ci_high": np.nan,
        "num_graphs": sample.num_graphs,
        "num_clusters": sample.num_clusters,
        "note": "",
    }
    rhos = np.full(2, np.nan)
    if sample.num_graphs >= 3:
        rhos = rank_correlations(sample.statistics, sample.outcome, sample.controls)
    found["rho_reference"], found["rho_rival"] = map(float, rhos)
    if np.isnan(rhos).any():
        return found | {"note": "a correlation is not defined"}
    found["advantage"] = float(abs(rhos[1]) - abs(rhos[0]))
    if sample.num_clusters < ENOUGH_CLUSTERS:
        return found | {"note": f"{sample.num_clusters} clusters: no bootstrap interval"}
    sizes = np.abs(bootstrap_correlations(sample, resampling))
    advantages = (sizes[:, 1] - sizes[:, 0])[~np.isnan(sizes).any(axis=1)]
    if len(advantages) <= len(sizes) / 2:
        return found | {"note": "a correlation is not defined in half of the resamples"}
    tail = (1 - resampling.confidence) / 2
    found["ci_low"], found["ci_high"] = map(float, np.quantile(advantages, [tail, 1 - tail]))
    if np.abs(advantages).max() < 1e-12:
        found["note"] = "the rival orders the graphs exactly as the reference does"
    return found
