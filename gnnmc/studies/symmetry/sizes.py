"""Sweeps of width and depth: which models differ in that alone, on which graphs."""

import pandas as pd

from gnnmc.studies.pages import Tables
from gnnmc.studies.symmetry.aligned import per_graph

AXES = {"width": "depth", "depth": "width"}


def sized(tables: Tables) -> pd.DataFrame:
    """Per graph and alignment, the models of every sweep: those that differ in width (or depth) alone.

    `per_graph` with `axis` ("width" or "depth"), `x`, its value, and `series`, what these models have in common. Only
    graphs and alignments that all of them have are compared.
    """
    rows = per_graph(tables)
    parts = []
    for axis, other in AXES.items():
        for (architecture, others, fixed), some in rows.groupby(["architecture", "others", other], sort=False):
            count = some[axis].nunique()
            if count < 2:
                continue
            everywhere = some.groupby(["graph", "aligned"])[axis].transform("nunique") == count
            if not everywhere.any():
                continue
            name = f"{architecture}{', ' + str(others) if others else ''}, {other} {fixed:g}"
            parts.append(some[everywhere].assign(axis=axis, x=some[axis], series=name))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
