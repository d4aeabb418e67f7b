"""Rows of a matrix taken at constant places, many times each, as edges take what belongs to their ends."""

from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from gnnmc.sparse.differentiable import Differentiable
from gnnmc.sparse.matrix import SparseMatrix, Structure, row_starts
from gnnmc.sparse.product import product


class Places:
    """Which of `count` rows is taken, E times. Shapes: index (E,)."""

    def __init__(self, index: Tensor, count: int) -> None:
        self.index, self.count = index, count
        self._matrices: dict[torch.dtype, SparseMatrix] = {}

    @cached_property
    def structure(self) -> Structure:
        """Of the (count, E) matrix that gives back: row k has a one for every time that row k is taken."""
        order = torch.argsort(self.index, stable=True)
        return Structure(row_starts(self.index, self.count), order, (self.count, len(self.index)))

    def back(self, dtype: torch.dtype) -> SparseMatrix:
        """The matrix that adds up, for every row, what was made of it wherever it was taken."""
        if dtype not in self._matrices:
            ones = torch.ones(len(self.index), dtype=dtype, device=self.index.device)
            self._matrices[dtype] = SparseMatrix(self.structure, ones)
        return self._matrices[dtype]


def gathered(places: Places, x: Tensor) -> Tensor:
    """x[index]; its gradient is a sparse product, where torch adds row by row. Shapes: x (count, …) → (E, …)."""
    return _Gathered.apply(x, places)


class _Gathered(Differentiable):
    @staticmethod
    def forward(x: Tensor, places: Places) -> Tensor:
        return x.index_select(0, places.index)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.places = inputs[1]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        shape = gradient.shape[1:]
        added = product(ctx.places.back(gradient.dtype), gradient.reshape(len(gradient), shape.numel()))
        return added.view(ctx.places.count, *shape), None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, _: None) -> Tensor:
        return _Gathered.apply(tangent, ctx.places)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, None], x: Tensor, places: Places) -> tuple[Tensor, int]:
        return _Gathered.apply(x.movedim(in_dims[0] or 0, 1), places), 1
