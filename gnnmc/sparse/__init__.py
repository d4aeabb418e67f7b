"""Sparse matrices: products on every device, with derivatives of every kind."""

from gnnmc.sparse.additive import additive_attention
from gnnmc.sparse.compressed import compressed_rows
from gnnmc.sparse.gathered import Places, gathered
from gnnmc.sparse.linear import dense, linear
from gnnmc.sparse.matrix import SparseMatrix, Structure, row_starts
from gnnmc.sparse.operator import sparse_mm
from gnnmc.sparse.pairwise import pairwise_attention
from gnnmc.sparse.product import product
from gnnmc.sparse.row_max import row_max
from gnnmc.sparse.softmax import softmax_product
from gnnmc.sparse.valued import valued_product

__all__ = [
    "Places",
    "SparseMatrix",
    "Structure",
    "additive_attention",
    "compressed_rows",
    "dense",
    "gathered",
    "linear",
    "pairwise_attention",
    "product",
    "row_max",
    "row_starts",
    "softmax_product",
    "sparse_mm",
    "valued_product",
]
