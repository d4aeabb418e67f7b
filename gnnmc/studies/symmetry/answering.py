"""The answer of the study in words, and at a glance."""

from typing import Any

import pandas as pd

from gnnmc.analysis.verdict import Verdict, verdict
from gnnmc.analysis.wording import counted, in_words, listed, number, sample_size
from gnnmc.studies.pages import Tables, TableView
from gnnmc.studies.regimes import AXIS
from gnnmc.studies.sections import loss_rows, loss_unit, short_unit
from gnnmc.studies.stages.align import AS_TRAINED
from gnnmc.studies.symmetry.aligned import after, called, per_graph, swept
from gnnmc.studies.symmetry.sizes import sized

LEVEL = 0.05


def short_answer(tables: Tables) -> list[str]:
    """The answer on the train split in a few sentences; the tables have the others."""
    lines = _left(tables) + _relation(tables)
    described = _described(tables)
    if not swept(tables):
        lines.append(
            "Nothing is tested here: these are means over pairs of modes, and no conclusion goes beyond these data."
        )
    return lines + described + _sizes(tables)


def _left(tables: Tables) -> list[str]:
    """Per model along homophily: the mean barrier as trained, and after every alignment, with what is left of it."""
    rows = loss_rows(tables["survival"])
    if rows.empty:
        return []
    rows = rows[(rows["split"] == "train") & (rows["statistic"] == AXIS)]
    lines = []
    for (regime, model), some in rows.groupby(["regime", "model"], sort=False):
        told = ", ".join(
            f"{number(row['mean_after'])} {after(str(row['aligned']))} ({share(row, 'mean_left')})"
            for _, row in some.iterrows()
        )
        first = some.iloc[0]
        where = f"{model}, {regime}" if rows["regime"].nunique() > 1 else model
        lines.append(
            f"{where}, train split: the mean barrier is {number(first['mean_before'])} {short_unit(tables)} as "
            f"trained; {told}; {sample_size(first)}."
        )
    return lines


def _relation(tables: Tables) -> list[str]:
    """For which models an association with homophily is found as trained, and after every alignment."""
    association = loss_rows(tables["association"])
    if association.empty:
        return []
    rows = association[(association["statistic"] == AXIS) & (association["split"] == "train")]
    several = rows["regime"].nunique() > 1
    found = {
        name: [
            f"{row['model']} (ρ = {row['rho']:.2f}{', ' + row['regime'] if several else ''})"
            for _, row in some.iterrows()
            if verdict(row, LEVEL) is Verdict.FOUND
        ]
        for name, some in rows.groupby("aligned", sort=False)
    }
    told = "; ".join(f"{after(str(name))} for {listed(models) if models else 'none'}" for name, models in found.items())
    lines = [
        f"A rank correlation of the train-loss barrier with {in_words(AXIS)} is found (permutation p ≤ {LEVEL:g} after "
        f"Holm's correction) {told}; of {counted(rows[['regime', 'model']].drop_duplicates().shape[0], 'model')}."
    ]
    survival = loss_rows(tables["survival"])
    kept = rows[(rows["aligned"] == AS_TRAINED)]
    kept = kept[[verdict(row, LEVEL) is Verdict.FOUND for _, row in kept.iterrows()]]
    of_those = survival[(survival["statistic"] == AXIS) & (survival["split"] == "train")].merge(
        kept[["regime", "model"]], on=["regime", "model"]
    )
    for (_, model), some in of_those.groupby(["regime", "model"], sort=False):
        told = ", ".join(f"{share(row, 'slope_left')} {after(str(row['aligned']))}" for _, row in some.iterrows())
        lines.append(f"Of the size of that relation (slope on the ranks of homophily) there is for {model}: {told}.")
    return lines


def _described(tables: Tables) -> list[str]:
    """Means over pairs, for models along which homophily was not varied and that are no part of a sweep of sizes."""
    known = {*swept(tables), *((row["regime"], row["model"]) for _, row in sized(tables).iterrows())}
    rows = per_graph(tables, ["train"])
    lines = []
    for (regime, model), some in rows.groupby(["regime", "model"], sort=False):
        if (regime, model) in known:
            continue
        means = some.groupby("aligned", sort=False)[["barrier", "low", "high"]].mean()
        told = ", ".join(f"{number(row['barrier'])} {after(str(name))}" for name, row in means.iterrows())
        where = counted(some["graph"].nunique(), "graph") if some["graph"].nunique() > 1 else "one problem"
        pairs = counted(int(some["pairs"].min()), "pair", most=int(some["pairs"].max()))
        lines.append(
            f"{model} on {regime}, train split, mean over {pairs} of modes on {where}: barrier in "
            f"{short_unit(tables)} {told}."
        )
    return lines


def _sizes(tables: Tables) -> list[str]:
    """From the smallest to the largest network of every sweep of sizes."""
    lines = []
    rows = sized(tables)
    rows = rows[rows["split"] == "train"] if len(rows) else rows
    for (axis, series), some in rows.groupby(["axis", "series"], sort=False) if len(rows) else ():
        means = some.groupby(["aligned", "x"], sort=False)["barrier"].mean().unstack("x").sort_index(axis=1)
        low, high = means.columns[0], means.columns[-1]
        told = ", ".join(
            f"{number(row[low])} to {number(row[high])} {after(str(name))}"
            for name, row in means.reindex(some["aligned"].unique()).iterrows()
        )
        lines.append(
            f"{series}, from {axis} {low:g} to {high:g}, train split: mean barrier in {short_unit(tables)} from "
            f"{told} ({counted(some['graph'].nunique(), 'graph')}; description)."
        )
    return lines


def share(row: "pd.Series[Any]", name: str) -> str:
    """A ratio as a percentage with the interval that there is."""
    if pd.isna(row[name]):
        return "undefined"
    interval = ""
    if not pd.isna(row[f"{name}_low"]):
        interval = f" [{100 * row[f'{name}_low']:.0f}, {100 * row[f'{name}_high']:.0f}]"
    return f"{100 * row[name]:.0f} %{interval} left"


def at_a_glance(tables: Tables) -> TableView:
    """Mean barrier of every model by split, alignments across; models of a sweep of sizes are left to their figure."""
    rows = per_graph(tables)
    sizes = {(row["regime"], row["model"]) for _, row in sized(tables).iterrows()} - {*swept(tables)}
    kept = [(row["regime"], row["model"]) not in sizes for _, row in rows.iterrows()]
    rows = rows[kept] if any(kept) else rows
    keys = ["regime", "model", "split"] if rows["regime"].nunique() > 1 else ["model", "split"]
    means = rows.groupby([*keys, "aligned"], sort=False)["barrier"].mean().reset_index()
    means["cell"] = means["barrier"].map(number)
    wide = means.pivot_table(index=keys, columns="aligned", values="cell", aggfunc="first", sort=False)
    wide = wide[list(rows["aligned"].unique())].fillna("").rename(columns=called)
    frame = wide.reset_index().rename_axis(columns=None).rename(columns={"regime": "data"})
    graphs = rows.groupby(["regime", "model"])["graph"].nunique()
    caption = (
        f"Barrier of the straight line, loss in {loss_unit(tables)}, mean over "
        f"{counted(graphs.min(), 'graph', most=graphs.max())} (pairs of modes averaged within a graph), by split: as "
        "trained, and with one end moved onto the other."
    )
    return TableView("at_a_glance", frame, caption)
