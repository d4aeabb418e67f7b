"""How far the connectivity curves of the graphs of a run are apart, pair by pair (science 1.3)."""

import itertools
from collections.abc import Mapping

import pandas as pd

from gnnmc.analysis import curve_distance
from gnnmc.analysis.curve_distance import FORMS
from gnnmc.connectivity import LinearPath
from gnnmc.diagnostics import Diagnostic
from gnnmc.errors import InputError
from gnnmc.studies.regimes import joined
from gnnmc.studies.stages.align import AS_TRAINED

# d_MC in the form that is defined for flat curves too.
FORM = "size"
_KEPT = ["split", "form", "value", "floor", "unit", "note"]
# Intervals of single distances are not shown.
_BOOTSTRAP = 1


def curve_distances(
    tables: Mapping[str, pd.DataFrame], domains: Mapping[str, str]
) -> tuple[pd.DataFrame, list[Diagnostic]]:
    """Distances of the curves of loss along the lines as trained, of modes of one model on either graph.

    Shapes: one row per (model, pair of graphs, split, form): `model, graph_a, graph_b, cluster_a, cluster_b, domain_a,
    domain_b, split, form, distance, floor, unit, note`; the distance is NaN where a curve is not finite, and the note
    says why.
    """
    profiles, clusters = tables["profiles"], tables["graphs"].set_index("graph")["cluster"]
    if profiles.empty:
        return pd.DataFrame(), []
    lines = profiles[(profiles["path"] == LinearPath.kind) & (profiles["aligned"] == AS_TRAINED)]
    lines = lines[lines["graph"].isin(domains)]
    frames: list[pd.DataFrame] = []
    fired: list[tuple[str, str]] = []
    for model, rows in lines.groupby("model", sort=False):
        of_graph = dict(list(rows.groupby("graph", sort=False)))
        for a, b in itertools.combinations(of_graph, 2):
            kept, told = _distances(of_graph[a], of_graph[b])
            fired += [(each.code, f"{model!s}, {a!s} and {b!s}: {each.message}") for each in told]
            labels = {"model": model, "graph_a": a, "graph_b": b}
            for end, graph in (("a", a), ("b", b)):
                labels |= {f"cluster_{end}": clusters[graph], f"domain_{end}": domains[str(graph)]}
            frames.append(kept.rename(columns={"value": "distance"}).assign(**labels))
    once = _once(fired)
    if not frames:
        return pd.DataFrame(), once
    table = pd.concat(frames, ignore_index=True)
    first = [name for name in table.columns if name.startswith(("model", "graph", "cluster", "domain"))]
    return table[[*first, *(name for name in table.columns if name not in first)]], once


def _distances(first: pd.DataFrame, second: pd.DataFrame) -> tuple[pd.DataFrame, list[Diagnostic]]:
    """Of every split that both have, for itself: a loss that is not finite on one of them costs the others nothing."""
    tables, fired = [], []
    for split in (split for split in first["split"].unique() if (second["split"] == split).any()):
        sides = (rows[rows["split"] == split] for rows in (first, second))
        try:
            found = curve_distance(*sides, bootstrap=_BOOTSTRAP)
        except InputError as error:
            # A loss that is not finite somewhere along all paths leaves no curve.
            lost = [{"form": form, "unit": unit} for form, (_, unit) in FORMS.items()]
            unknown = {"split": split, "value": float("nan"), "floor": float("nan"), "note": str(error)}
            tables.append(pd.DataFrame(lost).assign(**unknown)[_KEPT])
            continue
        tables.append(found.frame()[_KEPT])
        fired += found.diagnostics
    return joined(tables), fired


def _once(fired: list[tuple[str, str]]) -> list[Diagnostic]:
    """A diagnostic per code: how often it fired, and an example."""
    places: dict[str, list[str]] = {}
    for code, message in fired:
        places.setdefault(code, []).append(message)
    return [
        Diagnostic(code, f"in {len(some)} comparisons of two graphs, such as {some[0]}")
        for code, some in places.items()
    ]
