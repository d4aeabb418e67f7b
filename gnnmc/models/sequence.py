"""What a network on sequences is made of: pre-norm blocks between learned positions and a last norm.

Every reader of the residual stream is a norm followed by linear maps, and every writer ends in a linear map.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from gnnmc.models.dot_product import SequenceAttention
from gnnmc.models.dropout import dropout
from gnnmc.models.options import NORMS, Options
from gnnmc.models.resetting import reset

# Standard deviation of the weights of a transformer at its start (Radford et al. 2019; ViTs have it, too).
_START = 0.02
# The feed-forward network is so many times as wide as the stream (Vaswani et al. 2017).
_WIDER = 4


class Positions(nn.Module):
    """A learned vector for each place is added; the first ones, where there are fewer places. Shapes: (N, T, H) → same.

    Source: Radford et al. 2018, Dosovitskiy et al. 2021.
    """

    def __init__(self, places: int, hidden: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(places, hidden))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Normal, of the standard deviation that all weights have."""
        nn.init.normal_(self.weight, std=_START)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.weight[: x.shape[1]]


class SequenceBlock(nn.Module):
    """x + attention(norm x), then x + feed-forward(norm x) by GELU, with dropout on what is added.

    Shapes: (N, T, H) → (N, T, H). Source: pre-norm, Radford et al. 2019, Xiong et al. 2020.
    """

    def __init__(self, options: Options, *, causal: bool) -> None:
        super().__init__()
        hidden = options.hidden
        self.attention_norm = NORMS[options.norm](hidden)
        self.attention = SequenceAttention(hidden, options.heads, causal=causal)
        self.feed_forward_norm = NORMS[options.norm](hidden)
        self.widen = nn.Linear(hidden, _WIDER * hidden)
        self.narrow = nn.Linear(_WIDER * hidden, hidden)
        self.dropout = options.dropout

    def forward(self, x: Tensor) -> Tensor:
        x = x + dropout(self.attention(self.attention_norm(x)), self.dropout, self.training)
        wide = functional.gelu(self.widen(self.feed_forward_norm(x)))
        return x + dropout(self.narrow(wide), self.dropout, self.training)


class SequenceBlocks(nn.Module):
    """Positions, dropout, blocks and the last norm. Shapes: (N, T, H) → (N, T, H), of T places at most `places`."""

    def __init__(self, places: int, options: Options, *, causal: bool) -> None:
        super().__init__()
        self.positions = Positions(places, options.hidden)
        self.blocks = nn.ModuleList(SequenceBlock(options, causal=causal) for _ in range(options.layers))
        self.norm = NORMS[options.norm](options.hidden)
        self.dropout = options.dropout

    def forward(self, x: Tensor) -> Tensor:
        x = dropout(self.positions(x), self.dropout, self.training)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


def start(network: nn.Module) -> None:
    """Initialize all parts anew, from the global generator: weights normal, biases 0, norms as torch has them.

    What is written to the stream is made smaller by the root of the number of writers, so that their sum is of one
    size, however many there are (Radford et al. 2019, section 2.3).
    """
    for part in network.children():
        reset(part)
    blocks = [part for part in network.modules() if isinstance(part, SequenceBlock)]
    writers = [writer for block in blocks for writer in (block.attention.out, block.narrow)]
    for part in network.modules():
        if isinstance(part, nn.Linear | nn.Embedding):
            small = 1 / math.sqrt(len(writers)) if any(part is writer for writer in writers) else 1.0
            nn.init.normal_(part.weight, std=_START * small)
            if isinstance(part, nn.Linear) and part.bias is not None:
                nn.init.zeros_(part.bias)
