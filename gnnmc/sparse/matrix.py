"""A sparse matrix as dense tensors: where its entries are, and what they are.

torch's own sparse tensors are no arguments that autograd, function transforms and every device take; three dense ones
are. The transposed matrix, which gradients are multiplied by, is prepared once.
"""

from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from gnnmc.sparse.compressed import compressed_rows
from gnnmc.sparse.differentiable import outside_transforms

# The libraries that multiply (MKL, cuSPARSE) work on indices of this type, and convert others at every product.
_INDEX = torch.int32


class Structure:
    """Where the entries of an (M, K) matrix are, row by row.

    Shapes: starts (M + 1,) first entry of every row, columns (E,); both int32, int64 where they would not fit.
    """

    def __init__(self, starts: Tensor, columns: Tensor, shape: tuple[int, int]) -> None:
        wanted = _INDEX if max(len(columns), *shape) <= torch.iinfo(_INDEX).max else torch.int64
        self.starts, self.columns, self.shape = starts.to(wanted), columns.to(wanted), shape
        self._blocks: Structure | None = None
        # What attention prepares, by what for: matrices that add up the entries of every row, and some rows apart.
        self.summing: dict[torch.dtype, Tensor] = {}
        self.chunks: dict[Any, Any] = {}

    @cached_property
    @outside_transforms
    def rows(self) -> Tensor:
        """The row of every entry. Shapes: → (E,)."""
        return entry_rows(self.starts, len(self.columns))

    @cached_property
    @outside_transforms
    def turn(self) -> tuple["Structure", Tensor]:
        """The transposed matrix's structure, and the entries of this one in its order (E,)."""
        order = torch.argsort(self.columns, stable=True)
        starts = row_starts(self.columns, self.shape[1])
        return Structure(starts, self.rows[order], (self.shape[1], self.shape[0])), order

    def blocks(self, count: int) -> "Structure":
        """That of the (count·M, count·K) matrix with this one `count` times on its diagonal; the largest is kept."""
        if count == 1:
            return self
        if self._blocks is None or len(self._blocks.starts) <= count * self.shape[0]:
            self._blocks = _Blocks(self, count)
        kept, (rows, columns) = self._blocks, self.shape
        if kept.shape[0] == count * rows and kept.shape[1] == count * columns:
            return kept
        return _Blocks(self, count, kept)


class _Blocks(Structure):
    """One structure many times on the diagonal; of `more` blocks, where they are there, the first ones."""

    def __init__(self, block: Structure, count: int, more: Structure | None = None) -> None:
        (rows, columns), entries = block.shape, len(block.columns)
        if more is None:
            each = torch.arange(count, device=block.columns.device).unsqueeze(1)
            starts = torch.cat([(block.starts[:-1] + entries * each).flatten(), block.starts[-1:] + entries * each[-1]])
            places = (block.columns + columns * each).flatten()
        else:
            starts, places = more.starts[: count * rows + 1], more.columns[: count * entries]
        super().__init__(starts, places, (count * rows, count * columns))
        self._block, self._count = block, count

    @cached_property
    @outside_transforms
    def turn(self) -> tuple[Structure, Tensor]:
        """As of any structure, from that of the block."""
        turned, order = self._block.turn
        each = torch.arange(self._count, device=order.device).unsqueeze(1)
        return turned.blocks(self._count), (order + len(order) * each).flatten()


class SparseMatrix:
    """An (M, K) matrix of constants in compressed rows; entries at one place add up.

    Shapes: values (E,) in the order of the structure.
    """

    def __init__(self, structure: Structure, values: Tensor) -> None:
        self.structure, self.values = structure, values

    @staticmethod
    def of(matrix: Tensor) -> "SparseMatrix":
        """A torch.sparse_csr tensor's entries."""
        structure = Structure(matrix.crow_indices(), matrix.col_indices(), (matrix.shape[0], matrix.shape[1]))
        return SparseMatrix(structure, matrix.values())

    @staticmethod
    def of_dense(matrix: Tensor) -> "SparseMatrix":
        """The entries of a dense matrix that are not 0, on devices without sparse layouts too."""
        rows, columns = matrix.nonzero(as_tuple=True)
        structure = Structure(row_starts(rows, len(matrix)), columns, (matrix.shape[0], matrix.shape[1]))
        return SparseMatrix(structure, matrix[rows, columns])

    def __len__(self) -> int:
        return self.structure.shape[0]

    @property
    def shape(self) -> tuple[int, int]:
        """(M, K)."""
        return self.structure.shape

    @property
    def dtype(self) -> torch.dtype:
        """Of the values."""
        return self.values.dtype

    @cached_property
    @outside_transforms
    def tensor(self) -> Tensor:
        """The same as a torch.sparse_csr tensor. Shapes: → (M, K)."""
        structure = self.structure
        return compressed_rows(structure.starts, structure.columns, self.values, structure.shape, checked=False)

    @cached_property
    @outside_transforms
    def transposed(self) -> "SparseMatrix":
        """What gradients are multiplied by."""
        structure, order = self.structure.turn
        return SparseMatrix(structure, self.values[order])

    def with_values(self, values: Tensor) -> "SparseMatrix":
        """Other values at the same places."""
        return SparseMatrix(self.structure, values)


def row_starts(rows: Tensor, count: int) -> Tensor:
    """Where each row begins when entries are sorted by row. Shapes: rows (E,) → (count + 1,)."""
    ends = torch.bincount(rows, minlength=count).cumsum(0)
    return torch.cat([ends.new_zeros(1), ends])


def entry_rows(starts: Tensor, entries: int) -> Tensor:
    """The row of every entry. Shapes: starts (M + 1,) → (entries,)."""
    rows = torch.arange(len(starts) - 1, dtype=starts.dtype, device=starts.device)
    return torch.repeat_interleave(rows, starts.diff(), output_size=entries)
