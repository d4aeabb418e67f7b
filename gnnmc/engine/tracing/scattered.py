"""Operations that gather rows at constant places, and that add rows up at constant places."""

from collections.abc import Mapping

import torch
from torch import Tensor

from gnnmc.engine.tracing.record import Operation, Ref

aten = torch.ops.aten


def scattered(operation: Operation) -> tuple[Tensor, Ref, int] | None:
    """Targets (E,), what is added there, and how many rows there are; None for anything else."""
    if operation.kind not in (aten.scatter_add, aten.index_add) or operation.kwargs:
        return None
    base, axis, index, source = operation.args
    if not (isinstance(base, Tensor) and isinstance(index, Tensor) and isinstance(source, Ref)) or bool(base.any()):
        return None
    if axis not in (0, -base.dim()):
        return None
    if index.dim() > 1:
        if index.shape[1:] != base.shape[1:]:
            return None
        flat = index.flatten(1)
        if bool((flat != flat[:, :1]).any()):
            return None
        index = flat[:, 0]
    return index, source, len(base)


def gathered_rows(operation: Operation | None, shapes: Mapping[int, torch.Size]) -> tuple[Ref, Tensor] | None:
    """x and the places (E,) where the operation gives x[places]; None for anything else."""
    if operation is None:
        return None
    if operation.kind is aten.index_select:
        x, axis, sources = operation.args
    elif operation.kind is aten.index and len(operation.args[1]) == 1:
        (x, (sources,)), axis = operation.args, 0
    else:
        return None
    if not isinstance(x, Ref) or not isinstance(sources, Tensor) or sources.dim() != 1 or sources.dtype != torch.long:
        return None
    return (x, sources) if axis in (0, -len(shapes[x.number])) else None


def weighted_rows(
    source: Ref, made: Mapping[int, Operation], shapes: Mapping[int, torch.Size]
) -> tuple[Ref, Tensor, Tensor | None] | None:
    """x, the sources (E,) and the weight of each edge, where `source` is weight · x[sources]."""
    operation, weight = made.get(source.number), None
    if operation is not None and operation.kind is aten.mul:
        constant, other = sorted(operation.args, key=lambda factor: isinstance(factor, Ref))
        if not isinstance(constant, Tensor) or not isinstance(other, Ref):
            return None
        if constant.dim() < 2 or constant.dim() != len(shapes[source.number]) or len(constant) != constant.numel():
            return None
        weight, operation = constant.flatten(), made.get(other.number)
    rows = gathered_rows(operation, shapes)
    return None if rows is None else (*rows, weight)
