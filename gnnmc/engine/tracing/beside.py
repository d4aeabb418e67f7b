"""Sparse matrices of several problems as one, block after block on its diagonal."""

from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from gnnmc.sparse import SparseMatrix, Structure


class Beside:
    """`parts`, one SparseMatrix (or one Structure) for each of G problems, all of one shape.

    Where models of these problems take turns (model k is of problem k % G), the values of G models after one another
    are the rows that the `whole` matrix is multiplied with: nothing has to be moved.
    """

    def __init__(self, parts: Sequence[SparseMatrix] | Sequence[Structure]) -> None:
        self.parts: list[Any] = list(parts)

    @cached_property
    def whole(self) -> Any:
        """The (G·M, G·K) SparseMatrix (or Structure) with the parts on its diagonal."""
        matrices = [part for part in self.parts if isinstance(part, SparseMatrix)]
        if not matrices:
            return _diagonal([part for part in self.parts if isinstance(part, Structure)])
        values = torch.cat([matrix.values for matrix in matrices])
        return SparseMatrix(_diagonal([matrix.structure for matrix in matrices]), values)

    def folded(self, values: Tensor) -> Tensor:
        """Shapes: (K, N, …) → (K / G, G·N, …)."""
        return values.unflatten(0, (-1, len(self.parts))).flatten(1, 2)

    def unfolded(self, values: Tensor) -> Tensor:
        """Shapes: (K / G, G·N, …) → (K, N, …)."""
        return values.unflatten(1, (len(self.parts), -1)).flatten(0, 1)

    def of_part(self, values: Tensor, number: int) -> Tensor:
        """Those of the models of one problem. Shapes: (K, …) → (K / G, …)."""
        return values[number :: len(self.parts)]

    def of_all_parts(self, values: Sequence[Tensor]) -> Tensor:
        """Those of the models of each problem, by turns again. Shapes: G of (K / G, …) → (K, …)."""
        return torch.stack(list(values), 1).flatten(0, 1)


def _diagonal(parts: Sequence[Structure]) -> Structure:
    rows, columns = parts[0].shape
    before = [0, *accumulate(len(part.columns) for part in parts)]
    starts = [part.starts[:-1].long() + entries for part, entries in zip(parts, before, strict=False)]
    starts.append(parts[-1].starts[-1:].long() + before[-2])
    places = [part.columns.long() + number * columns for number, part in enumerate(parts)]
    return Structure(torch.cat(starts), torch.cat(places), (len(parts) * rows, len(parts) * columns))
