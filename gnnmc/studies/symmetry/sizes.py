"""Sweeps of width and depth: which models differ in that alone, on which graphs."""

import pandas as pd

from gnnmc.analysis.wording import listed
from gnnmc.studies.pages import Tables
from gnnmc.studies.symmetry.aligned import per_graph, swept

AXES = {"width": "depth", "depth": "width"}


def sized(tables: Tables) -> pd.DataFrame:
    """Per graph and alignment, the models of every sweep: those on one graph that differ in width (or depth) alone.

    `per_graph` with `axis` ("width" or "depth"), `x`, its value, and `series`, what these models have in common. Graphs
    with the same sizes are one series; of each only alignments that all its sizes have are compared.
    """
    rows = per_graph(tables)
    parts = []
    for axis, other in AXES.items():
        for (architecture, others, fixed), some in rows.groupby(["architecture", "others", other], sort=False):
            sizes = {graph: tuple(sorted(on[axis].unique())) for graph, on in some.groupby("graph", sort=False)}
            ladders = list(dict.fromkeys(ladder for ladder in sizes.values() if len(ladder) > 1))
            name = f"{architecture}{', ' + str(others) if others else ''}, {other} {fixed:g}"
            for ladder in ladders:
                steps = some[some["graph"].map(sizes) == ladder]
                steps = steps[steps.groupby(["graph", "aligned"])[axis].transform("nunique") == len(ladder)]
                told = f" ({axis} {listed(f'{value:g}' for value in ladder)})" if len(ladders) > 1 else ""
                parts.append(steps.assign(axis=axis, x=steps[axis], series=name + told))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def apart(rows: pd.DataFrame, tables: Tables, *, sweeps: bool = False) -> pd.DataFrame:
    """The rows of models where they are part of no sweep of sizes, nor (`sweeps`: though they may be) of homophily.

    rows: with `regime, graph, model`. A model that is a step of a sweep on one graph may stand alone on another.
    """
    steps = sized(tables)
    taken = set() if steps.empty else {*steps[["graph", "model"]].itertuples(index=False, name=None)}
    along = {*swept(tables)}
    kept = [
        (sweeps if (regime, model) in along else (graph, model) not in taken)
        for regime, graph, model in rows[["regime", "graph", "model"]].itertuples(index=False, name=None)
    ]
    return rows[kept]
