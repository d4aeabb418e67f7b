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


def valued_product(structure: Structure, values: Tensor, x: Tensor) -> Tensor:
    """The matrix of these values · x. Shapes: values (E,) in the order of the (M, K) structure, x (K, F) → (M, F)."""
    return _ValuedProduct.apply(values, x, structure)


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
            for_x = _ValuedProduct.apply(values[order], gradient, turned)
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
        many = [
            [given] * info.batch_size if axis is None else given.unbind(axis)
            for given, axis in zip((values, x), in_dims, strict=False)
        ]
        return torch.stack([_ValuedProduct.apply(*one, structure) for one in zip(*many, strict=True)]), 0


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
