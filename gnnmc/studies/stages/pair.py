"""Stage `pair`: what belongs to two modes and not to one: how far apart their layers are, how differently they predict.

Matrices that act side by side are one layer (`gnnmc.measures.layers`), whose norm is taken as the sum of theirs (the
triangle inequality). Biases, gains of norms and the vectors of an attention are no matrices and count in no distance.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pandas as pd
import torch
from torch import Tensor

from gnnmc.engine import ModelFunction
from gnnmc.measures.layers import layers_in_order
from gnnmc.similarity import disagreement, softmax_distance
from gnnmc.store import Cell, Execution, Request, Result, Task
from gnnmc.studies.sources import data_of
from gnnmc.studies.stages.connect import ends_of, usable
from gnnmc.studies.stages.graph import is_one_graph
from gnnmc.studies.stages.measure import LabeledCells
from gnnmc.studies.stages.modes import common_of
from gnnmc.weights import Mode

VERSION = 1

# Features with a smaller side up to this are decomposed whole.
_SMALL = 512


def pair_tasks(profiles: LabeledCells, execution: Execution) -> tuple[list[Task], list[tuple[Mapping[str, Any], Cell]]]:
    """Tasks that measure the pairs that profiles connect, those of one graph and model together; and their cells.

    A pair is measured once as trained and once for each way in which its second mode was moved, however many paths
    connect it.
    """
    known: dict[tuple[Cell, ...], Cell] = {}
    together: dict[tuple[str, str], list[Cell]] = {}
    labeled: dict[tuple[Any, ...], tuple[Mapping[str, Any], Cell]] = {}
    for labels, profile in profiles:
        inputs = {
            role: cast(Cell, profile.inputs[role]) for role in ("graph", "a", "b", "moved") if role in profile.inputs
        }
        key = tuple(inputs.values())
        if key not in known:
            config = {name: profile.config[name] for name in ("model", "endpoint")}
            known[key] = Cell("pair", VERSION, config, inputs, label=profile.label)
            together.setdefault((labels["graph"], labels["model"]), []).append(known[key])
        about = {name: labels[name] for name in ("graph", "model", "a", "b", "aligned")}
        labeled.setdefault(tuple(about.values()), (about, known[key]))
    return [Task(measure_pairs, tuple(cells), execution) for cells in together.values()], list(labeled.values())


def measure_pairs(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """graph and two modes (the second as it was `moved`) → `pair`, `layers` (tables), `about` (status).

    pair: one row: `disagreement`, the share of the items outside of the train split that the ends put into different
        classes, and `softmax_distance`, the mean over these of ‖p − q‖₁ (labels are not used); `feature_norm`, the
        spectral norm of the features of a graph.
    layers: one row per layer: `layer` (number, from the input on), `matrices` (names), `norm_a, norm_b,
        norm_difference` (spectral).

    The requests are of one graph and model.
    """
    problem, model = common_of(requests)
    graph = cast(Result, requests[0].inputs["graph"])
    size = feature_norm(data_of(graph).x) if is_one_graph(graph) else float("nan")
    function = ModelFunction(model, problem, execution.device)
    unseen = torch.ones(len(problem.targets), dtype=torch.bool)
    unseen[problem.splits["train"]] = False
    told = problem.loss.classification and problem.num_outputs > 1
    matrices = [name for name in function.trainable_names if model.get_parameter(name).dim() == 2]
    layers = layers_in_order(model, problem, matrices)
    results: list[Result] = []
    for request in requests:
        a, b = ends_of(request)
        if not usable(a, b):
            results.append({"pair": pd.DataFrame(), "layers": pd.DataFrame(), "about": {"status": "an end diverged"}})
            continue
        row = {"disagreement": float("nan"), "softmax_distance": float("nan"), "feature_norm": size}
        if told:
            with torch.no_grad():
                first, second = (function(function.load(mode.weights)).cpu()[unseen] for mode in (a, b))
            row |= {
                "disagreement": disagreement(first, second),
                "softmax_distance": float(softmax_distance(first, second)),
            }
        results.append({"pair": pd.DataFrame([row]), "layers": _layers(a, b, layers), "about": {"status": "ok"}})
    return results


def feature_norm(features: Tensor) -> float:
    """The spectral norm of the features. Shapes: (N, F), dense or sparse."""
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.linalg import svds

    if features.layout == torch.strided and min(features.shape) <= _SMALL:
        # The norm of XᵀX (or XXᵀ), whichever is smaller, in double precision.
        values = features.double()
        square = values.T @ values if features.shape[0] >= features.shape[1] else values @ values.T
        return float(torch.linalg.matrix_norm(square, 2).sqrt())
    entries = features.to_sparse_coo().coalesce()
    rows, columns = entries.indices().numpy()
    matrix = coo_array((entries.values().double().numpy(), (rows, columns)), shape=tuple(features.shape)).tocsr()
    if min(matrix.shape) <= 1 or matrix.nnz == 0:
        return float(np.sqrt(matrix.multiply(matrix).sum()))
    start = np.ones(min(matrix.shape))
    return float(svds(matrix, k=1, v0=start, return_singular_vectors=False)[0])


def _layers(a: Mode, b: Mode, layers: Sequence[Sequence[str]]) -> pd.DataFrame:
    rows = []
    for number, names in enumerate(layers):
        row: dict[str, Any] = {"layer": number, "matrices": ", ".join(names)}
        row |= {"norm_a": 0.0, "norm_b": 0.0, "norm_difference": 0.0}
        for name in names:
            first, second = (mode.weights[name].double() for mode in (a, b))
            for column, matrix in (("norm_a", first), ("norm_b", second), ("norm_difference", first - second)):
                row[column] += float(torch.linalg.matrix_norm(matrix, 2)) if matrix.numel() else 0.0
        rows.append(row)
    return pd.DataFrame(rows, columns=["layer", "matrices", "norm_a", "norm_b", "norm_difference"])
