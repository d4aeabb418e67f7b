"""How an operation is done again, with its results in memory that is there."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gnnmc.engine.tracing.dense import dense_mm, multiply_into
from gnnmc.sparse.additive import prepared_attention, prepared_gradients
from gnnmc.sparse.operator import prepared_product, sparse_mm

aten = torch.ops.aten
# Rules (results, *args, **kwargs) → what does it, for operations that torch would do elsewhere and copy.
_WRITING: dict[Any, Callable[..., Callable[[], Any] | None]] = {}


def again(
    function: Any, args: Sequence[Any], kwargs: Mapping[str, Any], results: Sequence[Tensor]
) -> Callable[[], Any]:
    """What does the operation once more. results: where they go; none for one that writes into its arguments."""
    if not results:
        return functools.partial(function, *args, **kwargs)
    own = _WRITING.get(function)
    found = own(results, *args, **kwargs) if own is not None else None
    if found is not None:
        return found
    twin = _twin(function)
    if twin is not None and len(twin[1]) == len(results):
        written, names = twin
        return functools.partial(written, *args, **kwargs, **dict(zip(names, results, strict=True)))
    return functools.partial(_copied, function, args, kwargs, results)


def _copied(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any], results: Sequence[Tensor]) -> None:
    made = function(*args, **kwargs)
    tensors = [value for value in (made if isinstance(made, tuple | list) else (made,)) if isinstance(value, Tensor)]
    for result, value in zip(results, tensors, strict=True):
        result.copy_(value)


@functools.cache
def _twin(function: Any) -> tuple[Any, list[str]] | None:
    """The overload that writes its results into arguments, and their names; None where there is none."""
    wanted = [(a.name, str(a.type)) for a in function._schema.arguments]
    packet = function.overloadpacket
    for name in packet.overloads():
        overload = getattr(packet, name)
        arguments = overload._schema.arguments
        out = [a.name for a in arguments if a.is_out]
        if out and [(a.name, str(a.type)) for a in arguments if not a.is_out] == wanted:
            return overload, out
    return None


def _writes(*functions: Any) -> Callable[[Any], Any]:
    def registered(rule: Any) -> Any:
        _WRITING.update(dict.fromkeys(functions, rule))
        return rule

    return registered


@_writes(aten.clone.default, aten._to_copy.default)
def _copy(results: Sequence[Tensor], source: Tensor, **named: Any) -> Callable[[], Any]:
    return functools.partial(results[0].copy_, source)


@_writes(aten.relu.default)
def _relu(results: Sequence[Tensor], x: Tensor) -> Callable[[], Any]:
    return functools.partial(torch.clamp_min, x, 0, out=results[0])


@_writes(aten.native_batch_norm.default)
def _batch_norm(results: Sequence[Tensor], x: Tensor, *args: Any) -> Callable[[], Any] | None:
    """torch's own way to write into given tensors leaves them as they are for an x whose columns are apart."""
    if x.is_contiguous():
        return None
    return functools.partial(_copied, aten.native_batch_norm.default, (x, *args), {}, results)


@_writes(dense_mm)
def _dense_products(results: Sequence[Tensor], left: Tensor, right: Tensor) -> Callable[[], Any]:
    return functools.partial(multiply_into, results[0], left, right)


_writes(torch.ops.gnnmc.additive_attention.default, torch.ops.gnnmc.additive_attention_kept.default)(prepared_attention)
_writes(torch.ops.gnnmc.additive_attention_backward.default)(prepared_gradients)


@_writes(sparse_mm)
def _sparse_product(results: Sequence[Tensor], *args: Any) -> Callable[[], Any] | None:
    starts, columns, values, num_columns, x = args
    return prepared_product(starts, columns, values, num_columns, x, results[0])
