"""Networks for images from 1×8×8 to 3×32×32: a small ResNet with BatchNorm and a plain one without any norm."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from gnnmc.models.dropout import dropout
from gnnmc.models.options import Inputs, Options
from gnnmc.models.resetting import reset

# A map is not made smaller than this many pixels a side.
_SMALLEST = 2


class _ImageNetwork(nn.Module, ABC):
    """Feature maps, their mean over the positions, dropout and a linear map.

    Shapes: x (N, C, H, W), or (N, H, W) for one channel → (N, classes).
    """

    def __init__(self, inputs: Inputs, options: Options) -> None:
        super().__init__()
        shape = inputs.item_shape
        self.shape = shape if len(shape) == 3 else (1, *shape)
        self.stages = nn.Sequential()
        width = self._add_stages(options.hidden, options.layers)
        self.output = nn.Linear(width, inputs.num_outputs)
        self.dropout = options.dropout

    @abstractmethod
    def _add_stages(self, hidden: int, layers: int) -> int:
        """Fill `stages`; returns the number of channels after the last one."""

    def reset_parameters(self) -> None:
        """Initialize every part anew, from the global generator."""
        for part in self.children():
            reset(part)

    def forward(self, x: Tensor) -> Tensor:
        maps = self.stages(x.reshape(len(x), *self.shape))
        return self.output(dropout(maps.mean((2, 3)), self.dropout, self.training))


class Vgg(_ImageNetwork):
    """3×3 convolution → ReLU → 2×2 max-pooling, `layers` times; twice the channels after every pooling.

    Maps of less than 4 pixels a side are not pooled. Source: Simonyan & Zisserman 2015, in small.
    """

    def _add_stages(self, hidden: int, layers: int) -> int:
        channels, side, width = self.shape[0], min(self.shape[1:]), hidden
        for _ in range(layers):
            self.stages.append(nn.Conv2d(channels, width, 3, padding=1))
            self.stages.append(nn.ReLU())
            channels = width
            if side // 2 >= _SMALLEST:
                self.stages.append(nn.MaxPool2d(2))
                side, width = side // 2, 2 * width
        return channels


class ResNet(_ImageNetwork):
    """A convolution, then `layers` residual blocks of two; from the second on each halves maps of 8 pixels or more
    and doubles the channels. BatchNorm after every convolution. Source: He et al. 2016, in small.
    """

    def _add_stages(self, hidden: int, layers: int) -> int:
        side, width = min(self.shape[1:]), hidden
        self.stages.append(nn.Conv2d(self.shape[0], width, 3, padding=1, bias=False))
        self.stages.append(nn.BatchNorm2d(width))
        self.stages.append(nn.ReLU())
        for number in range(layers):
            halve = number > 0 and side >= 4 * _SMALLEST
            self.stages.append(ResidualBlock(width, 2 * width if halve else width, stride=2 if halve else 1))
            if halve:
                side, width = (side + 1) // 2, 2 * width
        return width


class ResidualBlock(nn.Module):
    """ReLU(x + BN conv ReLU BN conv x); where the shape changes x goes through a 1×1 convolution with BatchNorm.

    Shapes: (N, C, H, W) → (N, C′, H / stride, W / stride).
    """

    def __init__(self, width_in: int, width_out: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width_in, width_out, 3, stride=stride, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(width_out)
        self.second = nn.Conv2d(width_out, width_out, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(width_out)
        self.skip: nn.Module = nn.Identity()
        if width_in != width_out:
            self.skip = nn.Sequential(
                nn.Conv2d(width_in, width_out, 1, stride=stride, bias=False), nn.BatchNorm2d(width_out)
            )

    def forward(self, x: Tensor) -> Tensor:
        inner = torch.relu(self.first_norm(self.first(x)))
        return torch.relu(self.second_norm(self.second(inner)) + self.skip(x))
