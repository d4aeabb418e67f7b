"""Additive attention and its gradient on a CPU core: for some heads, or models, at once, so that they stay in cache.

A weight of the entry (i, j) is w = exp(σ(aᵢ + bⱼ)) before its row is scaled to the sum 1, σ the leaky ReLU. Its
derivative is v = w·σ′ with respect to aᵢ and bⱼ alike, and σ′ has two values only. So every gradient is a product with
the matrix of w or of v: no product of the rows at the ends of each entry, no sum over entries.

With rᵢ = 1/Σⱼ wᵢⱼ, g the gradient of the output o = r·(W·x), and s = r·(V·x) − o·r·(V·1):
    for x: Wᵀ·(r·g);   for aᵢ: gᵢ·sᵢ;   for bⱼ: xⱼ·(Vᵀ·(r·g))ⱼ − (Vᵀ·(r·(g·o)))ⱼ.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from gnnmc.sparse.compressed import compressed_rows
from gnnmc.sparse.matrix import Structure
from gnnmc.sparse.row_max import row_max
from gnnmc.sparse.softmax import LEAST, SAFE

# Numbers at entries that are worked on at once (measured: fewer cost calls, more leave the cache).
AT_ONCE = 2**19

# Of ATen: torch_geometric has one of its own in the place of torch's.
_index_select = torch.ops.aten.index_select.out
_leaky_relu = torch.ops.aten.leaky_relu.out
_times_slope = torch.ops.aten.leaky_relu_backward.grad_input


@dataclass(frozen=True)
class Kept:
    """What a gradient needs besides the operands, for B blocks; slopes and scale are None where there is none.

    Shapes: out, slopes (B, M, F): o and s; scale (B, M): r.
    """

    out: Tensor
    slopes: Tensor | None = None
    scale: Tensor | None = None


def attend(entries: "Entries", of_row: Tensor, of_column: Tensor, x: Tensor, kept: Kept) -> None:
    """Write the output, and what its gradient needs where asked.

    Shapes: of_row (B, M), of_column (B, K), x (B, K, F), all contiguous, for the (M, K) structure.
    """
    off = entries.taken_off(of_row, of_column)
    for some in entries.blocks():
        weights, derivatives = entries.weigh(some(of_row), some(of_column), some(off, 1), kept.slopes is not None)
        sums = entries.row_sums(weights)
        sums = sums.masked_fill_(sums == 0, 1).reciprocal_()  # a row without entries
        scale = sums.t() if kept.scale is None else some(kept.scale).copy_(sums.t())
        here = entries.product(weights, some(x), some(kept.out)).mul_(scale.unsqueeze(2))
        if kept.slopes is not None:
            of_slopes = entries.row_sums(derivatives).mul_(sums).t().unsqueeze(2)
            slopes = entries.product(derivatives, some(x), some(kept.slopes)).mul_(scale.unsqueeze(2))
            slopes.addcmul_(here, of_slopes, value=-1)


def gradients(
    entries: "Entries",
    of_row: Tensor,
    of_column: Tensor,
    x: Tensor,
    kept: Kept,
    gradient: Tensor,
    into: tuple[Tensor, Tensor, Tensor],
) -> None:
    """Write those of of_row, of_column and x. Shapes: gradient (B, M, F) contiguous, the others as in `attend`.

    entries: of the transposed structure, with columns for rows.
    """
    for_row, for_column, for_x = into
    assert kept.slopes is not None and kept.scale is not None
    (_, rows, width), columns = gradient.shape, x.shape[1]
    off = entries.taken_off(of_column, of_row)
    scaled_buffer, product_buffer = (x.new_empty(entries.at_once, length, width + 1) for length in (rows, columns))
    for some in entries.blocks():
        here, scale = some(gradient), some(kept.scale)
        _dot(here, some(kept.slopes), some(for_row))
        scaled, product = scaled_buffer[: here.shape[0]], product_buffer[: here.shape[0]]
        of_output = scaled[..., width]
        _dot(here, some(kept.out), of_output).mul_(scale)
        torch.mul(here, scale.unsqueeze(2), out=scaled[..., :width])
        weights, derivatives = entries.weigh(some(of_column), some(of_row), some(off, 1), True)
        entries.product(weights, scaled[..., :width], some(for_x))
        entries.product(derivatives, scaled, product)
        _dot(product[..., :width], some(x), some(for_column)).sub_(product[..., width])


# The same blocks of any tensor, along an axis, the first by default.
_Some: TypeAlias = Callable[..., Tensor]


class Entries:
    """Values at the entries of a structure, some of B blocks at once, in memory that is used again for others.

    turned: whether rows and columns have changed places, of a matrix whose softmax is over its columns then.
    """

    def __init__(self, structure: Structure, blocks: int, dtype: torch.dtype, slope: float, *, turned: bool) -> None:
        self.structure = structure.turn[0] if turned else structure
        self._original, self._turned, self._slope, self._finite = structure, turned, slope, True
        self._size, self._blocks = structure.columns.shape[0], blocks
        self.at_once = max(1, min(blocks, AT_ONCE // max(1, self._size)))
        self._held = torch.empty(3, self.at_once * self._size, dtype=dtype)
        self._count = 0

    def blocks(self) -> Iterator[_Some]:
        """All of them, some at a time."""
        for start in range(0, self._blocks, self.at_once):
            size = min(self.at_once, self._blocks - start)
            self._hold(size)
            yield _whole if size == self._blocks else partial(_narrow, start=start, length=size)

    def _hold(self, count: int) -> None:
        if count == self._count:
            return
        structure, entries = self.structure, self._size
        scores, weights, values = (held[: entries * count] for held in self._held.unbind())
        self._count, self._scores, self._weights = count, scores.view(entries, count), weights.view(entries, count)
        blocks = structure.blocks(count)
        self._values = values.view(count, entries)
        # Its values are written to, and it is multiplied with, many times.
        self._matrix = compressed_rows(blocks.starts, blocks.columns, values, blocks.shape, checked=False)

    def taken_off(self, of_row: Tensor, of_column: Tensor) -> Tensor:
        """What is taken off the scores before exp, on which no softmax depends: as little as they allow.

        Shapes: of_row (B, M), of_column (B, K) → (0, B): nothing; (1, B); or (M, B): of every row, column if turned.
        """
        count = of_row.shape[0]
        self._finite = True
        if not of_row.numel() or not of_column.numel():
            return of_row.new_empty(0, count)
        least, most, lowest, largest = torch.stack([*of_row.aminmax(), *of_column.aminmax()]).tolist()
        if self._slope * (least + lowest) > -SAFE and most + largest < SAFE:  # not where one is not a number
            return of_row.new_empty(0, count)
        ends = of_row.aminmax(dim=1), of_column.aminmax(dim=1)
        both = torch.stack([ends[0][side] + ends[1][side] for side in (0, 1)])
        bounds = functional.leaky_relu(both, self._slope)
        if float((bounds[1] - bounds[0]).max()) < 2 * SAFE:
            return bounds.mean(0, keepdim=True)
        self._finite = False
        structure = self._original
        if self._turned:
            of_row, of_column = of_column, of_row
        highest = row_max(structure.starts, of_column.index_select(1, structure.columns))
        highest = highest.masked_fill(structure.starts.diff() == 0, 0)
        return functional.leaky_relu(of_row + highest, self._slope).t().contiguous()

    def weigh(self, of_row: Tensor, of_column: Tensor, off: Tensor, derivative: bool) -> tuple[Tensor, Tensor]:
        """w = exp(σ(of_row + of_column) − off), and v where asked, in memory that is written over.

        Shapes: of_row (C, M), of_column (C, K), off as `taken_off` gives it → (E, C) twice.
        """
        scores, weights = self._scores, self._weights
        _gather(of_column, self.structure.columns, scores)
        scores += _gather(of_row, self.structure.rows, weights)
        _leaky_relu(scores, self._slope, out=weights)
        if off.shape[0] == 1:
            weights -= off
        elif off.shape[0]:
            weights -= off.index_select(0, self.structure.columns if self._turned else self.structure.rows)
            weights.clamp_(min=LEAST)
        weights.exp_()
        return weights, _times_slope(weights, scores, self._slope, False, grad_input=scores) if derivative else weights

    def row_sums(self, values: Tensor) -> Tensor:
        """Shapes: (E, C) → (M, C)."""
        ones = _summing(self.structure, values.dtype)
        return torch.mm(ones, values) if self._count > 1 else torch.mv(ones, values[:, 0]).unsqueeze(1)

    def product(self, values: Tensor, x: Tensor, out: Tensor) -> Tensor:
        """Shapes: (E, C), (C, K, F) → out (C, M, F)."""
        if self._finite and self._count > 1:  # four times faster than a copy; but 0·∞ would spoil other blocks
            torch.mm(_identity(self._count, values.dtype), values.t(), out=self._values)
        else:
            self._values.copy_(values.t())
        width = x.shape[2]
        # torch.mm would write zeros first, and copy the result; what stands there is not read where beta is 0.
        out.view(-1, width).addmm_(self._matrix, x.reshape(-1, width), beta=0)
        return out


@cache
def _ones(count: int, dtype: torch.dtype) -> Tensor:
    return torch.ones(count, dtype=dtype)


@cache
def _identity(count: int, dtype: torch.dtype) -> Tensor:
    return torch.eye(count, dtype=dtype)


def _summing(structure: Structure, dtype: torch.dtype) -> Tensor:
    """The (M, E) matrix that adds up the entries of every row."""
    if dtype not in structure.summing:
        places = torch.arange(len(structure.columns), dtype=structure.columns.dtype)
        shape = (structure.shape[0], len(places))
        ones = torch.ones(len(places), dtype=dtype)
        structure.summing[dtype] = compressed_rows(structure.starts, places, ones, shape, checked=False)
    return structure.summing[dtype]


def _gather(values: Tensor, places: Tensor, out: Tensor) -> Tensor:
    """Shapes: values (C, M), places (E,) → out (E, C)."""
    if values.shape[0] == 1:  # one by one, which is faster than row by row of one
        _index_select(values.view(-1), 0, places, out=out.view(-1))
        return out
    return _index_select(values.t().contiguous(), 0, places, out=out)


def _whole(values: Tensor, axis: int = 0) -> Tensor:
    return values


def _narrow(values: Tensor, axis: int = 0, *, start: int, length: int) -> Tensor:
    return values.narrow(axis, start, length)


def _dot(a: Tensor, b: Tensor, out: Tensor) -> Tensor:
    """Σ over the last axis of a·b. Shapes: (C, N, F) twice → out (C, N)."""
    width = a.shape[2]
    return out.copy_(torch.mv((a * b).view(-1, width), _ones(width, a.dtype)).view(out.shape))
