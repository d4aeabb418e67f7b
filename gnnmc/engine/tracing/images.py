"""Batching rules of convolutions and pooling: one model after another, channels last in memory."""

from typing import Any

import torch
from torch import Tensor

from gnnmc.engine.tracing.batched import Batched, register

aten = torch.ops.aten


@register(aten.convolution)
def _convolution(x: Any, weight: Any, bias: Any, *how: Any) -> Batched | None:
    transposed = how[3]
    if transposed or (x.tensor.dim() - 1 if isinstance(x, Batched) else x.dim()) != 4:
        return None
    given = (x, weight, bias)
    size = next(value.tensor.shape[value.axis] for value in given if isinstance(value, Batched))
    many = [value.at(0).unbind(0) if isinstance(value, Batched) else (value,) * size for value in given]
    found = [_convolved(*one, *how) for one in zip(*many, strict=True)]
    return Batched(_channels_last_together(found), 0, own=True)


def _convolved(x: Tensor, weight: Tensor, bias: Tensor | None, *how: Any) -> Tensor:
    # All images at once: fewer would stay in cache, and be joined afterwards, which costs more (measured: a fifth).
    last = torch.channels_last
    return aten.convolution.default(x.contiguous(memory_format=last), weight.contiguous(memory_format=last), bias, *how)


def _channels_last_together(images: list[Tensor]) -> Tensor:
    """Shapes: T of (N, C, H, W) → (T, N, C, H, W), the channels of a pixel side by side in memory."""
    if len(images) == 1:
        return images[0].unsqueeze(0)
    return torch.stack([image.permute(0, 2, 3, 1) for image in images]).permute(0, 1, 4, 2, 3)


@register(aten.max_pool2d_with_indices)
def _largest(x: Batched, *how: Any) -> list[Batched] | None:
    if len(x.shape) != 4:
        return None
    images = x.at(0).flatten(0, 1).contiguous(memory_format=torch.channels_last)
    size = (x.tensor.shape[x.axis], x.shape[0])
    found = aten.max_pool2d_with_indices.default(images, *how)
    return [Batched(each.unflatten(0, size), 0, own=True) for each in found]
