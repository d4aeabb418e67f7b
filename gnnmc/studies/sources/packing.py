"""A graph as tensors that a store keeps, and back."""

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor
from torch_geometric.data import Data

from gnnmc.data.layout import SPARSE_BELOW
from gnnmc.problem import Problem
from gnnmc.sparse import compressed_rows
from gnnmc.store import Result


def packed(data: Data) -> dict[str, Tensor]:
    """The tensors of one graph; features by their non-zeros where these are few."""
    tensors = {name: value for name, value in data.to_dict().items() if isinstance(value, Tensor)}
    x = tensors["x"]
    sparse = x.layout != torch.strided
    if sparse or int(x.count_nonzero()) < SPARSE_BELOW * x.numel():
        del tensors["x"]
        entries = x.to_sparse_coo().coalesce() if sparse else x.to_sparse()
        rows, columns = entries.indices()
        tensors |= {
            "x_rows": rows,
            "x_columns": columns,
            "x_values": entries.values(),
            "x_shape": torch.tensor([*x.shape, int(sparse)]),
        }
    return tensors


def data_of(result: Result) -> Data:
    """The PyG Data of a stored graph, its features in the layout they had."""
    tensors = dict(cast(Mapping[str, Tensor], result["data"]))
    if "x_values" in tensors:
        *shape, sparse = tensors.pop("x_shape").tolist()
        rows, columns, values = (tensors.pop(f"x_{part}") for part in ("rows", "columns", "values"))
        if sparse:
            # Coalesced entries are ordered by row: where a row begins is where its number is first reached.
            starts = torch.searchsorted(rows, torch.arange(shape[0] + 1))
            tensors["x"] = compressed_rows(starts, columns, values, (shape[0], shape[1]), checked=False)
        else:
            places = torch.stack([rows, columns])
            entries = torch.sparse_coo_tensor(places, values, shape, is_coalesced=True, check_invariants=False)
            tensors["x"] = entries.to_dense()
    return Data(**tensors)


def node_problem(result: Result) -> Problem:
    """The node-classification problem on a stored graph."""
    about = cast(Mapping[str, object], result["about"])
    data = data_of(result)
    metrics = about.get("metrics")
    # A split that comes with a data set is taken as it is; stage `statistics` tells what it lacks.
    return Problem.node_classification(
        data, name=str(about.get("name", "graph")), metrics=cast("list[str] | None", metrics), absent_classes=True
    )
