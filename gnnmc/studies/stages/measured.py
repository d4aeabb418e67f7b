"""Stage `measured`: what was measured of modes and of pairs, in long tables."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pandas as pd

from gnnmc.analysis import weight_distance
from gnnmc.store import Cell, Execution, Request, Result, Task
from gnnmc.studies.stages.measure import LabeledCells

VERSION = 1

_OF_A_PAIR = ["graph", "model", "a", "b", "aligned"]


def measured_task(modes: LabeledCells, pairs: LabeledCells) -> Task:
    """The task of the tables of all that was measured; each cell comes with the labels of its rows."""
    config = {role: [dict(labels) for labels, _ in cells] for role, cells in (("modes", modes), ("pairs", pairs))}
    inputs = {"modes": tuple(cell for _, cell in modes), "pairs": tuple(cell for _, cell in pairs)}
    return Task(gather_measured, (Cell("measured", VERSION, config, inputs, label="measures"),))


def gather_measured(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """measures of modes, of pairs → the tables

    measures: one row per mode: `graph, model, endpoint, seed, status`, a column for each measure.
    pairs: one row per (graph, model, pair, aligned): `status, disagreement, softmax_distance, feature_norm`,
        `weight_distance` (Σ_l N_l·‖W_a^l − W_b^l‖, science 1.3) and the `num_layers` that it is over.
    layers: one row per (graph, model, pair, aligned, layer): `layer, matrices, norm_a, norm_b, norm_difference`.
    """
    return [_gathered(request) for request in requests]


def _gathered(request: Request) -> Result:
    def labeled(role: str) -> list[tuple[dict[str, Any], Result]]:
        return list(zip(request.config[role], cast(Sequence[Result], request.inputs[role]), strict=True))

    modes, pairs, layers = [], [], []
    for labels, result in labeled("modes"):
        modes.append({**labels, **_status(result), **cast(pd.DataFrame, result["measures"]).iloc[0]})
    for labels, result in labeled("pairs"):
        own = cast(pd.DataFrame, result["pair"])
        pairs.append({**labels, **_status(result), **(own.iloc[0] if len(own) else {})})
        if len(known := cast(pd.DataFrame, result["layers"])):
            layers.append(known.assign(**labels))
    of_layers = pd.concat(layers, ignore_index=True) if layers else pd.DataFrame(columns=[*_OF_A_PAIR, "layer"])
    of_pairs = pd.DataFrame(pairs, columns=None if pairs else [*_OF_A_PAIR, "status"])
    distances = weight_distance(of_layers, by=_OF_A_PAIR) if len(of_layers) else None
    lacking = ("disagreement", "softmax_distance", "feature_norm", "weight_distance", "num_layers")
    if distances is not None:
        of_pairs = of_pairs.merge(distances, "left", _OF_A_PAIR)
    return {
        "measures": pd.DataFrame(modes),
        "pairs": of_pairs.assign(**{name: float("nan") for name in lacking if name not in of_pairs}),
        "layers": of_layers,
    }


def _status(result: Result) -> dict[str, str]:
    return {"status": str(cast(Mapping[str, Any], result["about"])["status"])}
