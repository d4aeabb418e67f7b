"""Batching rules of what only moves numbers, or chooses among them: the batch goes along, wherever it is."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from gnnmc.engine.tracing.batched import Batched, place_of, register

aten = torch.ops.aten


@register(aten.transpose)
def _swapped(x: Batched, first: int, second: int) -> Batched:
    rank = len(x.shape)
    order = list(range(rank))
    order[first], order[second] = order[second], order[first]
    return _permuted(x, order)


@register(aten.permute)
def _permuted(x: Batched, order: Sequence[int]) -> Batched:
    places = [place_of(x, axis) for axis in order]
    return Batched(x.tensor.permute(x.axis, *places), 0)


@register(aten.squeeze)
def _squeezed(x: Batched, dims: Any = None) -> Batched | None:
    if dims is None:
        return None
    rank = len(x.shape)
    gone = {d % rank for d in ([dims] if isinstance(dims, int) else dims) if x.shape[d] == 1}
    places = sorted(place_of(x, d) for d in gone)
    axis = x.axis - sum(place < x.axis for place in places)
    return Batched(x.tensor.squeeze(places), axis)


@register(aten.expand)
def _expanded(x: Batched, size: Sequence[int], **named: Any) -> Batched:
    moved = x.at(0)
    missing = len(size) - len(x.shape)
    return Batched(moved.reshape(len(moved), *[1] * missing, *x.shape).expand(len(moved), *size), 0)


@register(aten.cat)
def _joined(parts: Sequence[Any], dim: int = 0) -> Batched | None:
    return _together(parts, lambda values, like: torch.cat(values, place_of(like, dim)))


@register(aten.stack)
def _stacked(parts: Sequence[Any], dim: int = 0) -> Batched | None:
    first = next(part for part in parts if isinstance(part, Batched))
    new = dim % (len(first.shape) + 1)
    found = _together(parts, lambda values, like: torch.stack(values, new + (new > like.axis)))
    return found if found is None else Batched(found.tensor, found.axis + (new <= found.axis), own=True)


def _together(parts: Sequence[Any], act: Callable[[list[Tensor], Batched], Tensor]) -> Batched | None:
    """Of values side by side, the batch where the first that has one has it; constants are those of all."""
    like = next(part for part in parts if isinstance(part, Batched))
    if any(len(part.shape) != len(like.shape) for part in parts):
        return None
    size = like.tensor.shape[like.axis]
    values = []
    for part in parts:
        if isinstance(part, Batched):
            values.append(part.at(like.axis))
        else:
            values.append(part.unsqueeze(like.axis).expand(*part.shape[: like.axis], size, *part.shape[like.axis :]))
    return Batched(act(values, like), like.axis, own=True)


@register(aten.embedding)
def _looked_up(table: Any, index: Any, padding: int = -1, *how: Any) -> Batched | None:
    if not isinstance(table, Batched) or isinstance(index, Batched) or padding >= 0 or any(how):
        return None
    found = table.at(0).index_select(1, index.flatten())
    return Batched(found.unflatten(1, index.shape) if index.dim() else found[:, 0], 0, own=True)
