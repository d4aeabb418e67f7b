"""`gnnmc::dense_mm`: products of two dense matrices each, by whichever library of torch multiplies faster.

torch multiplies dense matrices by the BLAS that it was built with. On processors that this BLAS was not made for,
oneDNN, which torch has for neural networks, is twice as fast (measured, AMD Zen 5: 230 for 105 GFLOPS in single
precision). Which one is taken follows from shapes alone, so that the same numbers come out every time.
"""

from typing import Any

import torch
from torch import Tensor

from gnnmc.engine.tracing.batched import NARROW
from gnnmc.sparse.library import LIBRARY

# Multiplications from which oneDNN is faster in spite of what a call of it costs (measured).
LARGE = 2**21
# And rows and columns: of a left factor that lies row by row, and of one that lies column by column.
FEW, MANY = 4, 64
_HAS_ONEDNN = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")

LIBRARY.define("dense_mm(Tensor left, Tensor right) -> Tensor")
# (K, N, F), (K, F, H) → (K, N, H)
dense_mm = torch.ops.gnnmc.dense_mm.default


def products(left: Tensor, right: Tensor) -> Tensor:
    """K products, differentiable. Shapes: (K, N, F), (K, F, H) → (K, N, H)."""
    learning = torch.is_grad_enabled() and (left.requires_grad or right.requires_grad)
    return _Products.apply(left, right) if learning else _products(left, right)


class _Products(torch.autograd.Function):
    """A gradient is written in the order in memory of what it is of."""

    @staticmethod
    def forward(ctx: Any, left: Tensor, right: Tensor) -> Tensor:
        ctx.save_for_backward(left, right)
        return _products(left, right)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        left, right = ctx.saved_tensors
        for_left = for_right = None
        if ctx.needs_input_grad[0]:
            if left.transpose(1, 2).is_contiguous():
                for_left = dense_mm(right, gradient.transpose(1, 2)).transpose(1, 2)
            else:
                for_left = dense_mm(gradient, right.transpose(1, 2))
        if ctx.needs_input_grad[1]:
            for_right = _products(left.transpose(1, 2), gradient)
        return for_left, for_right


def _products(left: Tensor, right: Tensor) -> Tensor:
    if right.shape[2] < NARROW:
        return dense_mm(right.transpose(1, 2), left.transpose(1, 2)).transpose(1, 2)
    return dense_mm(left, right)


def by_onednn(left: Tensor, right: Tensor) -> bool:
    """Whether oneDNN multiplies these on a CPU."""
    (count, rows, between), columns = left.shape, right.shape[2]
    single = left.dtype == right.dtype == torch.float32
    if not (_HAS_ONEDNN and single and count and rows * between * columns >= LARGE):
        return False
    # Parts of wider matrices, and single rows or columns, are multiplied up to a hundred times slower.
    a, b = left[0], right[0]
    whole = all(matrix.is_contiguous() or matrix.t().is_contiguous() for matrix in (a, b))
    return whole and min(rows, columns) >= (FEW if a.is_contiguous() else MANY)


def _on_cpu(left: Tensor, right: Tensor) -> Tensor:
    if not by_onednn(left, right):
        return torch.bmm(left, right)
    if len(left) == 1:
        return _by_onednn(left[0], right[0])[None]
    out = left.new_empty(len(left), left.shape[1], right.shape[2])
    return multiply_into(out, left, right)


def multiply_into(out: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """The products, in memory that is there."""
    if not by_onednn(left, right):
        return torch.bmm(left, right, out=out)
    for into, a, b in zip(out, left, right, strict=True):
        into.copy_(_by_onednn(a, b))
    return out


def _by_onednn(a: Tensor, b: Tensor) -> Tensor:
    # A linear map without an activation, by a weight (H, F): its own ReLU would make zeros of NaN.
    result: Tensor = torch.ops.mkldnn._linear_pointwise(a, b.t(), None, "none", [], "")
    return result


LIBRARY.impl("dense_mm", _on_cpu, "CPU")
LIBRARY.impl("dense_mm", torch.bmm, "CompositeExplicitAutograd")
