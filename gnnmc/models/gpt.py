"""A small causal language model."""

from torch import Tensor, nn

from gnnmc.models.options import Inputs, Options
from gnnmc.models.sequence import SequenceBlocks, start


class Gpt(nn.Module):
    """Embedded tokens, positions, causal pre-norm blocks, and a linear map of its own to the logits of the next token.

    Shapes: x (N, T) int64 → (N, T, V), T at most the context of the problem it was built for.
    Source: GPT-2, Radford et al. 2019, in small; output weights are not those of the embedding.
    """

    def __init__(self, inputs: Inputs, options: Options) -> None:
        super().__init__()
        (context,) = inputs.item_shape
        self.tokens = nn.Embedding(inputs.num_outputs, options.hidden)
        self.stream = SequenceBlocks(context, options, causal=True)
        self.output = nn.Linear(options.hidden, inputs.num_outputs, bias=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Initialize every part anew, from the global generator."""
        start(self)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.stream(self.tokens(x)))
