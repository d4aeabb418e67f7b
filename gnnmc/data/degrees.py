"""Degrees as features, for graphs that have none or whose features say nothing about another graph."""

import torch
from torch import Tensor

# Degrees 0 … 31 have a column each; every octave from 32 to 4095 has eight.
EXACT = 32
PER_OCTAVE = 8
LARGEST = 4095
COLUMNS = EXACT + 7 * PER_OCTAVE


def degree_features(edge_index: Tensor, num_nodes: int) -> Tensor:
    """One-hot of the number of neighbors, in the same 88 columns for every graph.

    Degrees up to 31 have a column each, every octave above has eight, and 4095 and more share the last: with columns
    that depend on no graph, what is learned on one graph can be evaluated on another. Directions, self-loops and
    repeated edges are ignored.

    Shapes:
        edge_index: (2, E)
        returns: (num_nodes, 88) float32
    """
    source, target = edge_index[:, edge_index[0] != edge_index[1]]
    pairs = torch.unique(torch.minimum(source, target) * num_nodes + torch.maximum(source, target))
    ends = torch.cat([pairs // max(num_nodes, 1), pairs % max(num_nodes, 1)])
    degree = torch.bincount(ends, minlength=num_nodes).clamp(max=LARGEST)
    return torch.nn.functional.one_hot(_column(degree), COLUMNS).float()


def _column(degree: Tensor) -> Tensor:
    # floor(log2) by counting powers, exact where a floating-point logarithm is not.
    powers = 2 ** torch.arange(6, 12)
    octave = torch.bucketize(degree, powers, right=True)
    low = EXACT * 2**octave
    return torch.where(degree < EXACT, degree, EXACT + PER_OCTAVE * octave + (degree - low) * PER_OCTAVE // low)
