"""How much of the relation of the barrier to the graph survives alignment."""

import pandas as pd

from gnnmc.analysis.wording import in_words, number
from gnnmc.studies.alignments import called
from gnnmc.studies.pages import Section, Tables, TableView
from gnnmc.studies.sections import loss_rows, short_unit, told_apart
from gnnmc.studies.shares import LEAST, enough

_KEYS = ["regime", "model", "split", "aligned", "statistic"]
_ASSOCIATED = [
    "regime", "model", "split", "metric", "aligned", "statistic", "kind", "rho", "ci_low", "ci_high", "p_permutation",
    "p_holm", "num_graphs", "num_clusters", "zero_share", "note",
]  # fmt: skip


def relation_sections(tables: Tables) -> list[Section]:
    """Two tables: before against after, and the correlations of every alignment by itself."""
    survival = loss_rows(tables["survival"])
    if survival.empty:
        return []
    left = TableView(
        "survival",
        told_apart(_before_and_after(_named(survival))),
        f"The loss barrier ({short_unit(tables)}) before and after alignment on the same graphs: means and their "
        f"ratio (where that before is above {LEAST:g}); ρ, Spearman's correlation with the statistic over graphs, and "
        "its change; slope left: ratio of the slopes on the ranks of the statistic, what is left of the size of the "
        "relation (ρ says nothing of size). In brackets: 95 % bootstrap over clusters, from 10 clusters on. The ends' "
        "train loss is no statistic of the graph.",
    )
    association = tables["association"]
    alone = TableView(
        "association",
        told_apart(_named(association)[_ASSOCIATED]),
        "Spearman's correlation of each statistic with the barrier (of the loss, and of other metrics) by alignment: "
        "95 % cluster bootstrap interval, permutation p over clusters, the same corrected by Holm over statistics; "
        "zero share: of graphs whose barrier is below .001. Total; not through end quality: with the ends' loss and "
        "accuracy on the same split controlled for.",
    )
    return [Section("What is left of the relation to the graph", tables=(left, alone))]


def _before_and_after(rows: pd.DataFrame) -> pd.DataFrame:
    """Numbers with their intervals, as they are read."""
    frame = rows[[*_KEYS, "mean_before", "mean_after"]].copy()
    known = enough(rows["mean_before"])
    frame["mean left"] = [
        left if told else "" for left, told in zip(_with_interval(rows, "mean_left"), known, strict=True)
    ]
    frame["ρ before"], frame["ρ after"] = rows["rho_before"].map(_known), rows["rho_after"].map(_known)
    frame["ρ change"] = _with_interval(rows, "rho_change")
    frame["slope left"] = _with_interval(rows, "slope_left")
    return frame.assign(graphs=rows["num_graphs"], clusters=rows["num_clusters"], note=rows["note"])


def _known(value: float) -> str:
    return "" if pd.isna(value) else number(value)


def _with_interval(rows: pd.DataFrame, name: str) -> list[str]:
    found = []
    for value, low, high in zip(rows[name], rows[f"{name}_low"], rows[f"{name}_high"], strict=True):
        interval = "" if pd.isna(low) else f" [{number(low)}, {number(high)}]"
        found.append(_known(value) + interval)
    return found


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(statistic=frame["statistic"].map(in_words), aligned=frame["aligned"].map(called))
