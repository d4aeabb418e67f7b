"""A feature matrix, dense or sparse, a few rows at a time: a double-precision copy of a large one might not fit."""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp

Rows: TypeAlias = "np.ndarray | sp.csr_array"
"""Features of nodes, (N, F)."""

SPARSE_SHARE = 0.1
"""With a smaller share of non-zeros than that, sparse products are faster."""

CHUNK_VALUES = 2**22
"""Features turned to float64 at a time: 32 MiB."""


def row_chunks(rows: Rows) -> Iterator[tuple[slice, Rows]]:
    """Consecutive rows in double precision, with the slice they are."""
    height = chunk_height(rows, CHUNK_VALUES)
    for start in range(0, rows.shape[0], height):
        chunk = slice(start, start + height)
        yield chunk, rows[chunk].astype(np.float64)


def chunk_height(rows: Rows, values: int) -> int:
    """How many rows hold about so many stored values; at least 1."""
    stored = rows.shape[1] if isinstance(rows, np.ndarray) else rows.nnz / max(rows.shape[0], 1)
    return max(1, int(values / max(stored, 1)))


def largest_feature(rows: Rows) -> float:
    """Largest absolute value; 0 when there is none, NaN or infinite when some feature is not finite."""
    values = rows if isinstance(rows, np.ndarray) else rows.data
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    return max(-low, high) if np.isfinite(low) and np.isfinite(high) else low + high


def squared_lengths(rows: Rows, unit: float) -> np.ndarray:
    """Squared length of each row, in units of `unit`², (N,)."""
    lengths = np.zeros(rows.shape[0])
    for chunk, values in row_chunks(rows):
        values = values / unit
        lengths[chunk] = (values * values).sum(axis=1)
    return lengths
