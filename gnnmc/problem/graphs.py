"""Many graphs as items: collated once, any of them taken out as one batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from gnnmc.errors import InputError
from gnnmc.problem.calling import has
from gnnmc.problem.checks import check_edges
from gnnmc.problem.items import moved, tensors_of


@dataclass(frozen=True, eq=False)
class GraphItems:
    """Graphs laid end to end; `chunk` of them at once are a batch (all by default).

    A batch has `edge_index` with node numbers of the batch, `batch` (the graph of every node), `num_graphs`, and every
    tensor that all graphs have with a row per node or per edge (`x`, `edge_attr`, …), by its own name.

    Shapes: edge_index (2, E) numbered within each graph; node_ptr, edge_ptr (G + 1,); node and edge tensors (N, …) and
    (E, …) over all graphs.
    """

    edge_index: Tensor
    node_ptr: Tensor
    edge_ptr: Tensor
    node_tensors: dict[str, Tensor]
    edge_tensors: dict[str, Tensor]
    chunk: int | None = None
    separable = True

    def __len__(self) -> int:
        return len(self.node_ptr) - 1

    def batches(self) -> Sequence[Any]:
        everything = torch.arange(len(self), device=self.node_ptr.device)
        return [self.take(part) for part in everything.split(max(1, min(self.chunk or len(self), len(self))))]

    def take(self, index: Tensor) -> Any:
        index = index.to(self.node_ptr.device)
        nodes, graph_of_node, starts = _ranges(self.node_ptr, index)
        edges, graph_of_edge, _ = _ranges(self.edge_ptr, index)
        return SimpleNamespace(
            edge_index=self.edge_index[:, edges] + starts[graph_of_edge],
            batch=graph_of_node,
            num_graphs=len(index),
            **{name: value[nodes] for name, value in self.node_tensors.items()},
            **{name: value[edges] for name, value in self.edge_tensors.items()},
        )

    def to(self, device: torch.device | str) -> "GraphItems":
        return GraphItems(**moved(vars(self), device))


def collate(graphs: Sequence[Any], chunk: int | None = None) -> GraphItems:
    """Lay graphs end to end. Raises InputError, with the number of the graph, for what is no graph with features."""
    sizes = []
    for number, graph in enumerate(graphs):
        try:
            sizes.append(_size(graph))
        except InputError as error:
            raise InputError(f"graph {number}: {error}") from None
    nodes, edges = (torch.tensor([0, *(size[k] for size in sizes)]).cumsum(0) for k in (0, 1))
    names = sorted(set.intersection(*({*tensors_of(graph)} for graph in graphs)) - {"edge_index", "y"})
    per_node: dict[str, Tensor] = {}
    per_edge: dict[str, Tensor] = {}
    for name in names:
        rows = [len(getattr(graph, name)) if getattr(graph, name).dim() else -1 for graph in graphs]
        # Graphs with as many edges as nodes leave a tensor's meaning open: the name decides.
        levels = (1, 0) if name.startswith("edge") else (0, 1)
        level = next((k for k in levels if rows == [size[k] for size in sizes]), None)
        if level is not None:
            (per_node, per_edge)[level][name] = torch.cat([getattr(graph, name) for graph in graphs])
    edge_index = torch.cat([graph.edge_index for graph in graphs], dim=1)
    return GraphItems(edge_index, nodes, edges, per_node, per_edge, chunk)


def _size(graph: Any) -> tuple[int, int]:
    """Nodes and edges of one graph."""
    if not has(graph, "edge_index") or not isinstance(getattr(graph, "x", None), Tensor):
        raise InputError(f"a {type(graph).__name__} without x (N, F) and edge_index (2, E)")
    if graph.x.dim() != 2 or len(graph.x) == 0:
        raise InputError(f"features are {tuple(graph.x.shape)}; expected (N, F) with at least one node")
    check_edges(graph, len(graph.x))
    return len(graph.x), int(graph.edge_index.shape[1])


def _ranges(ptr: Tensor, index: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Rows of the chosen graphs, which of them each row is of, and where each begins in the batch."""
    counts = ptr[index + 1] - ptr[index]
    starts = counts.cumsum(0) - counts
    owner = torch.repeat_interleave(torch.arange(len(index), device=ptr.device), counts)
    within = torch.arange(len(owner), device=ptr.device) - starts[owner]
    return ptr[index][owner] + within, owner, starts
