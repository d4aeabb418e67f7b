"""Sections on what in the graph predicts the barrier: scores on graphs held out, importances, and curves."""

from typing import Any

import pandas as pd

from gnnmc.analysis.wording import counted, in_words, listed, number, sample_size
from gnnmc.studies.pages import FigureView, Section, Tables
from gnnmc.studies.predicted import prediction_sections, sizes
from gnnmc.studies.predicting import TOGETHER
from gnnmc.studies.regimes import with_absolute
from gnnmc.studies.sections import models_of, short_unit
from gnnmc.studies.structure.lines import first_line, with_lines

TITLE = "What in the graph predicts the barrier"
_KEYS = ["regime", "path", "model"]


def predictor_sections(tables: Tables) -> list[Section]:
    """The section that other studies have, with the statistic that matters most in words and curves of dependence."""
    told = {name: with_lines(tables[name]) for name in ("prediction", "importance")}
    found = prediction_sections({**tables, **told})
    return [
        Section(
            TITLE,
            tuple(_predicted(tables) + _most_important(told["prediction"], told["importance"])) + section.sentences,
            section.figures + tuple(_curves(tables)),
            section.tables,
        )
        for section in found
    ]


def _predicted(tables: Tables) -> list[str]:
    """How well statistics together predict the barrier on graphs held out, on the train split."""
    scores = with_lines(tables["prediction"])
    if scores.empty:
        return []
    scores = scores[(scores["split"] == "train")].dropna(subset=["r2"])
    joint = scores[scores["predictors"].isin(TOGETHER)]
    scores, how = (joint, " together") if len(joint) else (scores, ", each alone,")
    # Of the family that comes first; of others further below.
    scores = scores[scores["regime"] == scores["regime"].iloc[0]] if len(scores) else scores
    if scores.empty:
        return []
    told = "; ".join(
        f"{number(rows['r2'].min())} to {number(rows['r2'].max())} for the {path} path"
        for path, rows in scores.groupby(scores["path"].map(str), sort=False)
    )
    return [
        f"Statistics of the graph{how} predict the train barrier of held-out {scores['regime'].iloc[0]} with an R² of "
        f"{told} (least and most of {counted(scores['model'].nunique(), 'model')}; {sample_size(scores.iloc[0])}; 0 "
        "is no better than the mean barrier; one draw of folds, intervals in the table)."
    ]


_SURELY = ", or not surely so"


def _most_important(scores: pd.DataFrame, importance: pd.DataFrame) -> list[str]:
    """For every line on the train split, the statistic whose exchange costs the prediction of each model the most."""
    joint, scored = (
        frame[frame["predictors"].isin(TOGETHER) & (frame["split"] == "train")] for frame in (importance, scores)
    )
    lines = []
    for (regime, path), some in scored.groupby(["regime", "path"], sort=False):
        told, poor = [], []
        for _, score in some.iterrows():
            here = joint[(joint[_KEYS] == score[_KEYS]).all(axis=1)]
            if here.empty or not _tells(score):
                poor.append(str(score["model"]))
                continue
            top = here.sort_values("importance").iloc[-1]
            told.append(f"{in_words(top['statistic'])} for {top['model']} ({number(top['importance'])})")
        lines.append(
            f"{str(regime).capitalize()}, {path} path, train split: "
            + (f"the prediction leans most (R² lost when values are exchanged) on {listed(told)}" if told else "")
            + ("; " if told and poor else "")
            + (f"for {listed(poor)} the statistics predict no better than the mean barrier{_SURELY}" if poor else "")
            + "."
        )
    return lines


def _tells(score: "pd.Series[Any]") -> bool:
    """Whether the statistics predict better than the mean does, interval and all where there is one."""
    return bool(score["r2"] > 0 and not score["ci_low"] <= 0)


def _curves(tables: Tables) -> list[FigureView]:
    """Partial dependence for the first line, a figure for each family of graphs and split."""
    curves = tables["dependence"]
    if curves.empty:
        return []
    scores = tables["prediction"]
    keys = [name for name in ("regime", "model", "path", "aligned", "split", "predictors") if name in curves]
    sound = scores.loc[[_tells(score) for _, score in scores.iterrows()], keys]
    curves = curves.merge(sound, on=keys).dropna(subset=["predicted"])
    if curves.empty:
        return []
    figures = []
    graphs = with_absolute(tables["graphs"])
    shown = with_lines(first_line(curves))
    for place, ((regime, split, path), rows) in enumerate(shown.groupby(["regime", "split", "path"], sort=False)):
        names = {name: in_words(name) for name in rows["statistic"].unique()}
        figures.append(
            FigureView(
                name=f"dependence_{place}",
                draw="dependence.draw_dependence",
                frame=rows[["statistic", "model", "value", "predicted", "num_graphs", "num_clusters"]],
                caption=(
                    f"Partial dependence of the loss barrier ({short_unit(tables)}; {path} path, {split} split) on "
                    f"each statistic of the graph, the others as the graphs have them ({regime}; {sizes(rows)}): the "
                    "predictions scored above, fitted on all graphs; of models whose R² out of fold is above 0. At "
                    "values that graphs have (of a clump of like ones the median), not joined where none is for 15 % "
                    "of the range. Ticks: graphs."
                ),
                alt=f"Dots and lines: predicted barrier along {listed(names.values())}, one line per model.",
                options={
                    "models": models_of(tables),
                    "words": names,
                    "measured": {name: graphs.loc[graphs["regime"] == regime, name].tolist() for name in names},
                    "y_label": f"predicted barrier ({short_unit(tables)})",
                },
            )
        )
    return figures
