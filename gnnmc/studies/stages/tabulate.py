"""Stage `table`: everything measured, in long tables that do not know what the study asks."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

import pandas as pd

from gnnmc.store import Cell, Execution, Request, Result, Task

VERSION = 4

Labeled = Sequence[tuple[Mapping[str, Any], Cell]]


def tabulate_task(graphs: Labeled, modes: Labeled, profiles: Labeled) -> Task:
    """The task of one run's tables; each cell comes with the labels of its rows."""
    groups = {"graphs": graphs, "modes": modes, "profiles": profiles}
    config = {role: [dict(labels) for labels, _ in group] for role, group in groups.items()}
    inputs = {role: tuple(cell for _, cell in group) for role, group in groups.items()}
    return Task(tabulate, (Cell("table", VERSION, config, inputs, label="tables"),))


def tabulate(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """statistics, modes, profiles → the tables

    graphs: one row per graph: labels, `made_<argument>` (what `csbm` or `load_graph` made it from), `loss_unit` (in
        which the losses and barriers of its modes are), statistics.
    endpoints: one row per (mode, endpoint, split): `train_seed` (what to give `train`), `status`, the model's number of
        `parameters`, `epoch, loss`, metrics.
    barriers: one row per (path, split, metric, barrier_kind): `barrier`, the ends' mean `ends_<metric>` on that split,
        `ends_train_loss`, `distance` between the ends and `length` of the path (Euclidean), `status`.
    profiles: one row per (path, t, split).
    fired: one row per diagnostic of a path.
    """
    return [_tables(request) for request in requests]


def _tables(request: Request) -> Result:
    labeled = {
        role: list(zip(request.config[role], cast(list[Result], request.inputs[role]), strict=True))
        for role in ("graphs", "modes", "profiles")
    }
    endpoints: list[_Part] = []
    for labels, result in labeled["modes"]:
        record = cast(Mapping[str, Any], result["record"])
        known = {"train_seed": record["seed"], "status": record["status"], "parameters": result["parameters"]}
        without = {_WANTED if name == "endpoint" else name: value for name, value in labels.items()}
        endpoints.append((without | known, result["metrics"]))
    barriers: list[_Part] = []
    profiles: list[_Part] = []
    fired = []
    for path, (labels, result) in enumerate(labeled["profiles"]):
        about = cast(Mapping[str, Any], result["about"])
        where = dict(labels) | {"status": about["status"], "path_number": path}
        fired += [dict(labels) | diagnostic for diagnostic in about["diagnostics"]]
        if about["status"] == "ok":
            where |= {"distance": about["distance"], "length": about["length"]}
            profiles.append((dict(labels) | {"path_number": path}, result["profile"]))
        barriers.append((where, result["barriers"]))
    modes = _stacked(endpoints)
    along = _stacked(profiles) if profiles else pd.DataFrame()
    return {
        "graphs": _stacked([_graph_row(labels, result) for labels, result in labeled["graphs"]]),
        "endpoints": modes.drop(columns=_WANTED).assign(used=modes["endpoint"] == modes[_WANTED]),
        "barriers": _with_ends(_stacked(barriers), along),
        "profiles": along.drop(columns="path_number", errors="ignore"),
        "fired": pd.DataFrame(fired, columns=None if fired else ["code", "message"]),
    }


# The endpoint that a study asked for, beside the column of all there are.
_WANTED = "wanted endpoint"
# The labels of the rows of a frame, and the frame.
_Part: TypeAlias = tuple[Mapping[str, Any], Any]


def _graph_row(labels: Mapping[str, Any], result: Result) -> _Part:
    """Labels, statistics, and all that is needed to make the data again: generator values, or source and treatment."""
    about = cast(Mapping[str, Any], result["about"])
    plain = {
        f"made_{name}": value
        for name, value in dict(about.get("made", {})).items()
        if isinstance(value, str | int | float)
    }
    known = {
        "loss_unit": cast(Mapping[str, str], result["units"])["loss"],
        "classes_without_training": len(cast(Sequence[int], result["classes_without_training"])),
    }
    return dict(labels) | plain | known, result["statistics"]


def _stacked(parts: Sequence[_Part]) -> pd.DataFrame:
    """The frames one below another, each behind columns of its labels; a column of its own replaces a label.

    Frames in a row that are alike get their columns of labels in one go: a frame for each takes pandas a millisecond.
    """
    return pd.concat([_alike(list(some)) for _, some in itertools.groupby(parts, _kind)], ignore_index=True)


def _kind(part: _Part) -> tuple[object, ...]:
    labels, rows = part
    return tuple(rows.columns), len(rows) > 0, tuple((name, type(value)) for name, value in labels.items())


def _alike(parts: Sequence[_Part]) -> pd.DataFrame:
    rows = pd.concat([rows for _, rows in parts], ignore_index=True)
    names = [name for name in parts[0][0] if name not in rows.columns]
    columns = {name: [value for labels, some in parts for value in [labels[name]] * len(some)] for name in names}
    return pd.DataFrame(columns | {name: rows[name] for name in rows.columns}, index=rows.index)


def _with_ends(barriers: pd.DataFrame, along: pd.DataFrame) -> pd.DataFrame:
    """The rows with what is known of the ends of their path, unknown where it could not be profiled.

    Mean over the two ends of every metric, per split, and their train loss beside every split.
    """
    known = barriers
    if len(along):
        at_ends = along[(along["t"] == 0) | (along["t"] == 1)]
        where = ["path_number", "split"]
        metrics = [name for name in barriers["metric"].unique() if name in along]
        ends = at_ends.groupby(where, sort=False)[metrics].mean().add_prefix("ends_").reset_index()
        training = ends[ends["split"] == "train"].set_index("path_number")["ends_loss"]
        ends["ends_train_loss"] = ends["path_number"].map(training)
        known = barriers.merge(ends, how="left", on=where)
    lacking = [name for name in ("distance", "length", *_names_of_ends(barriers)) if name not in known]
    return known.drop(columns="path_number").assign(**dict.fromkeys(lacking, float("nan")))


def _names_of_ends(barriers: pd.DataFrame) -> list[str]:
    return [*(f"ends_{metric}" for metric in barriers["metric"].unique()), "ends_train_loss"]
