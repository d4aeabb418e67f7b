"""From the features of a node to the width of a network, before its first layer."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gnnmc.models.convolutions import Map
from gnnmc.models.options import Inputs, flat_width


def encoder_for(inputs: Inputs, width: int) -> nn.Module:
    """A map to the width: embedded categories where the features are some, else a linear map."""
    if inputs.cardinalities is not None:
        return Categories(inputs.cardinalities, width)
    return Map(flat_width(inputs), width)


class Categories(nn.Module):
    """One learned vector for each value of each column, summed over the columns (Hu et al. 2020, OGB's atom encoder).

    Shapes: x (N, F) of integers, column f in 0 … cardinalities[f]-1 → (N, H).
    """

    def __init__(self, cardinalities: Sequence[int], width: int) -> None:
        super().__init__()
        self.columns = nn.ModuleList(nn.Embedding(values, width) for values in cardinalities)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Glorot's uniform law for every column."""
        for column in self.columns:
            nn.init.xavier_uniform_(column.get_parameter("weight"))

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([column(x[:, number].long()) for number, column in enumerate(self.columns)]).sum(0)
