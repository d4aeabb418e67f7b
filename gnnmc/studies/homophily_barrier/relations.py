"""Which statistics of the graph go with the barrier, and how well they predict it."""

import pandas as pd

from gnnmc.analysis.wording import counted, in_words
from gnnmc.studies.homophily_barrier.predict import EVERYTHING
from gnnmc.studies.homophily_barrier.relate import BEYOND
from gnnmc.studies.pages import FigureView, Section, Tables, TableView
from gnnmc.studies.sections import loss_rows, models_of, told_apart


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
                    f"{_sizes(rows)}), by path and split. Total; not through end quality: with the ends' loss and "
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


def prediction_sections(tables: Tables) -> list[Section]:
    """Out-of-fold predictions of the barrier, and what each statistic adds to them."""
    scores = tables["prediction"]
    if scores.empty or scores["r2"].isna().all():
        return []
    words = {name: in_words(name) for name in scores["predictors"].unique()}
    known = scores.dropna(subset=["r2"]).assign(predictors=lambda rows: rows["predictors"].map(words))
    figures = tuple(
        FigureView(
            name=f"prediction_{number}",
            draw="prediction.draw_prediction",
            frame=rows[["path", "split", "model", "predictors", "r2", "ci_low", "ci_high"]],
            caption=(
                f"Predicting the loss barrier on graphs held out ({regime}; {_sizes(rows)}), by path and split: R² of "
                "log(barrier + 0.001) out of fold; 1 is perfect, 0 no better than the mean barrier, below 0 worse (an "
                f"arrow: below the axis). {rows['folds'].max():.0f} folds that never split a cluster; ridge regression "
                "on a smooth curve per statistic. Pale bars: 95 % bootstrap over clusters, from 10 clusters on."
            ),
            alt="R squared of predicted barriers, a row for each model and set of statistics, by path and split.",
            options={"models": models_of(tables)},
        )
        for number, (regime, rows) in enumerate(known.groupby("regime", sort=False))
    )
    columns = [
        "regime", "path", "split", "model", "predictors", "r2", "ci_low", "ci_high", "error_factor", "num_graphs",
        "num_clusters", "folds", "note",
    ]  # fmt: skip
    table = TableView(
        "prediction",
        told_apart(scores.assign(predictors=scores["predictors"].map(words))[columns]),
        "Prediction of log(barrier + 0.001) on graphs held out: R² out of fold with a 95 % bootstrap interval over "
        "clusters, and the typical factor between predicted and measured barrier.",
    )
    importance = tables["importance"]
    joint = importance[importance["predictors"] == EVERYTHING]
    view = TableView(
        "importance",
        told_apart(
            joint.assign(statistic=joint["statistic"].map(in_words))[
                ["regime", "path", "split", "model", "statistic", "importance", "num_graphs", "num_clusters"]
            ]
        ),
        "Permutation importance among all statistics together: what R² loses when the values of one are exchanged "
        "between graphs. Statistics that carry the same information share it.",
    )
    tables_shown = (table, view) if len(joint) else (table,)
    return [Section("Predicting the barrier of a graph held out", figures=figures, tables=tables_shown)]


def _sizes(rows: pd.DataFrame) -> str:
    return " in ".join(
        counted(rows[name].min(), noun, most=rows[name].max())
        for name, noun in (("num_graphs", "graph"), ("num_clusters", "cluster"))
    )
