"""Which statistics of a graph go with the barriers of the networks trained on it (science 1.8)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gnnmc.analysis.findings_diagnostics import association_diagnostics
from gnnmc.analysis.holm import holm
from gnnmc.analysis.inference import Finding, Resampling, Sample, infer
from gnnmc.analysis.resampling import check_resampling
from gnnmc.analysis.units import BY, Group, check_columns, graph_groups
from gnnmc.diagnostics import Diagnostic
from gnnmc.errors import InputError

TOTAL: Mapping[str, Sequence[str]] = {"total": ()}

# A barrier below this counts as zero: nats for a loss, a fraction for an accuracy (the 1e-3 of science 1.8).
ZERO_BELOW = 1e-3

RESULT_COLUMNS = (
    "statistic",
    "kind",
    "controls",
    "outcome",
    "rho",
    "ci_low",
    "ci_high",
    "confidence",
    "p_permutation",
    "p_holm",
    "num_graphs",
    "num_clusters",
    "num_pairs",
    "zero_share",
    "dropped_controls",
    "dropped_rows",
    "dropped_graphs",
    "note",
)


@dataclass(frozen=True)
class Association:
    """What `associate` found: a table, and the diagnostics that fired."""

    table: pd.DataFrame
    diagnostics: list[Diagnostic]

    def frame(self) -> pd.DataFrame:
        """A copy of the table: one row per group, kind and statistic; `associate` names the columns."""
        return self.table.copy()


def associate(
    table: pd.DataFrame,
    statistics: Sequence[str] | None = None,
    *,
    outcome: str = "barrier",
    kinds: Mapping[str, Sequence[str]] = TOTAL,
    by: Sequence[str] = BY,
    graph: str = "graph",
    cluster: str = "cluster",
    permutations: int = 10_000,
    bootstrap: int = 2_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Association:
    """Spearman correlations of graph statistics with an outcome, with inference over independent graphs.

    The pairs are averaged within (graph, group) first; the graph is the unit, and the cluster (an independently
    generated or collected base graph with its rewired versions and twins) is what the inference moves as a whole.
    `kinds` maps a label to the controls of that kind, e.g. `{"total": (), "not through end quality": ("ends_loss",)}`:
    without controls it is Spearman's rho with mid-ranks, with controls the correlation of the residuals of the ranks
    on the controls' ranks.

    - Permutation test, two-sided, over clusters. Whole clusters exchange places with clusters of the same size (with
      one graph per cluster: graphs with graphs); a statistic that is constant within every cluster is exchanged
      between clusters of any size. All arrangements when there are at most `permutations`, else that many random ones
      with the observed one counted in. With controls the residuals are exchanged (Freedman–Lane), which is
      approximate. What varies only within clusters cannot be tested this way: p is NaN and `note` says so.
    - Interval: percentiles of `bootstrap` resamples of whole clusters, from 10 clusters on; resamples without a defined
      rho are left out. Percentiles, because the bias correction of BCa is infinite at rho = ±1 and gains nothing: in
      400 trials each with 10, 15 and 27 normal pairs of correlation 0, .5 and .9, the 95 % intervals covered 94–98 %
      of the time, as did those of BCa.
    - Holm over the statistics within each group and kind.

    Streams are named by `seed`, the outcome and the group's values: rho, interval and p of a row do not depend on what
    else is in the table (p_holm does, by its nature).

    Shapes:
        table: one row per (graph, pair, group); `statistics` default to the numeric columns that are constant within
            every graph and differ between graphs: name them when the table has others of that sort, such as seeds.
        .frame(): one row per (group, kind, statistic): the columns of `by`, then `statistic, kind, controls, outcome,
            rho, ci_low, ci_high, confidence, p_permutation, p_holm` (NaN where undefined), `num_graphs, num_clusters,
            num_pairs`, `zero_share` (share of graphs whose outcome is within 1e-3 of 0: nats for a loss, a fraction
            for an accuracy), `dropped_controls` (constant ones), `dropped_rows` (rows of the group without a finite
            outcome), `dropped_graphs` (graphs with no such row, or without the statistic or a control), `note`.

    Raises InputError for what is no table, for columns that are missing, not numeric or doubly used, a graph in two
    clusters, and settings out of range. Source: science 1.8.
    """
    if not isinstance(table, pd.DataFrame):
        raise InputError(f"expected a table, got {type(table).__name__}: pass a pandas DataFrame of rows per pair")
    controls = list(dict.fromkeys(name for names in _checked(kinds).values() for name in names))
    if isinstance(statistics, str):
        raise InputError(f"statistics={statistics!r} is a text: give a list of column names")
    if statistics is None:
        statistics = graph_statistics(table, {outcome, *controls, *by, graph, cluster}, graph)
    statistics = list(dict.fromkeys(statistics))
    others = list(dict.fromkeys([*statistics, *controls]))
    check_resampling(permutations, bootstrap, confidence)
    check_columns(table, outcome, others, by=by, graph=graph, cluster=cluster)
    if clash := sorted(set(by) & set(RESULT_COLUMNS)):
        raise InputError(f"by={clash[0]!r} is a column of the result: rename it in the table")

    rows: list[dict[str, object]] = []
    for group in graph_groups(table, outcome, others, by=by, graph=graph, cluster=cluster):
        names = (seed, outcome, *by, *group.names())
        resampling = Resampling(permutations, bootstrap, confidence, names)
        for kind, asked in kinds.items():
            rows += _group_rows(group, statistics, kind, asked, outcome, by, cluster, resampling)
    frame = pd.DataFrame(rows, columns=[*by, *RESULT_COLUMNS])
    return Association(frame, association_diagnostics(frame, list(by), ZERO_BELOW))


def graph_statistics(table: pd.DataFrame, used: set[str], graph: str) -> list[str]:
    """Numeric columns, not in `used`, that are constant within every graph and differ between graphs.

    Raises InputError when there is none, or no column `graph`.
    """
    if graph not in table.columns:
        raise InputError(f"the table has no column {graph!r}: name the column of the graphs with graph=")
    numeric = table.select_dtypes("number").columns
    within = table.groupby(graph, observed=True)
    found = [
        str(name)
        for name in numeric
        if name not in used and table[name].nunique() > 1 and (within[name].nunique() <= 1).all()
    ]
    if not found:
        raise InputError("the table has no numeric column that is constant within graphs: name the statistics")
    return found


def _group_rows(
    group: Group,
    statistics: Sequence[str],
    kind: str,
    controls: Sequence[str],
    outcome: str,
    by: Sequence[str],
    cluster: str,
    resampling: Resampling,
) -> list[dict[str, object]]:
    units = group.units
    rows: dict[str, dict[str, object]] = {}
    # Statistics known for the same graphs are computed together: their resamples are the same.
    controlled = units[list(controls)].notna().to_numpy().all(axis=1)
    known = {name: units[name].notna().to_numpy() & controlled for name in statistics}
    for mask in {mask.tobytes(): mask for mask in known.values()}.values():
        members = [name for name in statistics if (known[name] == mask).all()]
        graphs = units[mask]
        constant = [name for name in controls if graphs[name].nunique() == 1]
        kept = [name for name in controls if name not in constant]
        tested = [name for name in members if name not in controls]
        sample = Sample(
            outcome=graphs[outcome].to_numpy(),
            statistics=graphs[tested].to_numpy(),
            controls=graphs[kept].to_numpy().reshape(len(graphs), len(kept)),
            clusters=pd.factorize(graphs[cluster])[0],
        )
        findings = dict(zip(tested, infer(sample, resampling) if tested else []))
        for name in members:
            finding = findings.get(name, Finding(notes=["the statistic is itself controlled for"]))
            rows[name] = {
                **dict(zip(by, group.values)),
                "statistic": name,
                "kind": kind,
                "controls": ", ".join(kept),
                "outcome": outcome,
                "rho": finding.rho,
                "ci_low": finding.ci_low,
                "ci_high": finding.ci_high,
                "confidence": resampling.confidence,
                "p_permutation": finding.p_permutation,
                "num_graphs": sample.num_graphs,
                "num_clusters": sample.num_clusters,
                "num_pairs": group.num_pairs,
                "zero_share": float((graphs[outcome].abs() < ZERO_BELOW).mean()) if len(graphs) else np.nan,
                "dropped_controls": ", ".join(constant),
                "dropped_rows": group.dropped_rows,
                "dropped_graphs": group.num_known - sample.num_graphs,
                "note": "; ".join(finding.notes + _dropped_notes(group, sample, constant)),
            }
    ordered = [rows[name] for name in statistics]
    for row, adjusted in zip(ordered, holm(np.array([row["p_permutation"] for row in ordered], dtype=float))):
        row["p_holm"] = float(adjusted)
    return ordered


def _dropped_notes(group: Group, sample: Sample, constant: Sequence[str]) -> list[str]:
    notes = [f"control {name} is constant and was dropped" for name in constant]
    if group.dropped_rows:
        notes.append(f"{group.dropped_rows} rows without a finite outcome were dropped")
    if missing := group.num_known - sample.num_graphs:
        notes.append(f"{missing} graphs without all values were dropped")
    return notes


def _checked(kinds: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
    if not isinstance(kinds, Mapping):
        raise InputError(f"kinds={kinds!r} is a {type(kinds).__name__}: give a label for each, e.g. {{'total': ()}}")
    if not kinds:
        raise InputError('kinds is empty: at least one kind is needed, e.g. {"total": ()}')
    for label, controls in kinds.items():
        if isinstance(controls, str):
            raise InputError(f"kinds[{label!r}]={controls!r} is a text: give a sequence of names, e.g. ({controls!r},)")
    return kinds
