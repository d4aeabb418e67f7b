"""`gnnmc::row_max`: the largest of the entries in every row of a sparse matrix, as one operation of torch."""

from typing import Any

import torch
from torch import Tensor

from gnnmc.sparse.library import LIBRARY
from gnnmc.sparse.matrix import entry_rows

LIBRARY.define("row_max(Tensor starts, Tensor values) -> Tensor")


def _by_segments(starts: Tensor, values: Tensor) -> Tensor:
    lead = values.shape[:-1]
    offsets = starts.long().expand(*lead, len(starts))
    values = values.contiguous()
    # Of one entry a row may count as contiguous and not be laid out so, which torch overlooks.
    if values.stride(-1) != 1:
        values = values.clone(memory_format=torch.contiguous_format)
    return torch.segment_reduce(values, "max", offsets=offsets, axis=len(lead), unsafe=True)


def _scattered(starts: Tensor, values: Tensor) -> Tensor:
    rows = entry_rows(starts, values.shape[-1]).long()
    lowest = values.new_full((*values.shape[:-1], len(starts) - 1), float("-inf"))
    return lowest.scatter_reduce(-1, rows.expand_as(values), values, "amax")


def _shaped(starts: Tensor, values: Tensor) -> Tensor:
    return values.new_empty(*values.shape[:-1], starts.shape[0] - 1)


def _many(info: Any, in_dims: tuple[int | None, int], starts: Tensor, values: Tensor) -> tuple[Tensor, int]:
    return row_max(starts, values.movedim(in_dims[1], 0)), 0


LIBRARY.impl("row_max", _by_segments, "CPU")
LIBRARY.impl("row_max", _by_segments, "CUDA")
LIBRARY.impl("row_max", _shaped, "Meta")
LIBRARY.impl("row_max", _scattered, "CompositeExplicitAutograd")

# (starts (M + 1,), values (…, E)) → (…, M); −∞ where a row has no entries. Without derivatives.
row_max = torch.ops.gnnmc.row_max.default
torch.library.register_vmap("gnnmc::row_max", _many, lib=LIBRARY)
