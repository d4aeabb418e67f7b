"""Stage `compare`: barriers of every model on every problem, beside the quality of the ends."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pandas as pd

from gnnmc.store import Cell, Execution, Request, Result, Task
from gnnmc.studies.findings import common_findings, findings_frame
from gnnmc.studies.sections import loss_rows

VERSION = 2

# What stands for how good an end is, the first that a problem has.
QUALITY = ("ends_accuracy", "ends_roc_auc", "ends_average_precision")


def compare_task(tables: Cell, kinds: Sequence[Mapping[str, str]], least_train_accuracy: float) -> Task:
    """The task that compares the models of a run. kinds: one of `graph, model, kind` for each model on a problem."""
    config = {"kinds": [dict(kind) for kind in kinds], "least_train_accuracy": least_train_accuracy}
    return Task(compare, (Cell("compare", VERSION, config, {"tables": tables}, label="comparison"),))


def compare(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """tables → `comparison` and `diagnostics`

    comparison: one row per (problem, kind, model, path, split): chord `barrier` of the loss, mean over `pairs`, `low`
    and `high` the least and the largest of them; `ends_loss`, `ends_accuracy` (or the area under the ROC curve);
    `accuracy_barrier` of that metric; `parameters`.
    """
    return [_compare(request) for request in requests]


def _compare(request: Request) -> Result:
    tables = cast(dict[str, pd.DataFrame], request.inputs["tables"])
    kinds = pd.DataFrame(cast(list[dict[str, Any]], request.config["kinds"]))
    keys = ["graph", "model", "path", "split"]
    loss = loss_rows(tables["barriers"])
    groups = loss.groupby(keys, sort=False)
    frame = groups.agg(barrier=("barrier", "mean"), low=("barrier", "min"), high=("barrier", "max"))
    frame["pairs"] = groups["barrier"].count()
    frame["ends_loss"] = groups["ends_loss"].mean()
    frame["ends_accuracy"] = _first_of(loss, QUALITY).groupby([loss[key] for key in keys], sort=False).mean()
    frame["accuracy_barrier"] = _accuracy_barrier(tables["barriers"], keys)
    sizes = tables["endpoints"].groupby(["graph", "model"])["parameters"].first()
    frame = frame.reset_index().merge(kinds, on=["graph", "model"]).merge(sizes.reset_index(), on=["graph", "model"])
    found = common_findings(tables, float(request.config["least_train_accuracy"]))
    return {"comparison": frame.rename(columns={"graph": "problem"}), "diagnostics": findings_frame(found)}


def _first_of(frame: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    """In every row the first of these columns that has a value."""
    there = [name for name in names if name in frame]
    if not there:
        return pd.Series(float("nan"), index=frame.index)
    return frame[there].bfill(axis=1).iloc[:, 0]


def _accuracy_barrier(barriers: pd.DataFrame, keys: list[str]) -> pd.Series:
    metrics = [name.removeprefix("ends_") for name in QUALITY]
    rows = barriers[(barriers["barrier_kind"] == "chord") & barriers["metric"].isin(metrics)]
    means = rows.groupby([*keys, "metric"], sort=False)["barrier"].mean().reset_index()
    order = means["metric"].map({name: number for number, name in enumerate(metrics)})
    return means.assign(order=order).sort_values("order").groupby(keys, sort=False)["barrier"].first()
