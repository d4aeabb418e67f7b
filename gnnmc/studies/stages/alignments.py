"""Stage `alignments`: what every alignment did, in one table."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pandas as pd

from gnnmc.store import Cell, Execution, Request, Result, Task

VERSION = 2

Labeled = Sequence[tuple[Mapping[str, Any], Cell]]
_ABOUT = ("status", "distance_before", "distance_after", "share_moved")


def gather_task(alignments: Labeled) -> Task:
    """The task of the tables of all alignments; each cell comes with the labels of its rows."""
    config = {"labels": [dict(labels) for labels, _ in alignments]}
    inputs = {"alignments": tuple(cell for _, cell in alignments)}
    return Task(gather, (Cell("alignments", VERSION, config, inputs, label="alignments"),))


def gather(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """alignments → the tables

    alignments: one row per (graph, model, pair, aligned): labels, `status`, Euclidean `distance_before` and
        `distance_after`, `share_moved` of the units, and the figures of the method.
    groups: one row per (graph, model, aligned, group of units): labels, `units, copies, classes, axes, class` (what was
        used), `moved`, the mean over pairs of the share of units that stand elsewhere.
    bands: where which group lies on the axes of each model, with the classes of the alignment that could use the most.
    misaligned: one row per diagnostic of an alignment.
    """
    return [_gathered(request) for request in requests]


def _gathered(request: Request) -> Result:
    rows, groups, fired = [], [], []
    pictures: dict[str, pd.DataFrame] = {}
    results = cast(Sequence[Result], request.inputs["alignments"])
    for labels, result in zip(request.config["labels"], results, strict=True):
        about = cast(Mapping[str, Any], result["about"])
        figures = {name: value for name, value in about["figures"].items() if isinstance(value, int | float | str)}
        rows.append({**labels, **{name: about[name] for name in _ABOUT}, **figures})
        fired += [{**labels, **diagnostic} for diagnostic in about["diagnostics"]]
        groups.append(cast(pd.DataFrame, result["groups"]).assign(**labels))
        bands = cast(pd.DataFrame, result["bands"])
        if len(bands) and _classes(bands) > _classes(pictures.get(labels["model"])):
            pictures[labels["model"]] = bands
    return {
        "alignments": pd.DataFrame(rows),
        "groups": _over_pairs(pd.concat(groups, ignore_index=True)) if groups else pd.DataFrame(),
        "bands": pd.concat([bands.assign(model=model) for model, bands in pictures.items()], ignore_index=True)
        if pictures
        else pd.DataFrame(),
        "misaligned": pd.DataFrame(fired, columns=None if fired else ["code", "message"]),
    }


def _classes(bands: pd.DataFrame | None) -> int:
    """How many classes there are in all groups; less than none where there is nothing."""
    if bands is None:
        return -1
    listed = bands.drop_duplicates("group")["classes"].str.split(", ")
    return int(sum(len([name for name in names if name]) for names in listed))


def _over_pairs(groups: pd.DataFrame) -> pd.DataFrame:
    if groups.empty:
        return groups
    same = ["graph", "model", "aligned", "group", "units", "copies", "classes", "axes"]
    found = groups.groupby(same, sort=False)
    used = found["class"].agg(lambda kinds: ", ".join(sorted(set(kinds))))
    return pd.concat([used, found["moved"].mean()], axis=1).reset_index()
