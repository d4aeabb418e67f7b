"""Of networks without edges: an MLP, and a CNN whose outputs are the mean over the positions."""

from collections.abc import Callable

import torch
from torch.nn import functional

from benchmarks.limits.products import Product, by, combination, dense, fastest, run
from benchmarks.limits.sizes import Sizes


def mlp(sizes: Sizes) -> Callable[[], None]:
    """Of the asked rows alone."""
    rows, (_, hidden, outputs) = len(sizes.rows), sizes.widths
    first = [by(sizes.features(sizes.rows), sizes.controls * hidden)]

    def later(points: int) -> list[Product]:
        return [combination(points, sizes.controls, rows * hidden), dense(points, rows, hidden, outputs)]

    return run(sizes.points, first, later)


def cnn(images: torch.Tensor, points: int, controls: int, hidden: int, outputs: int) -> Callable[[], None]:
    """Convolution of the images for the control points, of the pooled maps for all points; a linear map."""
    items, channels, height, width = images.shape
    first = _convolution(items, channels, hidden, height, width)

    def later(number: int) -> list[Product]:
        products = [combination(number, controls, items * hidden * height * width)]
        products += [_convolution(items, hidden, 2 * hidden, height // 2, width // 2)] * number
        return [*products, dense(number, items, 2 * hidden, outputs)]

    return run(points, [first] * controls, later)


def _convolution(items: int, channels: int, maps: int, height: int, width: int) -> Product:
    """In one batch or in several, in torch's order of memory or with channels last: the fastest."""
    x, weight = torch.rand(items, channels, height, width), torch.rand(maps, channels, 3, 3)

    def way(batch: int, order: torch.memory_format) -> Callable[[], None]:
        parts = [part.contiguous(memory_format=order) for part in x.split(batch)]
        turned = weight.contiguous(memory_format=order)

        def go() -> None:
            for part in parts:
                functional.conv2d(part, turned, padding=1)

        return go

    orders = (torch.contiguous_format, torch.channels_last)
    return fastest(*(way(batch, order) for batch in (items, 512, 256, 128) for order in orders))
