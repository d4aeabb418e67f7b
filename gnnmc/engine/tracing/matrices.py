"""Sparse matrices of constants, made of what a trace has."""

import torch
from torch import Tensor

from gnnmc.sparse import SparseMatrix, Structure


def compressed(
    targets: Tensor, sources: Tensor, weight: Tensor | None, shape: tuple[int, int], like: Tensor
) -> SparseMatrix:
    """The matrix of these entries in compressed rows; entries at one place stay apart and add up."""
    order = torch.argsort(targets * shape[1] + sources, stable=True)
    starts = targets.new_zeros(shape[0] + 1)
    starts[1:] = torch.bincount(targets, minlength=shape[0]).cumsum(0)
    values = (like.new_ones(len(targets)) if weight is None else weight)[order].contiguous()
    return SparseMatrix(Structure(starts, sources[order].contiguous(), shape), values)


def with_self_loops(matrix: SparseMatrix, share: float | Tensor) -> SparseMatrix:
    """A + s·I."""
    structure = matrix.structure
    itself = torch.arange(structure.shape[0], device=matrix.values.device)
    targets, sources = (torch.cat([ends.long(), itself]) for ends in (structure.rows, structure.columns))
    weight = torch.cat([matrix.values, matrix.values.new_ones(len(itself)) * share])
    return compressed(targets, sources, weight, structure.shape, matrix.values)


def dense(matrix: SparseMatrix) -> Tensor:
    """The same numbers in rows and columns, on devices without sparse layouts too."""
    structure = matrix.structure
    places = structure.rows.long() * structure.shape[1] + structure.columns.long()
    flat = matrix.values.new_zeros(structure.shape[0] * structure.shape[1])
    return flat.index_add_(0, places, matrix.values).reshape(structure.shape)
