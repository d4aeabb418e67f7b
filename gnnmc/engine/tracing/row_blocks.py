"""Operations that act row by row: they may be done for some rows after others, which then stay in cache."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gnnmc.engine.tracing.arguments import leaves
from gnnmc.engine.tracing.batched import Batched
from gnnmc.engine.tracing.record import Operation, Ref
from gnnmc.engine.tracing.rows import BY_ELEMENT

aten = torch.ops.aten


def by_rows(
    operations: Sequence[Operation], given: Collection[int], shapes: Mapping[int, torch.Size]
) -> tuple[int, set[int]] | None:
    """How many rows there are, and the values that have them first, if every operation acts on each row by itself.

    given: the values that the operations begin with. None where they do not.
    """
    asked = {number for operation in operations for number in operation.refs()} & set(given)
    largest = max(asked, key=lambda number: shapes[number].numel(), default=None)
    if largest is None or len(shapes[largest]) != 2:
        return None
    count = shapes[largest][0]
    rowed = {number for number in asked if len(shapes[number]) == 2 and shapes[number][0] == count}
    for operation in operations:
        results = [number for number in operation.results if number is not None]
        if rowed.isdisjoint(operation.refs()):
            if any(_has_rows(shapes[number], count) for number in results):
                return None  # rows that are not those of the others
        elif _acts_by_rows(operation, rowed, shapes, count):
            rowed.update(results)
        else:
            return None
    return count, rowed


def _acts_by_rows(operation: Operation, rowed: Collection[int], shapes: Mapping[int, torch.Size], count: int) -> bool:
    results = [shapes[number] for number in operation.results if number is not None]
    if operation.kwargs or len(results) != 1 or len(results[0]) != 2 or results[0][0] != count:
        return False
    if operation.kind in (aten.mm, aten.addmm):
        *bias, left, right = operation.args
        if any(_is_rowed(other, rowed) for other in (*bias, right)):
            return False
        return _is_rowed(left, rowed) and not _rows(bias, shapes, count)
    others = [leaf for leaf in leaves(operation.args) if not _is_rowed(leaf, rowed)]
    return operation.kind in BY_ELEMENT and not _rows(others, shapes, count)


def _is_rowed(value: Any, rowed: Collection[int]) -> bool:
    return isinstance(value, Ref) and value.number in rowed


def _rows(values: Sequence[Any], shapes: Mapping[int, torch.Size], count: int) -> bool:
    """Whether any of them has rows of its own."""
    found = [shapes[v.number] if isinstance(v, Ref) else v.shape for v in values if isinstance(v, Ref | Tensor)]
    return any(_has_rows(shape, count) for shape in found)


def _has_rows(shape: torch.Size, count: int) -> bool:
    return (len(shape) > 1 and shape[0] == count != 1) or len(shape) > 2


def cut(value: Batched, rows: int, features_first: bool) -> list[Batched]:
    """A value of rows in parts of so many, each in memory of its own, feature by feature where asked."""
    found = []
    for some in value.at(0).split(rows, dim=1):
        if features_first:
            part = some.new_empty(len(some), some.shape[2], some.shape[1])
            for into, one in zip(part, some, strict=True):  # of two axes torch turns blocks in cache; of three not
                into.copy_(one.t())
            found.append(Batched(part.transpose(1, 2), 0))
        else:
            found.append(Batched(some.contiguous(), 0))
    return found


def put(whole: Tensor, start: int, value: Batched) -> None:
    """Write a part's rows into the rows of all. Shapes: whole (N, T, C), value T of (n, C)."""
    parts = value.at(0)
    into = whole[start : start + parts.shape[1]]
    turned = parts.transpose(1, 2)
    if turned.is_contiguous():
        into.flatten(1).copy_(turned.flatten(0, 1).t())
    else:
        into.copy_(parts.transpose(0, 1))
