"""What is taken at constant places, many times each, as edges take what belongs to their ends."""

from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from gnnmc.sparse.differentiable import Differentiable, outside_transforms
from gnnmc.sparse.matrix import SparseMatrix, Structure, row_starts
from gnnmc.sparse.product import product

_KNOWN: Any = WeakTensorKeyDictionary()


class Places:
    """Which of `count` places is taken, E times. Shapes: index (E,)."""

    def __init__(self, index: Tensor, count: int) -> None:
        self.index, self.count = index, count
        self._matrices: dict[torch.dtype, SparseMatrix] = {}

    @staticmethod
    def of(index: Tensor, count: int) -> "Places":
        """Those of an index, remembered for as long as it lives."""
        version, known = _KNOWN.get(index, (None, None))
        if known is None or version != index._version or known.count != count:
            known = Places(index.detach(), count)  # another tensor of the same numbers: what is remembered dies with it
            _KNOWN[index] = index._version, known
        return known

    @cached_property
    @outside_transforms
    def structure(self) -> Structure:
        """Of the (count, E) matrix that gives back: row k has a one for every time that row k is taken."""
        order = torch.argsort(self.index, stable=True)
        return Structure(row_starts(self.index, self.count), order, (self.count, len(self.index)))

    @outside_transforms
    def back(self, dtype: torch.dtype) -> SparseMatrix:
        """The matrix that adds up, for every row, what was made of it wherever it was taken."""
        if dtype not in self._matrices:
            ones = torch.ones(len(self.index), dtype=dtype, device=self.index.device)
            self._matrices[dtype] = SparseMatrix(self.structure, ones)
        return self._matrices[dtype]


def gathered(places: Places, x: Tensor, axis: int = 0) -> Tensor:
    """x[index] along an axis; its gradient is a sparse product, where torch adds place by place.

    Shapes: x (…, count, …) → (…, E, …).
    """
    return _Gathered.apply(x, places, axis % x.dim())


class _Gathered(Differentiable):
    @staticmethod
    def forward(x: Tensor, places: Places, axis: int) -> Tensor:
        if x.dim() > 2 and axis == x.dim() - 1:  # torch is ten times slower along the last of three axes than of two
            return x.flatten(0, -2).index_select(1, places.index).unflatten(0, x.shape[:-1])
        return x.index_select(axis, places.index)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _, ctx.places, ctx.axis = inputs

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        first = gradient.movedim(ctx.axis, 0)
        shape = first.shape[1:]
        added = product(ctx.places.back(gradient.dtype), first.reshape(len(first), shape.numel()))
        return added.view(ctx.places.count, *shape).movedim(0, ctx.axis), None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, *_: None) -> Tensor:
        return _Gathered.apply(tangent, ctx.places, ctx.axis)

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[int | None, None, None], x: Tensor, places: Places, axis: int
    ) -> tuple[Tensor, int]:
        # Beside the axis, not before it, where that is the first: whole rows are taken.
        batch = 0 if axis else 1
        return _Gathered.apply(x.movedim(in_dims[0] or 0, batch), places, axis + (batch == 0)), batch
