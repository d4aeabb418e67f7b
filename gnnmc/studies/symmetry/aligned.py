"""What the parts of the page read off the table of lines: which alignments there are, and means over pairs."""

from collections.abc import Sequence

import pandas as pd

from gnnmc.studies.alignments import called
from gnnmc.studies.pages import Tables


def alignments_of(tables: Tables) -> list[str]:
    """All the alignments of a page as `called`, in the order of the config, the line as trained first."""
    return [called(name) for name in tables["aligned"]["aligned"].unique()]


def per_graph(tables: Tables, splits: Sequence[str] = ("train", "test")) -> pd.DataFrame:
    """One row per (graph, model, aligned, split) with what is known of graph and model; pairs averaged."""
    rows = tables["aligned"]
    rows = rows[rows["split"].isin(splits)].dropna(subset=["barrier"])
    keys = ["graph", "model", "architecture", "width", "depth", "others", "aligned", "split"]
    values = ["barrier", *(name for name in rows.columns if name.startswith("ends_") or name == "accuracy_barrier")]
    groups = rows.groupby(keys, sort=False, dropna=False)
    means = (
        groups[values]
        .mean()
        .assign(low=groups["barrier"].min(), high=groups["barrier"].max(), pairs=groups["barrier"].count())
    )
    about = ["graph", "cluster", "family", "regime", "homophily_asked"]
    graphs = tables["graphs"]
    return means.reset_index().merge(graphs[[name for name in about if name in graphs]], on="graph")


def swept(tables: Tables) -> list[tuple[str, str]]:
    """Regimes and models along which homophily was varied, so that its relation to the barrier was looked at."""
    association = tables["association"]
    if association.empty:
        return []
    return list(dict.fromkeys(association[["regime", "model"]].itertuples(index=False, name=None)))
