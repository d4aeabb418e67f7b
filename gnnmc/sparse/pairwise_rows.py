"""Attention scored by pairs of nodes, and its gradient, on a CPU core: some rows at once, so that they stay in cache.

The score of the entry (i, j) is s = Σ_f a_f·σ(y_i + z_j)_f, σ the leaky ReLU. It is worked out edge by edge, as
there is no other way, and never kept: the gradient works it out once more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gnnmc.sparse.compressed import compressed_rows
from gnnmc.sparse.matrix import Structure, row_starts
from gnnmc.sparse.row_max import row_max
from gnnmc.sparse.softmax import LEAST, SAFE

# Numbers at entries that are worked on at once, in each of a few buffers.
AT_ONCE = 2**18

_index_select = torch.ops.aten.index_select.out
_leaky_relu = torch.ops.aten.leaky_relu.out
_times_slope = torch.ops.aten.leaky_relu_backward.grad_input


@dataclass(frozen=True)
class Chunk:
    """Some rows of a structure. Shapes: starts (M′ + 1,), columns (E′,), targets (E′,); sums (M′, E′), back (K, E′)."""

    rows: slice
    starts: Tensor
    columns: Tensor
    targets: Tensor
    sums: Tensor
    back: Tensor


def chunks(structure: Structure, width: int, dtype: torch.dtype) -> list[Chunk]:
    """All rows, with about as many entries each as have AT_ONCE numbers, kept with the structure."""
    key = (width, dtype, AT_ONCE)
    if key not in structure.chunks:
        structure.chunks[key] = list(_chunks(structure, max(1, AT_ONCE // width), dtype))
    return structure.chunks[key]


def _chunks(structure: Structure, entries: int, dtype: torch.dtype) -> Iterator[Chunk]:
    starts, rows = structure.starts.long(), structure.shape[0]
    wanted = torch.arange(0, int(starts[-1]) + entries, entries)
    ends = torch.cat([torch.searchsorted(starts, wanted), torch.tensor([rows])]).clamp(max=rows).unique().tolist()
    for first, last in zip([0, *ends], ends, strict=False):
        if first == last:
            continue
        here = slice(int(starts[first]), int(starts[last]))
        columns = structure.columns[here]
        own = structure.starts[first : last + 1] - structure.starts[first]
        places = torch.arange(columns.shape[0], dtype=columns.dtype)
        order = torch.argsort(columns, stable=True).to(columns.dtype)
        ones = torch.ones(columns.shape[0], dtype=dtype)
        ends_of_columns = row_starts(columns, structure.shape[1]).to(columns.dtype)
        sums = compressed_rows(own, places, ones, (last - first, columns.shape[0]), checked=False)
        back = compressed_rows(ends_of_columns, order, ones, (structure.shape[1], columns.shape[0]), checked=False)
        yield Chunk(slice(first, last), own, columns, structure.rows[here], sums, back)


class Pairs:
    """One model's scores and weights of a chunk, in buffers that are written over.

    Shapes: of_row (M, H·F), of_column and x (K, H·F), factor (H, F), held (4, E′, H·F), for the largest chunk.
    """

    def __init__(
        self, of_row: Tensor, of_column: Tensor, x: Tensor, factor: Tensor, slope: float, held: Tensor
    ) -> None:
        self.of_row, self.of_column, self.x, self.slope = of_row, of_column, x, slope
        self.heads, self.features = factor.shape
        self.blocks = torch.block_diag(*factor.unsqueeze(2)) if self.heads > 1 else factor.t()
        self.spread = torch.block_diag(*torch.ones_like(factor).unsqueeze(1)) if self.heads > 1 else None
        self._held = held.unbind()

    def buffer(self, number: int, chunk: Chunk) -> Tensor:
        """Shapes: → (E′, H·F)."""
        return self._held[number][: chunk.columns.shape[0]]

    def weigh(self, chunk: Chunk) -> tuple[Tensor, Tensor, Tensor]:
        """exp(s) up to a factor of each row, σ(y + z) and y + z. Shapes: → (E′, H), (E′, H·F) twice."""
        pairs, active = self.buffer(0, chunk), self.buffer(1, chunk)
        _index_select(self.of_column, 0, chunk.columns, out=pairs)
        pairs += _index_select(self.of_row, 0, chunk.targets, out=active)
        _leaky_relu(pairs, self.slope, out=active)
        scores = active @ self.blocks
        least, most = torch.stack(scores.aminmax()).tolist() if scores.numel() else (0.0, 0.0)
        if not (least > -SAFE and most < SAFE):  # or one is not a number
            highest = row_max(chunk.starts, scores.t().contiguous())
            scores -= highest.t().index_select(0, chunk.targets - chunk.rows.start)
            scores.clamp_(min=LEAST)
        return scores.exp_(), active, pairs

    def widened(self, weights: Tensor) -> Tensor:
        """Shapes: (E′, H) → (E′, H·F), or (E′, 1), which stands for as much."""
        return weights if self.spread is None else weights @ self.spread

    def by_head(self, products: Tensor) -> Tensor:
        """Sums over the features of a head. Shapes: (N, H·F) → (N, H)."""
        return products.sum(1, keepdim=True) if self.spread is None else products @ self.spread.t()


def attend(
    structure: Structure, of_row: Tensor, of_column: Tensor, x: Tensor, factor: Tensor, slope: float
) -> tuple[Tensor, Tensor]:
    """The output, and what the weights of every row were multiplied by to sum to 1.

    Shapes: of_row (T, M, H, F), of_column and x (T, K, H, F), factor (T, H, F) → (T, M, H, F), (T, M, H).
    """
    count, rows, heads, features = of_row.shape
    out, scale = torch.empty(of_row.shape, dtype=x.dtype), x.new_empty(count, rows, heads)
    for pairs, result, by in _models(structure, of_row, of_column, x, factor, slope, out.flatten(2), scale):
        for chunk in chunks(structure, heads * features, x.dtype):
            weights, active, _ = pairs.weigh(chunk)
            sums = chunk.sums @ weights
            by[chunk.rows] = sums.masked_fill_(sums == 0, 1).reciprocal_()  # a row without entries
            _index_select(pairs.x, 0, chunk.columns, out=active)
            active *= pairs.widened(weights)
            here = result[chunk.rows].addmm_(chunk.sums, active, beta=0)
            here *= pairs.widened(by[chunk.rows])
    return out, scale


def gradients(
    structure: Structure,
    of_row: Tensor,
    of_column: Tensor,
    x: Tensor,
    factor: Tensor,
    slope: float,
    out: Tensor,
    scale: Tensor,
    gradient: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Of of_row, of_column, x and factor. Shapes: as in `attend`, gradient as out."""
    _, _, heads, features = of_row.shape
    for_row, for_column, for_x = (v.new_zeros(*v.shape[:2], heads * features) for v in (of_row, of_column, x))
    for_factor = factor.new_zeros(factor.shape[0], heads * features, heads)
    outputs = scale, out.flatten(2), gradient.flatten(2), for_row, for_column, for_x, for_factor
    for pairs, *rest in _models(structure, of_row, of_column, x, factor, slope, *outputs):
        by, result, given, row, column, value, of_factor = rest
        means = pairs.by_head(given * result)
        for chunk in chunks(structure, heads * features, x.dtype):
            weights, active, sums = pairs.weigh(chunk)
            weights *= by.index_select(0, chunk.targets)
            here = _index_select(pairs.x, 0, chunk.columns, out=pairs.buffer(2, chunk))
            arriving = _index_select(given, 0, chunk.targets, out=pairs.buffer(3, chunk))
            here *= arriving
            of_scores = pairs.by_head(here).sub_(means.index_select(0, chunk.targets)).mul_(weights)
            of_factor.addmm_(active.t(), of_scores)
            arriving *= pairs.widened(weights)
            value.addmm_(chunk.back, arriving)
            of_pairs = torch.mm(of_scores, pairs.blocks.t(), out=active)
            _times_slope(of_pairs, sums, slope, False, grad_input=sums)
            row[chunk.rows].addmm_(chunk.sums, sums, beta=0)
            column.addmm_(chunk.back, sums)
    diagonal = for_factor.unflatten(1, (heads, features)).diagonal(dim1=1, dim2=3).transpose(1, 2)
    shape = (heads, features)
    return for_row.unflatten(2, shape), for_column.unflatten(2, shape), for_x.unflatten(2, shape), diagonal.contiguous()


def _models(
    structure: Structure,
    of_row: Tensor,
    of_column: Tensor,
    x: Tensor,
    factor: Tensor,
    slope: float,
    *others: Tensor,
) -> Iterator[tuple[Any, ...]]:
    """One model after another, with its part of all others."""
    width = of_row.shape[2] * of_row.shape[3]
    most = max((chunk.columns.shape[0] for chunk in chunks(structure, width, x.dtype)), default=0)
    held = x.new_empty(4, most, width)
    flat = [value.flatten(2).contiguous() for value in (of_row, of_column, x)]
    for number in range(of_row.shape[0]):
        row, column, value = (each[number] for each in flat)
        yield Pairs(row, column, value, factor[number], slope, held), *(other[number] for other in others)
