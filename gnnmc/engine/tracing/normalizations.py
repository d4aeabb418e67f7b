"""Batching rules of normalizations: the channels of all models are those of one layer."""

from typing import Any

import torch
from torch import Tensor

from gnnmc.engine.tracing.batched import Batched, register
from gnnmc.engine.tracing.moments import learned_batch_norm

aten = torch.ops.aten


@register(learned_batch_norm)
def _learned_batch_norm(
    x: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any, training: bool, momentum: float, eps: float
) -> list[Batched]:
    given = (x, weight, bias, running_mean, running_var)
    size = _size(*given)
    columns = _columns(x, size)
    scale, shift, mean, variance = (_channels(value, size) for value in given[1:])
    assert mean is not None and variance is not None  # recorded only where there are some
    out, mean, variance = learned_batch_norm(
        columns.flatten(1, 2), scale, shift, mean, variance, training, momentum, eps
    )
    return [
        Batched(out.unflatten(1, columns.shape[1:3]), 1),
        *(Batched(v.unflatten(0, (size, -1)), 0) for v in (mean, variance)),
    ]


@register(aten.native_batch_norm)
def _batch_norm(
    x: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any, training: bool, momentum: float, eps: float
) -> list[Batched] | None:
    size = _size(x, weight, bias, running_mean, running_var)
    if not training:
        return _by_known_statistics(x, weight, bias, running_mean, running_var, eps, size)
    if running_mean is not None:
        return None
    columns = _columns(x, size)
    scale, shift = _channels(weight, size), _channels(bias, size)
    out, mean, scatter = torch.native_batch_norm(columns.flatten(1, 2), scale, shift, None, None, True, momentum, eps)
    return [
        Batched(out.unflatten(1, columns.shape[1:3]), 1),
        *(Batched(v.unflatten(0, (size, -1)), 0) for v in (mean, scatter)),
    ]


def _by_known_statistics(
    x: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any, eps: float, size: int
) -> list[Batched]:
    """A map of every channel by itself, wherever the batch is."""
    mean, variance = (v.at(0) if isinstance(v, Batched) else v.unsqueeze(0) for v in (running_mean, running_var))
    scale = (variance + eps).rsqrt()
    if weight is not None:
        scale = scale * (weight.at(0) if isinstance(weight, Batched) else weight)
    shift = -mean * scale
    if bias is not None:
        shift = shift + (bias.at(0) if isinstance(bias, Batched) else bias)
    values = x if isinstance(x, Batched) else Batched(x.unsqueeze(0), 0)
    rank = len(values.shape)
    scale, shift = (v.reshape(len(v), 1, -1, *[1] * (rank - 2)).movedim(0, values.axis) for v in (scale, shift))
    out = torch.addcmul(shift, values.tensor, scale)
    unused = out.new_empty(size, 0)  # torch tells nothing of statistics that it did not compute
    return [Batched(out, values.axis, own=True), Batched(unused, 0), Batched(unused, 0)]


@register(aten.native_layer_norm)
def _layer_norm(x: Any, shape: list[int], weight: Any, bias: Any, eps: float) -> list[Batched] | None:
    if not isinstance(x, Batched) or len(shape) >= len(x.shape):
        return None
    axis = min(x.axis, len(x.shape) - len(shape))
    # Of its own memory for each row: elsewhere every row would be copied first.
    values = x.at(axis)
    if not isinstance(weight, Batched) and not isinstance(bias, Batched):
        found = aten.native_layer_norm.default(values, shape, weight, bias, eps)
        return [Batched(each, axis) for each in found]
    out, mean, scatter = aten.native_layer_norm.default(values, shape, None, None, eps)
    scale, shift = (_beside(v, axis, out.dim()) for v in (weight, bias))
    if scale is not None and shift is not None:
        out = torch.addcmul(shift, out, scale)
    elif scale is not None:
        out = out * scale
    elif shift is not None:
        out = out + shift
    return [Batched(out, axis, own=True), Batched(mean, axis), Batched(scatter, axis)]


def _beside(value: Any, axis: int, rank: int) -> Tensor | None:
    """A weight of each model where the values of all have its last axes."""
    if not isinstance(value, Batched):
        return value
    each = value.at(0)
    return each.reshape(len(each), *[1] * (rank - each.dim()), *each.shape[1:]).movedim(0, axis)


def _size(*values: Any) -> int:
    return next(value.tensor.shape[value.axis] for value in values if isinstance(value, Batched))


def _channels(value: Any, size: int) -> Tensor | None:
    if value is None:
        return None
    return (value.at(0) if isinstance(value, Batched) else value.expand(size, *value.shape)).flatten()


def _columns(x: Any, size: int) -> Tensor:
    return x.at(1) if isinstance(x, Batched) else x.unsqueeze(1).expand(len(x), size, *x.shape[1:])
