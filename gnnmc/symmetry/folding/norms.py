"""What is folded: the norms of a residual stream, the weights that read behind each, and which biases may absorb β."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import nn

from gnnmc.symmetry.classes import SymmetryClass
from gnnmc.symmetry.layout import Units, leaves
from gnnmc.symmetry.symmetry import Symmetry


@dataclass(frozen=True)
class Reader:
    """A weight that multiplies a norm's output, summing over `axis`. bias: name of the bias that absorbs β, if there
    may be one; made: the module has none yet.
    """

    tensor: str
    axis: int
    bias: str | None = None
    made: bool = False


@dataclass(frozen=True)
class Norm:
    """path: of the LayerNorm. scaling: the one that its γ is the gauge of. shift: name of its β, None without one."""

    path: str
    group: str
    scaling: str
    gauge: str
    shift: str | None
    readers: tuple[Reader, ...]

    @property
    def free_of_shift(self) -> bool:
        """Whether all readers may have a bias that takes β."""
        return self.shift is not None and all(reader.bias is not None for reader in self.readers)


def streams(symmetry: Symmetry) -> list[str]:
    """The groups with an orthogonal symmetry that fixes the vector of ones: streams that LayerNorms read."""
    return [group.name for group in symmetry.moving(SymmetryClass.ORTHOGONAL) if group.centered and not group.outer]


def norms_of(symmetry: Symmetry, module: nn.Module) -> tuple[list[Norm], dict[str, str]]:
    """The LayerNorms whose γ is between a stream and its readers; and such γ of other modules, with the reason."""
    found: list[Norm] = []
    left: dict[str, str] = {}
    for name in streams(symmetry):
        for scaling, gauge in symmetry.groups[name].gauges:
            path, _, last = gauge.rpartition(".")
            owner = module.get_submodule(path)
            if not is_layer_norm(owner) or last != "weight":
                left[path or gauge] = f"{gauge} is a norm's, but {type(owner).__name__} is no torch.nn.LayerNorm"
                continue
            shift = f"{path}.bias".lstrip(".") if owner.bias is not None else None
            readers = tuple(
                _reader(module, tensor, axis)
                for tensor, axis in symmetry.axes(name)
                if -1 in set(_exponents(symmetry, tensor, axis, scaling))
            )
            found.append(Norm(path, name, scaling, gauge, shift, readers))
    return found, left


def is_layer_norm(module: nn.Module) -> bool:
    """Over one axis, and not one that a subclass computes in its own way."""
    return (
        isinstance(module, nn.LayerNorm)
        and type(module).forward is nn.LayerNorm.forward
        and len(module.normalized_shape) == 1
    )


def _exponents(symmetry: Symmetry, tensor: str, axis: int, scaling: str) -> Iterator[int]:
    for leaf in leaves(symmetry.layouts[tensor][axis]):
        if isinstance(leaf, Units):
            yield dict(leaf.scalings).get(scaling, 0)


def _reader(module: nn.Module, tensor: str, axis: int) -> Reader:
    """The bias beside a weight: `lin.bias` of `lin.weight`, `in_proj_bias` of `in_proj_weight`."""
    path, _, name = tensor.rpartition(".")
    owner = module.get_submodule(path)
    bias = name.replace("weight", "bias")
    weight = owner._parameters.get(name)
    if bias == name or bias not in owner._parameters or weight is None:
        return Reader(tensor, axis)
    held = owner._parameters[bias]
    shape = _without(weight.shape, axis)
    if len(shape) != 1 or (held is not None and tuple(held.shape) != shape):
        return Reader(tensor, axis)
    return Reader(tensor, axis, f"{path}.{bias}".lstrip("."), held is None)


def _without(shape: Sequence[int], axis: int) -> tuple[int, ...]:
    return tuple(size for place, size in enumerate(shape) if place != axis)
