"""What a network does with the edges before its layers see them, once per graph.

A treatment changes the edge list (science 1.5); a weighting says what each edge is multiplied by where layers work by
sparse products.
"""

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary
from torch_geometric.nn.conv.gcn_conv import gcn_norm
from torch_geometric.utils import add_self_loops, remove_self_loops, to_undirected

from gnnmc.models.adjacency import Adjacency
from gnnmc.registry import Registry

# (edge_index (2, E), N) → edge_index
Treatment: TypeAlias = Callable[[Tensor, int], Tensor]
# (edge_index (2, E), N, dtype) → edge_index and weights (E,)
Weighting: TypeAlias = Callable[[Tensor, int, torch.dtype], tuple[Tensor, Tensor]]

TREATMENTS: Registry[Treatment] = Registry("edges")


@TREATMENTS.register("given")
def given(edge_index: Tensor, num_nodes: int) -> Tensor:
    """The edges as they are; layers add self-loops where it is their way."""
    return edge_index


@TREATMENTS.register("undirected")
def undirected(edge_index: Tensor, num_nodes: int) -> Tensor:
    """Both directions of every edge once, self-loops removed and then added once (science 1.5, recipes)."""
    both = to_undirected(remove_self_loops(edge_index)[0], num_nodes=num_nodes)
    return add_self_loops(both, num_nodes=num_nodes)[0]


def symmetric(edge_index: Tensor, num_nodes: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """1/√(d_target · d_source) with one self-loop at every node (Kipf & Welling 2017)."""
    return gcn_norm(edge_index, num_nodes=num_nodes, dtype=dtype)


def mean(edge_index: Tensor, num_nodes: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """1/d_target: the mean over incoming edges (Hamilton et al. 2017); 0 where there are none."""
    degree = torch.bincount(edge_index[1], minlength=num_nodes)
    return edge_index, degree.to(dtype).reciprocal()[edge_index[1]]


def total(edge_index: Tensor, num_nodes: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """1: the sum over incoming edges."""
    return edge_index, torch.ones(edge_index.shape[1], dtype=dtype, device=edge_index.device)


def with_loops(edge_index: Tensor, num_nodes: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """1, with one self-loop at every node: what attention layers see (Veličković et al. 2018)."""
    return total(add_self_loops(remove_self_loops(edge_index)[0], num_nodes=num_nodes)[0], num_nodes, dtype)


class PreparedEdges:
    """Edges as the layers take them, remembered for as long as the graph lives.

    An `Adjacency` on the device of the edges, where there is a weighting; otherwise the treated edge list. loops=False:
    without self-loops, whatever the treatment says. A copy of it remembers nothing, and it is no part of a state_dict.
    """

    def __init__(self, treatment: str, weighting: Weighting | None, loops: bool = True) -> None:
        TREATMENTS[treatment]
        self._arguments = treatment, weighting, loops
        # Recognized by identity, never by size, and dropped with the tensor: batches come and go.
        self._known = WeakTensorKeyDictionary()

    def __reduce__(self) -> tuple[type["PreparedEdges"], tuple[str, Weighting | None, bool]]:
        return PreparedEdges, self._arguments

    def __call__(self, edge_index: Tensor, num_nodes: int, dtype: torch.dtype) -> Tensor | Adjacency:
        version, answers = self._known.get(edge_index, (None, {}))
        if version != edge_index._version:  # written to since: another graph
            answers = {}
            self._known[edge_index] = edge_index._version, answers
        if (num_nodes, dtype) not in answers:
            prepared = self._prepare(edge_index, num_nodes, dtype)
            if prepared is edge_index:  # to remember it would keep it alive
                return edge_index
            answers[num_nodes, dtype] = prepared
        return answers[num_nodes, dtype]

    def _prepare(self, edge_index: Tensor, num_nodes: int, dtype: torch.dtype) -> Tensor | Adjacency:
        treatment, weighting, loops = self._arguments
        edges = TREATMENTS[treatment](edge_index, num_nodes)
        if not loops:
            edges = remove_self_loops(edges)[0]
        return edges if weighting is None else Adjacency(*weighting(edges, num_nodes, dtype), num_nodes)
