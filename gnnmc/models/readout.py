"""From the nodes of each graph to one row for the graph."""

from collections.abc import Callable
from typing import TypeAlias

from torch import Tensor
from torch_geometric.nn import global_add_pool, global_max_pool, global_mean_pool

from gnnmc.registry import Registry

# (x (N, F), graph number of every node (N,) or None for one graph, number of graphs) → (G, F), or x itself
Readout: TypeAlias = Callable[[Tensor, Tensor | None, int | None], Tensor]

READOUTS: Registry[Readout] = Registry("readout")
READOUTS.add("none", lambda x, batch, num_graphs: x)
READOUTS.add("mean", global_mean_pool)
READOUTS.add("sum", global_add_pool)
READOUTS.add("max", global_max_pool)
