"""`gnnmc::pairwise_attention`: attention whose scores are made of both nodes of an edge together, as GATv2's are.

Whoever watches operations (a dispatch mode) sees one; another one is its gradient.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional

from gnnmc.sparse.differentiable import transformed
from gnnmc.sparse.gathered import Places, gathered
from gnnmc.sparse.known import remember, structure_of
from gnnmc.sparse.library import LIBRARY
from gnnmc.sparse.matrix import Structure
from gnnmc.sparse.pairwise_rows import attend, gradients
from gnnmc.sparse.softmax import softmax_product

_OPERANDS = "Tensor starts, Tensor columns, Tensor of_row, Tensor of_column, Tensor x, Tensor factor, float slope"
LIBRARY.define(f"pairwise_attention({_OPERANDS}) -> (Tensor, Tensor)")
LIBRARY.define(
    f"pairwise_attention_backward({_OPERANDS}, Tensor out, Tensor scale, Tensor gradient)"
    " -> (Tensor, Tensor, Tensor, Tensor)"
)


def pairwise_attention(
    structure: Structure, of_row: Tensor, of_column: Tensor, x: Tensor, factor: Tensor, slope: float
) -> Tensor:
    """Σ over a row's entries of softmax(Σ_f factor_f·leaky_relu(of_row[row] + of_column[column])_f)·x[column].

    Of every head, for T models at once; 0 for a row without entries. slope: of the leaky ReLU below 0.

    Shapes: of_row (T, M, H, F), of_column and x (T, K, H, F), factor (T, H, F) → (T, M, H, F).
    """
    by_rows = x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64)
    if not by_rows or transformed():
        return _by_entries(structure, of_row, of_column, x, factor, slope)
    remember(structure)
    if torch.is_grad_enabled() and any(value.requires_grad for value in (of_row, of_column, x, factor)):
        return _PairwiseAttention.apply(of_row, of_column, x, factor, structure, slope)
    return _operator(structure.starts, structure.columns, of_row, of_column, x, factor, slope)[0]


class _PairwiseAttention(Function):
    @staticmethod
    def forward(ctx: Any, *given: Any) -> Tensor:
        *operands, structure, slope = given
        ctx.structure, ctx.slope = structure, slope
        out, scale = _operator(structure.starts, structure.columns, *operands, slope)
        ctx.save_for_backward(*operands, out, scale)
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        structure, slope = ctx.structure, ctx.slope
        *operands, out, scale = ctx.saved_tensors
        if not torch.is_grad_enabled():
            found = _backward(structure.starts, structure.columns, *operands, slope, out, scale, gradient)
            return *found, None, None
        # To be differentiated once more. Aliases: one operand may be made of another, whose gradient is not to pass it.
        needs = ctx.needs_input_grad[:4]
        of_row, of_column, x, factor = aliases = [value.view_as(value) for value in operands]
        asked = [value for value, needed in zip(aliases, needs, strict=True) if needed]
        entries = _by_entries(structure, of_row, of_column, x, factor, slope)
        each = iter(torch.autograd.grad(entries, asked, gradient, create_graph=True))
        return *(next(each) if needed else None for needed in needs), None, None


def _by_entries(
    structure: Structure, of_row: Tensor, of_column: Tensor, x: Tensor, factor: Tensor, slope: float
) -> Tensor:
    """By what has derivatives of every kind, on every device."""
    pairs = gathered(Places.of(structure.columns, structure.shape[1]), of_column, axis=1)
    pairs = pairs + gathered(Places.of(structure.rows, structure.shape[0]), of_row, axis=1)
    scores = (functional.leaky_relu(pairs, slope) * factor.unsqueeze(1)).sum(3)
    blocks = scores.transpose(1, 2).flatten(0, 1), x.transpose(1, 2).flatten(0, 1)
    return softmax_product(structure, *blocks).unflatten(0, (x.shape[0], x.shape[2])).transpose(1, 2)


def _attended(
    starts: Tensor, columns: Tensor, of_row: Tensor, of_column: Tensor, x: Tensor, factor: Tensor, slope: float
) -> tuple[Tensor, Tensor]:
    return attend(structure_of(starts, columns, x.shape[1]), of_row, of_column, x, factor, slope)


def _gradients(starts: Tensor, columns: Tensor, *operands: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return gradients(structure_of(starts, columns, operands[2].shape[1]), *operands)


LIBRARY.impl("pairwise_attention", _attended, "CPU")
LIBRARY.impl("pairwise_attention_backward", _gradients, "CPU")
_operator = torch.ops.gnnmc.pairwise_attention.default
_backward = torch.ops.gnnmc.pairwise_attention_backward.default
