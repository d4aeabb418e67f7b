"""`gnnmc::additive_attention`: attention whose scores are sums of one of the row and one of the column, as GAT's are.

Whoever watches operations (a dispatch mode) sees one, whatever the device; another one is its gradient.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional

from gnnmc.sparse.additive_blocks import Entries, Kept, attend, gradients
from gnnmc.sparse.differentiable import transformed
from gnnmc.sparse.gathered import Places, gathered
from gnnmc.sparse.known import remember, structure_of
from gnnmc.sparse.library import LIBRARY
from gnnmc.sparse.matrix import Structure
from gnnmc.sparse.softmax import softmax_product

_OPERANDS = "Tensor starts, Tensor columns, Tensor of_row, Tensor of_column, Tensor x, float slope"
LIBRARY.define(f"additive_attention({_OPERANDS}) -> Tensor")
LIBRARY.define(f"additive_attention_kept({_OPERANDS}) -> (Tensor, Tensor, Tensor)")
LIBRARY.define(
    f"additive_attention_backward({_OPERANDS}, Tensor out, Tensor slopes, Tensor scale, Tensor gradient)"
    " -> (Tensor, Tensor, Tensor)"
)
# The types that blocks are computed in.
_TYPES = (torch.float32, torch.float64)


def additive_attention(structure: Structure, of_row: Tensor, of_column: Tensor, x: Tensor, slope: float) -> Tensor:
    """Σ over a row's entries of softmax(leaky_relu(of_row[row] + of_column[column]))·x[column], for every head.

    0 for a row without entries. slope: of the leaky ReLU below 0. For one model, or for T at once.

    Shapes: of_row (M, H), of_column (K, H), x (K, H, F) for the (M, K) structure → (M, H, F); or all with T before.
    """
    if not _in_blocks(x, slope) or transformed():
        return _by_entries(structure, of_row, of_column, x, slope)
    remember(structure)
    if torch.is_grad_enabled() and any(value.requires_grad for value in (of_row, of_column, x)):
        return _AdditiveAttention.apply(of_row, of_column, x, structure, slope)
    return _operator(structure.starts, structure.columns, of_row, of_column, x, slope)


class _AdditiveAttention(Function):
    @staticmethod
    def forward(ctx: Any, of_row: Tensor, of_column: Tensor, x: Tensor, structure: Structure, slope: float) -> Tensor:
        ctx.structure, ctx.slope = structure, slope
        out, *kept = _kept(structure.starts, structure.columns, of_row, of_column, x, slope)
        ctx.save_for_backward(of_row, of_column, x, out, *kept)
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        structure, slope = ctx.structure, ctx.slope
        of_row, of_column, x, *kept = ctx.saved_tensors
        if not torch.is_grad_enabled():
            operands = structure.starts, structure.columns, of_row, of_column, x, slope
            return *_backward(*operands, *kept, gradient), None, None
        # To be differentiated once more. Aliases: one operand may be made of another, whose gradient is not to pass it.
        needs = ctx.needs_input_grad[:3]
        of_row, of_column, x = aliases = [value.view_as(value) for value in (of_row, of_column, x)]
        asked = [value for value, needed in zip(aliases, needs, strict=True) if needed]
        out = _by_entries(structure, of_row, of_column, x, slope)
        found = iter(torch.autograd.grad(out, asked, gradient, create_graph=True))
        return *(next(found) if needed else None for needed in needs), None, None


def _by_entries(structure: Structure, of_row: Tensor, of_column: Tensor, x: Tensor, slope: float) -> Tensor:
    """By what has derivatives of every kind, on every device."""
    scores = gathered(Places.of(structure.columns, structure.shape[1]), _blocks(of_column, -1), axis=1)
    scores = scores + gathered(Places.of(structure.rows, structure.shape[0]), _blocks(of_row, -1), axis=1)
    return _heads(softmax_product(structure, functional.leaky_relu(scores, slope), _blocks(x, -2)), x)


def _in_blocks(x: Tensor, slope: float) -> bool:
    return x.device.type == "cpu" and x.dtype in _TYPES and 0 <= slope <= 1


def _blocks(values: Tensor, heads: int) -> Tensor:
    """One for each head of each model. Shapes: heads = -1: (…, N, H) → (…·H, N); -2: (…, N, H, F) → (…·H, N, F)."""
    apart = values.transpose(heads, heads - 1)
    return apart.reshape(-1, *apart.shape[heads:]).contiguous()


def _heads(blocks: Tensor, x: Tensor) -> Tensor:
    """The other way, for as many models and heads as x (…, K, H, F) has. Shapes: (…·H, N[, F]) → (…, N, H[, F])."""
    lead = x.dim() - 3
    return blocks.unflatten(0, (*x.shape[:lead], x.shape[-2])).transpose(lead, lead + 1)


def prepared_attention(results: Sequence[Tensor], *operands: Any) -> Callable[[], None]:
    """What writes the results of the operation, or of the one that keeps something, of its operands as they are then.

    results: laid out in memory as the operation does.
    """
    starts, columns, of_row, of_column, x, slope = operands
    rows, cols, values = _Blocks(of_row, -1), _Blocks(of_column, -1), _Blocks(x, -2)
    kept = Kept(_blocks(results[0], -2), *results[1:])
    entries = Entries(structure_of(starts, columns, x.shape[-3]), len(kept.out), x.dtype, slope, turned=False)
    return lambda: attend(entries, rows(), cols(), values(), kept)


def prepared_gradients(results: Sequence[Tensor], *operands: Any) -> Callable[[], None]:
    """The same of its gradient."""
    starts, columns, of_row, of_column, x, slope, out, slopes, scale, gradient = operands
    rows, cols, values = _Blocks(of_row, -1), _Blocks(of_column, -1), _Blocks(x, -2)
    kept, back = Kept(_blocks(out, -2), slopes, scale), _Blocks(gradient, -2)
    entries = Entries(structure_of(starts, columns, x.shape[-3]), len(kept.out), x.dtype, slope, turned=True)
    into = _blocks(results[0], -1), _blocks(results[1], -1), _blocks(results[2], -2)
    return lambda: gradients(entries, rows(), cols(), values(), kept, back(), into)


class _Blocks:
    """The blocks of an operand, in memory of their own where they are not side by side."""

    def __init__(self, value: Tensor, heads: int) -> None:
        self._apart = value.transpose(heads, heads - 1)
        copied = not self._apart.is_contiguous()
        self._copy = torch.empty(self._apart.shape, dtype=value.dtype) if copied else None
        self._blocks = (self._apart if self._copy is None else self._copy).flatten(0, heads - 1)

    def __call__(self) -> Tensor:
        if self._copy is not None:
            self._copy.copy_(self._apart)
        return self._blocks


def _output(starts: Tensor, columns: Tensor, of_row: Tensor, of_column: Tensor, x: Tensor, slope: float) -> Tensor:
    out = _empty(*of_row.shape, x.shape[-1], heads=-2, like=x)
    prepared_attention([out], starts, columns, of_row, of_column, x, slope)()
    return out


def _output_and_kept(
    starts: Tensor, columns: Tensor, of_row: Tensor, of_column: Tensor, x: Tensor, slope: float
) -> tuple[Tensor, Tensor, Tensor]:
    out = _empty(*of_row.shape, x.shape[-1], heads=-2, like=x)
    slopes = torch.empty_like(_blocks(out, -2))
    results = out, slopes, slopes.new_empty(slopes.shape[:2])
    prepared_attention(results, starts, columns, of_row, of_column, x, slope)()
    return results


def _gradients(*operands: Any) -> tuple[Tensor, Tensor, Tensor]:
    _, _, of_row, of_column, x, *_ = operands
    for_row, for_column = (_empty(*value.shape, heads=-1, like=value) for value in (of_row, of_column))
    results = for_row, for_column, _empty(*x.shape, heads=-2, like=x)
    prepared_gradients(results, *operands)()
    return results


def _empty(*shape: int, heads: int, like: Tensor) -> Tensor:
    """Memory for (…, N, H[, F]) numbers, block by block."""
    order = list(shape)
    order[heads - 1], order[heads] = order[heads], order[heads - 1]
    return like.new_empty(order).transpose(heads, heads - 1)


def _shaped(starts: Tensor, columns: Tensor, of_row: Tensor, of_column: Tensor, x: Tensor, slope: float) -> Tensor:
    return x.new_empty(*of_row.shape, x.shape[-1])


LIBRARY.impl("additive_attention", _output, "CPU")
LIBRARY.impl("additive_attention", _shaped, "Meta")
LIBRARY.impl("additive_attention_kept", _output_and_kept, "CPU")
LIBRARY.impl("additive_attention_backward", _gradients, "CPU")
_operator = torch.ops.gnnmc.additive_attention.default
_kept = torch.ops.gnnmc.additive_attention_kept.default
_backward = torch.ops.gnnmc.additive_attention_backward.default
