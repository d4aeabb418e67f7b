"""Stage `graph`: a generated or a real graph, as tensors."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor
from torch_geometric.data import Data

from gnnmc.config import CsbmBlock, RealBlock
from gnnmc.data import csbm, load_graph, raw_files
from gnnmc.data.catalogue import find_graph
from gnnmc.data.csbm import check_csbm
from gnnmc.problem import Problem
from gnnmc.seeding import stream
from gnnmc.store import Cell, Request, Result, Task

VERSION = 1
# Features with fewer non-zeros than this are stored by their non-zeros: Cora's are 1.3 % dense.
SPARSE_BELOW = 0.25


def canonical(block: CsbmBlock | RealBlock) -> CsbmBlock | RealBlock:
    """The block under the graph's full name and with its features' treatment named: an alias is no other graph."""
    if isinstance(block, CsbmBlock):
        return block
    name, entry = find_graph(block.name)
    features = entry.features if block.features == "default" else block.features
    return block.model_copy(update={"name": name, "features": features})


def graph_task(block: CsbmBlock | RealBlock, label: str) -> Task:
    """The task of one graph. A real graph's raw files are looked up now (and fetched if need be), for their sha256."""
    if isinstance(block, CsbmBlock):
        check_csbm(_arguments(block))
        config, files = {"csbm": block.differing()}, {}
    else:
        config, files = {"real": block.differing()}, raw_files(block.name, split=block.split)
    return Task(make_graphs, (Cell("graph", VERSION, config, files=files, label=label),))


def make_graphs(requests: Sequence[Request], device: str) -> list[Result]:
    """{"csbm": …} or {"real": …} → `graph` (tensors) and `about` (name, generator values, features, fold)."""
    return [_make(request.config) for request in requests]


def _make(config: Mapping[str, Any]) -> Result:
    if "csbm" in config:
        block = CsbmBlock(**config["csbm"])
        data = csbm(**_arguments(block))
    else:
        data = load_graph(**RealBlock(**config["real"]).model_dump())
    about = {
        name: data[name]
        for name in ("name", "csbm", "features", "fold", "source")
        if getattr(data, name, None) is not None
    }
    return {"graph": _packed(data), "about": about}


def _arguments(block: CsbmBlock) -> dict[str, Any]:
    return block.model_dump() | {"seed": generator_seed(block)}


def generator_seed(block: CsbmBlock) -> int:
    """The seed given to `csbm`: a stream for each combination of values, masks aside: graphs are independent."""
    values = {name: value for name, value in block.differing().items() if name not in block.masks | {"seed"}}
    return stream("csbm", values, block.seed) % 2**31


def problem_of(result: Result) -> Problem:
    """The node-classification problem on a stored graph."""
    about = cast(Mapping[str, Any], result["about"])
    # A split that comes with a data set is taken as it is; stage `statistics` tells what it lacks.
    return Problem.node_classification(data_of(result), name=str(about.get("name", "csbm")), absent_classes=True)


def data_of(result: Result) -> Data:
    """The PyG Data of a stored graph."""
    tensors = dict(cast(Mapping[str, Tensor], result["graph"]))
    if "x_values" in tensors:
        x = torch.zeros(*tensors.pop("x_shape").tolist())
        x[tensors.pop("x_rows"), tensors.pop("x_columns")] = tensors.pop("x_values")
        tensors["x"] = x
    return Data(**tensors)


def _packed(data: Data) -> dict[str, Tensor]:
    tensors = {name: value for name, value in data.to_dict().items() if isinstance(value, Tensor)}
    x = tensors["x"]
    if x.layout != torch.strided:
        x = x.to_dense()
        tensors["x"] = x
    rows, columns = x.nonzero(as_tuple=True)
    if len(rows) < SPARSE_BELOW * x.numel():
        del tensors["x"]
        shape = torch.tensor(x.shape)
        tensors |= {"x_rows": rows, "x_columns": columns, "x_values": x[rows, columns], "x_shape": shape}
    return tensors
