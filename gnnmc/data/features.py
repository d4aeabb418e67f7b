"""What is done to the features of a real graph before anything else; the choice stands in every key and table."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch_geometric.data import Data

from gnnmc.data.degrees import degree_features
from gnnmc.data.layout import with_values
from gnnmc.errors import InputError
from gnnmc.registry import Registry

FEATURES: Registry[Callable[[Data], Tensor]] = Registry("features")


@FEATURES.register("raw")
def raw(data: Data) -> Tensor:
    """As stored.

    Shapes: x (N, F) → (N, F)
    """
    if data.x is None:
        raise InputError("the nodes come without features: choose features 'degree'")
    return data.x


@FEATURES.register("row")
def row(data: Data) -> Tensor:
    """Every row divided by its sum: shares of words in a bag of words (science 0). Rows of zeros stay zero.

    Shapes: x (N, F), dense or sparse → (N, F) in the same layout

    Raises InputError when a feature is negative: the sum of a row is then no scale.
    """
    x = raw(data)
    values = x if x.layout == torch.strided else x.values()
    if bool((values < 0).any()):
        raise InputError("features 'row' needs features without negative values: choose 'standard' or 'raw'")
    if x.layout == torch.strided:
        total = x.sum(dim=1, keepdim=True)
        return x / total.where(total > 0, total.new_ones(()))
    row_of = torch.repeat_interleave(torch.arange(x.shape[0]), x.crow_indices().diff())
    total = values.new_zeros(x.shape[0]).index_add(0, row_of, values)
    return with_values(x, values / total.where(total > 0, total.new_ones(()))[row_of])


@FEATURES.register("standard")
def standard(data: Data) -> Tensor:
    """Every column with mean 0 and standard deviation 1 over all nodes; constant columns become 0.

    Shapes: x (N, F), dense or sparse → (N, F), dense: no zero stays zero
    """
    x = raw(data)
    x = x if x.layout == torch.strided else x.to_dense()
    centered = x - x.mean(dim=0)
    deviation = x.std(dim=0, correction=0)
    # A constant column keeps a rounding error after centering, which must not be blown up.
    constant = x.max(dim=0).values == x.min(dim=0).values
    return (centered / deviation.where(~constant, deviation.new_ones(()))).where(~constant, x.new_zeros(()))


@FEATURES.register("degree")
def degree(data: Data) -> Tensor:
    """The number of neighbors instead of the features, one-hot: see `degree_features`.

    Shapes: edge_index (2, E) → (N, 88)
    """
    return degree_features(data.edge_index, int(data.num_nodes or 0))
