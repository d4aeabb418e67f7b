"""A small vision transformer."""

from torch import Tensor, nn
from torch.nn import functional

from gnnmc.models.dropout import dropout
from gnnmc.models.options import Inputs, Options
from gnnmc.models.sequence import SequenceBlocks, start


class Vit(nn.Module):
    """A linear map of every patch, positions, pre-norm blocks, the mean over the patches, and a linear map.

    The mean stands for a class token: as good (Beyer et al. 2022), without a token whose part in the stream is another
    than that of all others, and what the convolutional networks here have.

    Shapes: x (N, C, H, W), or (N, H, W) for one channel → (N, classes). Source: Dosovitskiy et al. 2021, in small.
    """

    def __init__(self, inputs: Inputs, options: Options) -> None:
        super().__init__()
        shape = inputs.item_shape
        self.shape = shape if len(shape) == 3 else (1, *shape)
        channels, *sides = self.shape
        self.side = _patch_side(min(sides))
        places = (-(-sides[0] // self.side)) * (-(-sides[1] // self.side))
        self.patches = nn.Linear(channels * self.side**2, options.hidden)
        self.stream = SequenceBlocks(places, options, causal=False)
        self.output = nn.Linear(options.hidden, inputs.num_outputs)
        self.dropout = options.dropout
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Initialize every part anew, from the global generator."""
        start(self)

    def forward(self, x: Tensor) -> Tensor:
        places = self.stream(self.patches(cut(x.reshape(len(x), *self.shape), self.side)))
        return self.output(dropout(places.mean(1), self.dropout, self.training))


def cut(images: Tensor, side: int) -> Tensor:
    """Squares of `side` pixels, row by row, zeros where an image ends earlier.

    Shapes: (N, C, H, W) → (N, P, C·side²).
    """
    height, width = images.shape[2:]
    padded = functional.pad(images, (0, -width % side, 0, -height % side))
    squares = padded.unflatten(3, (-1, side)).unflatten(2, (-1, side))  # (N, C, rows, side, columns, side)
    return squares.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)


def _patch_side(pixels: int) -> int:
    """The power of two, at least 2, that gives an image of so many pixels 7 patches a side or a few more."""
    side = 2
    while 2 * side * 7 <= pixels:
        side *= 2
    return side
