"""Random numbers in a recorded forward: drawn for each mode from a generator of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Draw:
    """An operation of torch that draws from a generator; `filled` is what it writes into, where it does."""

    function: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    filled: Tensor | None

    @staticmethod
    def of(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any], written: Sequence[Tensor]) -> "Draw | None":
        """None where no generator can be named."""
        if kwargs.get("generator") is not None:
            return None  # it goes on with the user's own, call by call
        kwargs = {name: value for name, value in kwargs.items() if name != "generator"}
        if written:
            named = any(argument.name == "generator" for argument in function._schema.arguments)
            whole = len(written) == 1 and written[0] is args[0]
            return Draw(function, tuple(args[1:]), kwargs, torch.empty_like(args[0])) if named and whole else None
        name = function._overloadname
        packet = function.overloadpacket
        with_generator = "generator" if name == "default" and "generator" in packet.overloads() else name
        found = getattr(packet, with_generator)
        if not any(argument.name == "generator" for argument in found._schema.arguments):
            return None
        return Draw(found, tuple(args), kwargs, None)

    @property
    def law(self) -> tuple[Any, ...]:
        """Equal for draws from the same distribution, of the same shape; tensors are what they are."""
        args = [id(argument) if isinstance(argument, Tensor) else argument for argument in self.args]
        filled = None if self.filled is None else (self.filled.shape, self.filled.dtype, self.filled.device)
        return self.function, args, dict(self.kwargs), filled

    def __call__(self, generators: Sequence[torch.Generator]) -> Tensor:
        """The numbers of every generator. Shapes: K generators → (K, …)."""
        if self.filled is None:
            return torch.stack([self.function(*self.args, **self.kwargs, generator=g) for g in generators])
        values = self.filled.new_empty(len(generators), *self.filled.shape)
        for row, generator in zip(values, generators, strict=True):
            self.function(row, *self.args, **self.kwargs, generator=generator)
        return values
