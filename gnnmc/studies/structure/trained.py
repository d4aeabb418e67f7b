"""Which ends are well trained (GMC001), by model, and on which graphs all of them are."""

from collections.abc import Collection

import pandas as pd

from gnnmc.analysis.wording import listed
from gnnmc.studies.findings import train_ends
from gnnmc.studies.pages import Tables

# Values of the column `ends` of shares: on which graphs they were taken.
ALL_ENDS, WELL_TRAINED = "all", "well-trained"


def graphs_well_trained(tables: Tables, least_accuracy: float, without: Collection[str] = ()) -> set[str]:
    """The graphs on which no end of a model that is kept diverged or is under-trained. without: the models left out."""
    ends = tables["endpoints"]
    kept = ends[ends["used"] & ~ends["model"].isin(without)].drop_duplicates(["graph", "model", "seed"])
    train, poor = train_ends(tables, least_accuracy)
    well = train[~poor & ~train["model"].isin(without)]
    lacking = kept.groupby("graph").size().sub(well.groupby("graph").size(), fill_value=0)
    return set(lacking.index[lacking == 0])


def ends_by_model(tables: Tables, least_accuracy: float) -> pd.DataFrame:
    """One row per family of graphs and model: `regime, model`, `ends` that did not diverge, `poor`: under-trained."""
    train, poor = train_ends(tables, least_accuracy)
    rows = train.assign(poor=poor.astype(bool)).merge(tables["graphs"][["graph", "regime"]], on="graph")
    counts = rows.groupby(["regime", "model"], sort=False)["poor"].agg(ends="size", poor="sum")
    return counts.reset_index()


def poor_of(ends: pd.DataFrame) -> str:
    """Rows of `ends_by_model` in words: "291 of 1176 ends under-trained"; empty without any."""
    return f"{ends['poor'].sum()} of {ends['ends'].sum()} ends under-trained" if ends["poor"].any() else ""


def poor_models(ends: pd.DataFrame) -> str:
    """The models with under-trained ends: "gat 147 of 294 and sage 2 of 294"."""
    poor = ends[ends["poor"] > 0]
    return listed(f"{row.model} {row.poor} of {row.ends}" for row in poor.itertuples())
