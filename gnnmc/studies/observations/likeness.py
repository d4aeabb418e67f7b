"""How far the connectivity curves of the graphs of a run are apart, pair by pair (science 1.3)."""

import itertools
from collections.abc import Mapping

import pandas as pd

from gnnmc.analysis import curve_distance
from gnnmc.connectivity import LinearPath
from gnnmc.diagnostics import Diagnostic
from gnnmc.studies.stages.align import AS_TRAINED

# d_MC in the form that is defined for flat curves too.
FORM = "size"
# Intervals of single distances are not shown.
_BOOTSTRAP = 1


def curve_distances(
    tables: Mapping[str, pd.DataFrame], domains: Mapping[str, str]
) -> tuple[pd.DataFrame, list[Diagnostic]]:
    """Distances of the curves of loss along the lines as trained, of modes of one model on either graph.

    Shapes: one row per (model, pair of graphs, split, form): `model, graph_a, graph_b, cluster_a, cluster_b, domain_a,
    domain_b, split, form, distance, floor, unit, note`.
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
            found = curve_distance(of_graph[a], of_graph[b], bootstrap=_BOOTSTRAP)
            fired += [(each.code, f"{model!s}, {a!s} and {b!s}: {each.message}") for each in found.diagnostics]
            labels = {"model": model, "graph_a": a, "graph_b": b}
            for end, graph in (("a", a), ("b", b)):
                labels |= {f"cluster_{end}": clusters[graph], f"domain_{end}": domains[str(graph)]}
            kept = found.frame()[["split", "form", "value", "floor", "unit", "note"]]
            frames.append(kept.rename(columns={"value": "distance"}).assign(**labels))
    once = _once(fired)
    if not frames:
        return pd.DataFrame(), once
    table = pd.concat(frames, ignore_index=True)
    first = [name for name in table.columns if name.startswith(("model", "graph", "cluster", "domain"))]
    return table[[*first, *(name for name in table.columns if name not in first)]], once


def _once(fired: list[tuple[str, str]]) -> list[Diagnostic]:
    """A diagnostic per code: how often it fired, and an example."""
    places: dict[str, list[str]] = {}
    for code, message in fired:
        places.setdefault(code, []).append(message)
    return [
        Diagnostic(code, f"in {len(some)} comparisons of two graphs, such as {some[0]}")
        for code, some in places.items()
    ]
