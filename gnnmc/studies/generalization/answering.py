"""The answer of the study in words, and at a glance."""

from typing import Any

import pandas as pd

from gnnmc.analysis.wording import counted, listed, number, percent
from gnnmc.studies.generalization.naming import CANNOT, path_in_words, ranking_in_words, with_interval
from gnnmc.studies.pages import Tables, TableView
from gnnmc.studies.stages.align import AS_TRAINED

SAID = {"yes": "agrees", "no": "does not agree", CANNOT: CANNOT}
# Places of the measures that stand at a glance beside barriers and validation accuracy.
FIRST = 3


def short_answer(tables: Tables, gap_metric: str) -> list[str]:
    """The answer in a few sentences."""
    rows = ranking_in_words(tables["ranking"], gap_metric, "gap")
    if rows["tau"].isna().all():
        return ["Nothing can be ranked: no two pairs of sound modes differ in their generalization gap."]
    return [
        _gaps(tables, gap_metric),
        _best(rows),
        *_barriers(rows, gap_metric),
        *_bound(tables, rows),
        *_predicted(tables["predictions"]),
    ]


def _gaps(tables: Tables, gap_metric: str) -> str:
    pairs = pairs_of(tables["gaps"])
    rates = sorted(pairs["label_rate"].round(1).unique())
    told = f"{rates[0]:g}" if len(rates) == 1 else f"{rates[0]:g} to {rates[-1]:g}"
    words = gap_metric.replace("_", " ")
    return (
        f"The gap is train less test {words}, mean over the two ends of a pair: {number(pairs['gap'].median())} in the "
        f"median, {number(pairs['gap'].min())} to {number(pairs['gap'].max())}, over {counted(len(pairs), 'pair')} of "
        f"modes on {counted(pairs['graph'].nunique(), 'graph')} in {counted(pairs['cluster'].nunique(), 'cluster')}, "
        f"{told} training items per class."
    )


def _best(rows: pd.DataFrame) -> str:
    known = rows.dropna(subset=["tau"])
    first = known.iloc[0]
    sure = pd.notna(first["tau_low"])
    one = (
        f"one factor changed at a time {with_interval(first, 'granulated')}, " if pd.notna(first["granulated"]) else ""
    )
    told = (
        f"Of {counted(len(known), 'measure')} (a barrier of another path is another measure) {first['words']} follows "
        f"the gap best: Kendall's τ {one}over all pairs {with_interval(first, 'tau')}, in brackets 95 % over clusters."
    )
    if not sure:
        return told.replace(", in brackets 95 % over clusters", "") + (
            f" With {counted(int(first['num_clusters']), 'cluster')} there are no intervals: which one is best "
            f"{CANNOT}, and this is a description."
        )
    sign = SAID[first["agrees"]]
    return told + f" The sign that is expected of it: {sign}."


def _barriers(rows: pd.DataFrame, gap_metric: str) -> list[str]:
    """Places of the barriers, and how they stand against validation accuracy."""
    known = len(rows.dropna(subset=["tau"]))
    lines = []
    reference = rows[rows["measure"] == f"val_{gap_metric}"].iloc[0]
    for name in ("train_loss_barrier", f"train_{gap_metric}_barrier"):
        some = rows[(rows["measure"] == name) & rows["tau"].notna()]
        if some.empty:
            continue
        title = some["words"].iloc[0].split(",")[0]
        told = "; ".join(
            f"{row['words'].partition(', ')[2]}: place {row['place']} of {known}, τ {with_interval(row, 'tau')}"
            for _, row in some.iterrows()
        )
        sides = {
            better: [row["words"].partition(", ")[2] for _, row in some.iterrows() if _side(row) == better]
            for better in (1, -1, 0)
        }
        against = [
            f"{words} on {' and on '.join(sides[side])}"
            for side, words in ((1, "better"), (-1, "worse"), (0, CANNOT))
            if sides[side]
        ]
        lines.append(
            f"The {title}: {told}. Against {reference['words']} (place {reference['place']}, τ "
            f"{with_interval(reference, 'tau')}): {'; '.join(against)}."
        )
    return lines


def _side(row: "pd.Series[Any]") -> int:
    """1: surely better than the reference, −1: surely worse, 0: the interval holds 0, or there is none."""
    return int(row["advantage_low"] > 0) - int(row["advantage_high"] < 0)


def _bound(tables: Tables, rows: pd.DataFrame) -> list[str]:
    bound = tables["bound"]
    if bound.empty:
        return []
    paths = []
    several = set(bound.loc[bound["aligned"] != AS_TRAINED, "path"])
    for (path, aligned), some in bound.groupby(["path", "aligned"], sort=False):
        share = some["vacuous_rho_0_error"].mean(), some["vacuous_rho_half_error"].mean()
        name = path_in_words(path, aligned, several).removeprefix(", ")
        paths.append(f"{name} {percent(share[0])} (ρ = ½: {percent(share[1])})")
    below = float((bound["bound_rho_0"] < bound["gap"]).mean())
    lines = [
        f"The bound from the barrier, all unknown constants 1, is vacuous for gaps of error (above 1) at ρ = 0 in: "
        f"{'; '.join(paths)} of the pairs; in {percent(below)} it lies below the gap that was measured, so with "
        "constants of 1 it is no bound and only its order is read."
    ]
    order = rows[(rows["measure"] == "bound_rho_0") & rows["tau"].notna()]
    size = rows[rows["measure"] == "bound_size_term"].iloc[0]
    if len(order):
        told = "; ".join(
            f"{row['words'].partition('), ')[2]} {with_interval(row, 'tau')}" for _, row in order.iterrows()
        )
        lines.append(
            f"Its order against that of the gap, τ over all pairs: {told}; the size of the training split alone, "
            f"without any barrier: {with_interval(size, 'tau')}."
        )
    return lines


def _predicted(predictions: pd.DataFrame) -> list[str]:
    if predictions.empty:
        return []
    counts = predictions["agrees"].value_counts()
    told = [f"{counts[key]} {words}" for key, words in SAID.items() if counts.get(key, 0)]
    return [
        f"What the theory predicts of the order of generated graphs, everything else held "
        f"({counted(len(predictions), 'prediction')}, each for a model and a path): {listed(told)}."
    ]


def at_a_glance(tables: Tables, gap_metric: str) -> TableView | None:
    """The first places, validation accuracy, barriers and the bound."""
    rows = ranking_in_words(tables["ranking"], gap_metric, "gap")
    if rows["tau"].isna().all():
        return None
    barriers = ["train_loss_barrier", f"train_{gap_metric}_barrier", "bound_rho_0", "bound_size_term"]
    shown = rows[(rows["place"] <= FIRST) | rows["measure"].isin([f"val_{gap_metric}", *barriers])]
    frame = pd.DataFrame(
        {
            "place": shown["place"],
            "measure": shown["words"],
            "sign": ["+" if sign > 0 else "−" for sign in shown["expected"]],
            "one factor at a time": [with_interval(row, "granulated") for _, row in shown.iterrows()],
            "over all pairs": [with_interval(row, "tau") for _, row in shown.iterrows()],
            "equal train loss": [with_interval(row, "conditional") for _, row in shown.iterrows()],
            f"over validation {gap_metric.replace('_', ' ')}": [
                "" if pd.isna(row["advantage"]) else with_interval(row, "advantage") for _, row in shown.iterrows()
            ],
        }
    )
    caption = (
        f"How closely the order of a measure follows that of the gap of {gap_metric.replace('_', ' ')}: Kendall's τ, "
        f"in brackets 95 % bootstrap over {counted(int(rows['num_clusters'].max()), 'cluster')}. Place: among all "
        f"{len(rows)} measures, by the τ with one factor (graph, model, label rate) changed at a time; sign: the "
        "expected one. Equal train loss: pairs in one tenth of it. Barriers of the train split."
    )
    return TableView("at_a_glance", frame, caption)


def pairs_of(gaps: pd.DataFrame) -> pd.DataFrame:
    """One row per pair whose gap is known."""
    return gaps.dropna(subset=["gap"]).drop_duplicates(["problem", "model", "a", "b"])
