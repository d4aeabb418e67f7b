"""Attention: a softmax over the entries of every row of a sparse matrix, times what they stand for."""

import torch
from torch import Tensor

from gnnmc.sparse.matrix import Structure
from gnnmc.sparse.row_max import row_max
from gnnmc.sparse.valued import valued_product

# Of scores within this of 0 nothing need be taken off: neither exp nor sums and products leave the range of numbers.
SAFE = 40.0
# exp of less, beside the largest of its row, which is 1, is lost in rounding; further down numbers have fewer digits,
# and processors are a hundred times slower.
LEAST = -60.0


def softmax_product(structure: Structure, scores: Tensor, x: Tensor) -> Tensor:
    """Σ over a row's entries of softmax(scores)·x[column], for every head; 0 for a row without entries.

    Shapes: scores (H, E) in the order of the (M, K) structure, x (H, K, F) → (H, M, F).
    """
    # A softmax does not depend on what is taken off all scores of a row: no gradient goes through it.
    highest = row_max(structure.starts, scores.detach())
    weights = (scores - highest.index_select(1, structure.rows)).exp()
    # Sums of weights beside sums of weighted x: nothing is divided, or gathered, edge by edge.
    with_ones = torch.cat([x, x.new_ones(*x.shape[:2], 1)], dim=2)
    sums = valued_product(structure, weights, with_ones)
    # The sum of a row with entries is 1 or more.
    return sums[..., :-1] / sums[..., -1:].clamp(min=0.5)
