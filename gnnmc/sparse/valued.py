"""Products with a sparse matrix whose values have gradients, as attention's have."""

from typing import Any

import torch
from torch import Tensor

from gnnmc.sparse.compressed import compressed_rows
from gnnmc.sparse.differentiable import Differentiable
from gnnmc.sparse.matrix import Structure
from gnnmc.sparse.operator import sparse_mm

# Where torch multiplies two dense matrices at given places alone.
_SAMPLED = ("cpu", "cuda")
# Entries of products that are done at once, so that their places take some tens of megabytes at most.
_TOGETHER = 2**22


def valued_product(structure: Structure, values: Tensor, x: Tensor) -> Tensor:
    """The matrix of these values · x, or B such products at once: of attention heads, of models.

    Shapes: values (E,) in the order of the (M, K) structure, x (K, F) → (M, F); or (B, E), (B, K, F) → (B, M, F).
    """
    if values.dim() == 1:
        return _ValuedProduct.apply(values, x, structure)
    # On the diagonal of one matrix: that is 1.4 to 3 times faster on a CPU core than a product after another, and both
    # are several times faster than gathering rows, torch.segment_reduce, or torch.sparse.mm with a reduction.
    together = max(1, _TOGETHER // max(len(structure.columns), 1))
    if len(values) > together:
        parts = zip(values.split(together), x.split(together), strict=True)
        return torch.cat([valued_product(structure, *part) for part in parts])
    count, width = len(values), x.shape[2]
    blocks = structure.blocks(count)
    out: Tensor = _ValuedProduct.apply(values.flatten(), x.flatten(0, 1), blocks)
    return out.view(count, structure.shape[0], width)


class _ValuedProduct(Differentiable):
    """A(v)·x; gradients Aᵀ(v)·g for x and, for the value of an entry, the product of the rows at its ends."""

    @staticmethod
    def forward(values: Tensor, x: Tensor, structure: Structure) -> Tensor:
        return sparse_mm(structure.starts, structure.columns, values, structure.shape[1], x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        values, x, ctx.structure = inputs
        ctx.save_for_backward(values, x)
        ctx.save_for_forward(values, x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        (values, x), structure = ctx.saved_tensors, ctx.structure
        for_values = for_x = None
        if ctx.needs_input_grad[0]:
            for_values = _at_entries(structure, gradient, x)
        if ctx.needs_input_grad[1]:
            turned, order = structure.turn
            for_x = _ValuedProduct.apply(values.index_select(0, order), gradient, turned)
        return for_values, for_x, None

    @staticmethod
    def jvp(ctx: Any, for_values: Tensor | None, for_x: Tensor | None, _: None) -> Tensor:
        values, x = ctx.saved_tensors
        parts = [] if for_values is None else [_ValuedProduct.apply(for_values, x, ctx.structure)]
        parts += [] if for_x is None else [_ValuedProduct.apply(values, for_x, ctx.structure)]
        return torch.stack(parts).sum(0)

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[int | None, int | None, None], values: Tensor, x: Tensor, structure: Structure
    ) -> tuple[Tensor, int]:
        batched_values, batched_x = (axis is not None for axis in in_dims[:2])
        if not batched_values:  # one matrix for all: their axis is folded into the features
            x = x.movedim(in_dims[1] or 0, 1)
            return _ValuedProduct.apply(values, x.flatten(1), structure).unflatten(1, x.shape[1:]), 1
        x = x.movedim(in_dims[1] or 0, 0) if batched_x else x.expand(info.batch_size, *x.shape)
        return valued_product(structure, values.movedim(in_dims[0] or 0, 0), x), 0


def _at_entries(structure: Structure, left: Tensor, right: Tensor) -> Tensor:
    """The entries of left·rightᵀ at the places of the structure. Shapes: left (M, F), right (K, F) → (E,)."""
    entries = len(structure.columns)
    # The fast product allows no second derivative, and not more entries than places (edges listed often).
    if left.device.type not in _SAMPLED or torch.is_grad_enabled() or entries > structure.shape[0] * structure.shape[1]:
        return (left[structure.rows] * right[structure.columns]).sum(1)
    places = compressed_rows(
        structure.starts, structure.columns, left.new_zeros(entries), structure.shape, checked=False
    )
    return torch.sparse.sampled_addmm(places, left.contiguous(), right.contiguous().t(), beta=0.0).values()
