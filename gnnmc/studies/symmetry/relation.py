"""How much of the relation of the barrier to the graph survives alignment."""

from gnnmc.analysis.wording import in_words
from gnnmc.studies.pages import Section, Tables, TableView
from gnnmc.studies.sections import loss_rows, short_unit, told_apart
from gnnmc.studies.symmetry.aligned import called

_COLUMNS = [
    "regime", "model", "split", "aligned", "statistic", "mean_before", "mean_after", "mean_left", "mean_left_low",
    "mean_left_high", "rho_before", "rho_after", "rho_change", "rho_change_low", "rho_change_high", "slope_left",
    "slope_left_low", "slope_left_high", "num_graphs", "num_clusters", "note",
]  # fmt: skip
_ASSOCIATED = [
    "regime", "model", "split", "metric", "aligned", "statistic", "rho", "ci_low", "ci_high", "p_permutation", "p_holm",
    "num_graphs", "num_clusters", "zero_share", "note",
]  # fmt: skip


def relation_sections(tables: Tables) -> list[Section]:
    """Two tables: before against after, and the correlations of every alignment by itself."""
    survival = loss_rows(tables["survival"])
    if survival.empty:
        return []
    left = TableView(
        "survival",
        told_apart(_named(survival)[_COLUMNS]),
        f"The loss barrier ({short_unit(tables)}) before and after alignment on the same graphs. mean left: ratio of "
        "the means; rho: Spearman's correlation with the statistic over graphs; slope left: ratio of the slopes on the "
        "ranks of the statistic, what is left of the size of the relation (rho says nothing of size). low, high: 95 % "
        "bootstrap over clusters, from 10 clusters on. The ends' train loss is no statistic of the graph.",
    )
    association = tables["association"]
    alone = TableView(
        "association",
        told_apart(_named(association)[_ASSOCIATED]),
        "Spearman's correlation of each statistic with the barrier (of the loss, and of other metrics) by alignment: "
        "95 % cluster bootstrap interval, permutation p over clusters, the same corrected by Holm over statistics; "
        "zero share: of graphs whose barrier is below .001.",
    )
    return [Section("What is left of the relation to the graph", tables=(left, alone))]


def _named(frame):  # type: ignore[no-untyped-def]
    return frame.assign(statistic=frame["statistic"].map(in_words), aligned=frame["aligned"].map(called))
