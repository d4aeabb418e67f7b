"""What a run says that tests nothing: how the barrier looks along homophily, and why that is all."""

import pandas as pd

from gnnmc.analysis.wording import number
from gnnmc.studies.pages import Tables
from gnnmc.studies.sections import chord_loss, short_unit


def description(tables: Tables) -> list[str]:
    """Sentences for the first screen of a run without a test."""
    return [
        f"This run describes and tests nothing: {_why(tables['graphs'])}.",
        *_along_homophily(tables),
        "These are means of what was measured, without intervals: no conclusion goes beyond these graphs.",
    ]


def _why(graphs: pd.DataFrame) -> str:
    """Why nothing was tested."""
    if len(graphs) == 1:
        return "it has one graph"
    if graphs["cluster"].nunique() == 1:
        return (
            f"its {len(graphs)} graphs are versions of one graph (one cluster), and a test needs graphs that are "
            "independent of each other"
        )
    asked = graphs["homophily_asked"] if (graphs["family"] == "csbm").all() else graphs["homophily_edge"]
    if asked.nunique() == 1:
        return f"the homophily of its {len(graphs)} graphs was not varied"
    return f"no correlation over its {len(graphs)} graphs is defined, or has enough of them for a test"


def _along_homophily(tables: Tables) -> list[str]:
    """Mean barrier of every model at the lowest and the highest homophily, by path and split."""
    rows = chord_loss(tables).merge(tables["graphs"][["graph", "homophily_edge"]], on="graph")
    rows = (
        rows[rows["split"] != "val"].dropna(subset=["barrier"]).assign(h=lambda some: some["homophily_edge"].round(3))
    )
    per_graph = rows.groupby(["path", "split", "model", "h", "graph"], sort=False)["barrier"].mean().reset_index()
    lines = []
    for (path, split), some in per_graph.groupby(["path", "split"], sort=False):
        means = some.groupby(["model", "h"], sort=False)["barrier"].mean().unstack().sort_index(axis=1)
        at = list(dict.fromkeys([means.columns[0], means.columns[-1]]))
        where = " and ".join(f"{value:.2f}" for value in at)
        told = "; ".join(f"{model} {' and '.join(number(row[h]) for h in at)}" for model, row in means.iterrows())
        lines.append(
            f"{str(path).capitalize()} path, {split} split, mean barrier in {short_unit(tables)} at a homophily of "
            f"{where}: {told}."
        )
    return lines
