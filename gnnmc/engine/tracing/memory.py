"""Which memory tensors lie in, and whether views of it meet."""

from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef


def memory_of(value: Tensor) -> int:
    """A name for the memory that a tensor lies in."""
    return value.untyped_storage()._cdata if value.layout == torch.strided else id(value)


def name_held(value: Tensor) -> Any:
    """As long as this is kept no other memory gets the name, though the numbers in it may go."""
    return StorageWeakRef(value.untyped_storage()) if value.layout == torch.strided else value


def apart(a: Tensor, b: Tensor) -> bool:
    """Whether two views of one memory surely have no entry in common, as chunks of a tensor."""
    if a.layout != torch.strided or b.layout != torch.strided or a.stride() != b.stride():
        return False
    spans = sorted(zip(map(int, a.stride()), a.shape, b.shape, strict=True), reverse=True)
    inner = 0
    for stride, ours, theirs in reversed(spans):
        if stride <= inner:
            return False  # windows that overlap
        inner += (max(ours, theirs) - 1) * stride

    def meet(distance: int, axis: int) -> bool:
        if axis == len(spans):
            return distance == 0
        stride, ours, theirs = spans[axis]
        steps = {distance // stride, distance // stride + 1}
        return any(meet(distance - step * stride, axis + 1) for step in steps if -theirs < step < ours)

    return not meet(int(b.storage_offset()) - int(a.storage_offset()), 0)
