"""Which statistics of the graph go with the barrier."""

from gnnmc.analysis.wording import in_words
from gnnmc.studies.homophily_barrier.relate import BEYOND
from gnnmc.studies.pages import FigureView, Section, Tables, TableView
from gnnmc.studies.predicted import sizes
from gnnmc.studies.sections import loss_rows, told_apart


def association_sections(tables: Tables) -> list[Section]:
    """Rank correlations of statistics with the barrier."""
    association = loss_rows(tables["association"])
    if association.empty:
        return []
    figures = []
    for number, (regime, rows) in enumerate(association.groupby("regime", sort=False)):
        figures.append(
            FigureView(
                name=f"association_{number}",
                draw="association.draw_association",
                frame=rows,
                caption=(
                    f"Spearman's correlation over graphs of each statistic with the loss barrier ({regime}; "
                    f"{sizes(rows)}), by path and split. Total; not through end quality: with the ends' loss and "
                    "accuracy on the same split controlled for (these lie downstream of the graph)"
                    + ("; beyond homophily: with edge homophily controlled for" if BEYOND in set(rows["kind"]) else "")
                    + ". The ends' train loss is no statistic of the graph; a dash: not defined, or itself controlled "
                    "for. "
                    + ("Small: 95 % bootstrap interval over clusters. " if rows["ci_low"].notna().any() else "")
                    + (
                        "Framed: permutation p over clusters < .05 after Holm's correction over the statistics of a "
                        "column."
                        if rows["p_holm"].notna().any()
                        else "One cluster: description, nothing is tested."
                    )
                ),
                alt="Heat map: statistics in rows, models, paths and splits in columns, correlation with the barrier.",
                options={"words": {name: in_words(name) for name in rows["statistic"].unique()}},
            )
        )
    columns = [
        "regime", "model", "path", "split", "metric", "statistic", "kind", "rho", "ci_low", "ci_high", "p_permutation",
        "p_holm", "num_graphs", "num_clusters", "zero_share", "note",
    ]  # fmt: skip
    table = TableView(
        "association",
        told_apart(tables["association"].assign(statistic=lambda rows: rows["statistic"].map(in_words))[columns]),
        "Statistic × barrier (of the loss, and of other metrics): rank correlation over graphs, 95 % cluster bootstrap "
        "interval (from 10 clusters on), permutation p over clusters, the same corrected by Holm over statistics; zero "
        "share: of graphs whose barrier is below .001.",
    )
    return [Section("Which statistic goes with the barrier", figures=tuple(figures), tables=(table,))]
