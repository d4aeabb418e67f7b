"""A section on predictions of the barrier from statistics of the graph; `gnnmc.studies.predicting` makes them."""

import pandas as pd

from gnnmc.analysis.wording import counted, in_words
from gnnmc.studies.pages import FigureView, Section, Tables, TableView
from gnnmc.studies.predicting import TOGETHER
from gnnmc.studies.sections import models_of, told_apart


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
                f"Predicting the loss barrier on graphs held out ({regime}; {sizes(rows)}), by path and split: R² of "
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
    joint = importance[importance["predictors"].isin(TOGETHER)]
    view = TableView(
        "importance",
        told_apart(
            joint.assign(statistic=joint["statistic"].map(in_words))[
                ["regime", "path", "split", "model", "statistic", "importance", "num_graphs", "num_clusters"]
            ]
        ),
        "Permutation importance among statistics together: what R² loses when the values of one are exchanged "
        "between graphs; it may be above 1, as R² with exchanged values may fall below 0, that of the mean barrier. "
        "Statistics that carry the same information share it.",
    )
    tables_shown = (table, view) if len(joint) else (table,)
    return [Section("Predicting the barrier of a graph held out", figures=figures, tables=tables_shown)]


def sizes(rows: pd.DataFrame) -> str:
    """Graphs and clusters of the rows: "27 graphs in 18 to 27 clusters"."""
    return " in ".join(
        counted(rows[name].min(), noun, most=rows[name].max())
        for name, noun in (("num_graphs", "graph"), ("num_clusters", "cluster"))
    )
