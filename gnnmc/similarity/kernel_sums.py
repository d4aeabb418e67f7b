"""Sums of Gaussian kernels over all pairs of items, in blocks: memory does not grow with the number of pairs."""

from collections.abc import Iterator
from typing import Any, TypeAlias

import torch
from torch import Tensor

from gnnmc.problem.precision import double

Bandwidths: TypeAlias = tuple[float, ...]

# Entries of a kernel matrix that are held at a time.
BLOCK = 2**20


def cross_sum(rows: Tensor, columns: Tensor, bandwidths: Bandwidths) -> Tensor:
    """Σ_ij k(x_i, y_j), k the sum of Gaussian kernels of these bandwidths; a scalar in double precision.

    Differentiable, once where there are several blocks: their kernels are then made again for the backward pass.

    Shapes:
        rows: (R, F); columns: (C, F)
    """
    if len(rows) * len(columns) <= BLOCK:
        return double(kernel(rows, columns, bandwidths).sum(dim=1)).sum()
    total: Tensor = _CrossSum.apply(rows, columns, bandwidths)
    return total


def within_sum(rows: Tensor, bandwidths: Bandwidths) -> Tensor:
    """Σ_{i≠j} k(x_i, x_j), otherwise as `cross_sum`.

    Shapes:
        rows: (R, F)
    """
    if len(rows) ** 2 <= BLOCK:
        return double(kernel(rows, rows, bandwidths, 0).sum(dim=1)).sum()
    total: Tensor = _WithinSum.apply(rows, bandwidths)
    return total


def kernel(rows: Tensor, columns: Tensor, bandwidths: Bandwidths, start: int | None = None) -> Tensor:
    """The kernels of all pairs; 0 where an item meets itself: row i is column start + i, where there is a start.

    Shapes:
        rows: (R, F); columns: (C, F); returns (R, C)
    """
    squared = squared_distances(rows, columns)
    values = (squared * (-0.5 / bandwidths[0] ** 2)).exp()
    for bandwidth in bandwidths[1:]:
        values = values + (squared * (-0.5 / bandwidth**2)).exp()
    if start is None:
        return values
    other = torch.ones_like(values)
    itself = torch.arange(len(rows), device=rows.device)
    other[itself, itself + start] = 0
    return values * other


def squared_distances(rows: Tensor, columns: Tensor) -> Tensor:
    """By products: exact to rounding, which must not make them negative.

    Shapes:
        rows: (R, F); columns: (C, F); returns (R, C)
    """
    lengths = rows.square().sum(dim=1)[:, None] + columns.square().sum(dim=1)
    return torch.addmm(lengths, rows, columns.T, alpha=-2).clamp_min(0)


def blocks(rows: Tensor, columns: Tensor) -> Iterator[tuple[int, Tensor]]:
    """(number of the first row, rows), so many rows at a time that they have `BLOCK` pairs with the columns."""
    height = max(1, BLOCK // max(len(columns), 1))
    for start in range(0, len(rows), height):
        yield start, rows[start : start + height]


class _CrossSum(torch.autograd.Function):
    @staticmethod
    def forward(rows: Tensor, columns: Tensor, bandwidths: Bandwidths) -> Tensor:
        parts = [double(kernel(part, columns, bandwidths).sum(dim=1)).sum() for _, part in blocks(rows, columns)]
        return torch.stack(parts).sum()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        rows, columns, ctx.bandwidths = inputs
        ctx.save_for_backward(rows, columns)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Any:
        rows, columns = ctx.saved_tensors
        at_rows, at_columns = torch.empty_like(rows), torch.zeros_like(columns)
        for start, part in blocks(rows, columns):
            slopes = _slopes(part, columns, ctx.bandwidths)
            at_rows[start : start + len(part)] = part * slopes.sum(dim=1)[:, None] - slopes @ columns
            at_columns += columns * slopes.sum(dim=0)[:, None] - slopes.T @ part
        scale = (2 * gradient).to(rows.dtype)
        return scale * at_rows, scale * at_columns, None


class _WithinSum(torch.autograd.Function):
    @staticmethod
    def forward(rows: Tensor, bandwidths: Bandwidths) -> Tensor:
        # The kernel is symmetric: every block is of the items from its first on.
        parts = []
        for start, part in blocks(rows, rows):
            values = kernel(part, rows[start:], bandwidths, 0)
            parts += [
                double(values[:, : len(part)].sum(dim=1)).sum(),
                2 * double(values[:, len(part) :].sum(dim=1)).sum(),
            ]
        return torch.stack(parts).sum()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        rows, ctx.bandwidths = inputs
        ctx.save_for_backward(rows)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Any:
        (rows,) = ctx.saved_tensors
        found = torch.empty_like(rows)
        # An item with itself adds nothing: its distance is 0 whatever it is.
        for start, part in blocks(rows, rows):
            slopes = _slopes(part, rows, ctx.bandwidths)
            found[start : start + len(part)] = part * slopes.sum(dim=1)[:, None] - slopes @ rows
        return (4 * gradient).to(rows.dtype) * found, None


def _slopes(rows: Tensor, columns: Tensor, bandwidths: Bandwidths) -> Tensor:
    """Derivative of the kernels by the squared distances, (R, C)."""
    squared = squared_distances(rows, columns)
    total = torch.zeros_like(squared)
    for bandwidth in bandwidths:
        rate = -0.5 / bandwidth**2
        total += rate * (squared * rate).exp()
    return total
