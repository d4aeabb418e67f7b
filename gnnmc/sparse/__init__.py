"""Sparse matrices: products on every device, with derivatives of every kind."""

from gnnmc.sparse.compressed import compressed_rows
from gnnmc.sparse.linear import dense, linear
from gnnmc.sparse.matrix import SparseMatrix, Structure, row_starts
from gnnmc.sparse.operator import sparse_mm
from gnnmc.sparse.product import product
from gnnmc.sparse.valued import valued_product

__all__ = [
    "SparseMatrix",
    "Structure",
    "compressed_rows",
    "dense",
    "linear",
    "product",
    "row_starts",
    "sparse_mm",
    "valued_product",
]
