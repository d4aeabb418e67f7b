"""What torch says of an operation: whether it draws, reads values, writes, and its arguments by name."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor


def is_random(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Whether it draws random numbers, called like this."""
    return may_draw(func) and named_arguments(func, args, kwargs).get("dropout_p") != 0


# Of an operation by itself, whatever its arguments: asked at every call, and slow to read from torch.
@cache
def may_draw(func: Any) -> bool:
    """Whether it may draw random numbers."""
    return torch.Tag.nondeterministic_seeded in func.tags


@cache
def decided_by_values(func: Any) -> bool:
    """Whether what it gives is read from tensors, or is of a shape that is."""
    return torch.Tag.data_dependent_output in func.tags or torch.Tag.dynamic_output_shape in func.tags


@cache
def is_factory(func: Any) -> bool:
    """Whether the result depends on shape and type of the arguments only."""
    name = func.overloadpacket.__name__
    return name.startswith("new_") or name in ("empty_like", "zeros_like", "ones_like", "full_like")


def named_arguments(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Every argument by name, defaults included."""
    named = {argument.name: argument.default_value for argument in func._schema.arguments}
    return named | dict(zip(named, args, strict=False)) | dict(kwargs)


def written_by(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Tensor]:
    """The arguments that an operation writes into."""
    found = (args[place] if place < len(args) else kwargs.get(name) for place, name in _writes_into(func))
    return [value for value in found if isinstance(value, Tensor)]


@cache
def _writes_into(func: Any) -> list[tuple[int, str]]:
    """Places and names of such arguments; none has a tensor by default."""
    arguments = enumerate(func._schema.arguments)
    return [(n, a.name) for n, a in arguments if a.alias_info is not None and a.alias_info.is_write]


def of_equal_arguments(packet: Any, func: Any) -> Any:
    """The overload with the same arguments by name, or else the operation itself."""
    names = [argument.name for argument in func._schema.arguments]
    overloads = (getattr(packet, name) for name in packet.overloads())
    return next((one for one in overloads if [a.name for a in one._schema.arguments] == names), func)
