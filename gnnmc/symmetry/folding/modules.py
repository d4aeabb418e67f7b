"""The folded twin of a module: norms replaced, biases added, tied tensors apart."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from gnnmc.symmetry.folding.norms import Reader


class Rms(nn.Module):
    """x over its root mean square, plus a shift if it has one. No factor: it is in what reads it.

    Shapes: input (…, D) → (…, D), called as torch's LayerNorm is.
    """

    def __init__(self, size: int, eps: float, like: Tensor | None) -> None:
        super().__init__()
        self.size, self.eps = size, eps
        # A γ that torch's transformer layers ask their norms for.
        self.weight = None
        if like is None:
            self.register_parameter("bias", None)
        else:
            self.bias = nn.Parameter(torch.zeros_like(like))

    def reset_parameters(self) -> None:
        """No shift."""
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        normed = functional.rms_norm(input, (self.size,), eps=self.eps)
        return normed if self.bias is None else normed + self.bias

    def extra_repr(self) -> str:
        """As torch shows norms."""
        return f"{self.size}, eps={self.eps}, shift={self.bias is not None}"


def replace_norms(module: nn.Module, shifts: Mapping[str, bool]) -> None:
    """Put `Rms` in the place of these LayerNorms. shifts: path → whether it keeps a shift."""
    for path, shift in shifts.items():
        old = module.get_submodule(path)
        if isinstance(old, nn.LayerNorm):
            new = Rms(old.normalized_shape[0], old.eps, old.bias if shift else None).train(old.training)
            # A norm may be used in several places.
            for parent in list(module.modules()):
                for name in [name for name, child in parent._modules.items() if child is old]:
                    setattr(parent, name, new)
    for layer in module.modules():
        if isinstance(layer, nn.TransformerEncoderLayer):
            # Torch's fast path would take the norms for LayerNorms; it is taken for these two activations only.
            layer.activation_relu_or_gelu = 0


def add_biases(module: nn.Module, readers: Iterable[Reader]) -> None:
    """Give those that have none a bias of zeros."""
    for reader in readers:
        if reader.made and reader.bias is not None:
            weight, last = _owner(module, reader.tensor)
            value = weight.get_parameter(last)
            zeros = value.new_zeros([size for axis, size in enumerate(value.shape) if axis != reader.axis])
            owner, bias = _owner(module, reader.bias)
            setattr(owner, bias, nn.Parameter(zeros, value.requires_grad))


def untie(module: nn.Module, tied: Mapping[str, str]) -> list[str]:
    """Give every other name of a tensor a tensor of its own, where another module holds it. Names of these."""
    apart = []
    for name, first in tied.items():
        (owner, last), (other, _) = _owner(module, name), _owner(module, first)
        held = owner._parameters.get(last)
        if held is not None and owner is not other:
            setattr(owner, last, nn.Parameter(held.detach().clone(), held.requires_grad))
            apart.append(name)
    return apart


def _owner(module: nn.Module, name: str) -> tuple[nn.Module, str]:
    path, _, last = name.rpartition(".")
    return module.get_submodule(path), last
