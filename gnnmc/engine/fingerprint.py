"""What a model and a problem are made of, to see whether what was prepared for them still holds.

Tensors are compared by identity, by how often they were written to and by some of their numbers; plain values by
value; a user's own objects by identity and by what they hold; functions, and objects of torch and PyTorch Geometric, by
identity. Anything else never matches. What is compared is kept alive, so that no other can take its identity. The
weights themselves do not count: a path brings its own.

Not seen: what a forward reads from elsewhere (a global variable, a file), and a few numbers written to a tensor behind
torch's back (through `.data` or numpy).
"""

import dataclasses
import functools
import inspect
import weakref
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from gnnmc.problem import Problem

# Whether it is compared by value, and what is compared.
_Part: TypeAlias = tuple[bool, Any]
_PLAIN = (bool, int, float, complex, str, bytes, type(None))
# Kept apart by torch; whether a module trains is set before every forward.
_OF_MODULES = frozenset(("_parameters", "_buffers", "_modules", "training", "_non_persistent_buffers_set"))
# Their objects are told by identity: they hold what their own code put there, or caches.
_LIBRARIES = ("torch", "torch_geometric", "gnnmc", "typing", "inspect", "collections")
# Numbers of a tensor that are compared, evenly spaced.
_SAMPLED = 1024


class Fingerprint:
    """Of a model and a problem as they are at this moment; equal to a later one if nothing changed in between."""

    def __init__(self, model: nn.Module, problem: Problem) -> None:
        walk = _Walk()
        fields = (getattr(problem, field.name) for field in dataclasses.fields(problem))
        self._parts = [*walk.module(model), *(part for value in fields for part in walk.value(value))]

    def matches(self, other: "Fingerprint") -> bool:
        """Whether both are of the same parts in the same state."""
        if len(self._parts) != len(other._parts):
            return False
        return all(
            by_value == its and (a == b if by_value else a is b)
            for (by_value, a), (its, b) in zip(self._parts, other._parts, strict=True)
        )


class _Walk:
    """Goes through everything once; what comes again is told by when it came first."""

    def __init__(self) -> None:
        self._met: dict[int, int] = {}
        self._alive: list[object] = []  # an identity must not be another's while it is looked for

    def module(self, module: nn.Module) -> Iterator[_Part]:
        yield False, type(module)
        yield False, type(module).forward
        for name, parameter in module._parameters.items():
            yield from self._weight(name, parameter)
        for name, buffer in module._buffers.items():
            if name in module._non_persistent_buffers_set:
                yield True, name
                yield from self.value(buffer)
            else:
                yield from self._weight(name, buffer)
        for name, value in vars(module).items():
            if name not in _OF_MODULES:
                yield True, name
                yield from self.value(value)
        for name, part in module._modules.items():
            yield True, name
            yield from self.value(part)

    def _weight(self, name: str, value: Tensor | None) -> Iterator[_Part]:
        """All but the numbers. A weight of several names is met again."""
        known = None if value is None else (value.shape, value.dtype, value.requires_grad, self._place(value))
        yield True, (name, known)

    def value(self, value: Any) -> Iterator[_Part]:
        if isinstance(value, _PLAIN):
            yield True, (type(value).__name__, value if value == value else "nan")
            return
        known, place = id(value) in self._met, self._place(value)
        yield True, place
        if known:
            return
        if isinstance(value, Tensor):
            yield from self._tensor(value)
        elif isinstance(value, nn.Module):
            yield from self.module(value)
        elif isinstance(value, list | tuple | set | frozenset | Mapping):
            yield from self._container(value)
        elif hasattr(value, "to_dict") and not isinstance(value, type):  # PyG's Data: its library's, and a user's
            yield False, type(value)
            yield from self._container(value.to_dict())
        elif _is_fixed(value):
            yield False, value
        elif hasattr(value, "__dict__"):
            yield False, value
            yield from self.value(vars(value))
        else:
            yield False, object()

    def _tensor(self, value: Tensor) -> Iterator[_Part]:
        yield False, value
        if value.is_inference() or value.layout not in (torch.strided, torch.sparse_csr):
            yield False, object()  # nobody counts what is written to it, or not where
            return
        numbers = value.values() if value.layout == torch.sparse_csr else value
        flat = numbers.detach().reshape(-1) if numbers.is_contiguous() else numbers.detach().flatten()
        some = flat[:: max(1, len(flat) // _SAMPLED)].tolist() if flat.device.type == "cpu" else []
        yield True, (value._version, numbers._version, value.requires_grad)
        yield True, repr(some)  # NaN equals NaN

    def _container(self, value: Any) -> Iterator[_Part]:
        yield True, (type(value).__name__, len(value))
        if isinstance(value, Mapping):
            for key, held in value.items():
                yield from self.value(key)
                yield from self.value(held)
        else:
            for held in value:
                yield from self.value(held)

    def _place(self, value: object) -> int:
        if id(value) not in self._met:
            self._alive.append(value)
        return self._met.setdefault(id(value), len(self._met))


def _is_fixed(value: object) -> bool:
    """Whether it stays as it is, or holds only what its library put there."""
    if isinstance(value, type | functools.partial | weakref.ref | range | slice | torch.dtype | torch.device):
        return True
    if inspect.isroutine(value):
        return True
    library = type(value).__module__.partition(".")[0] in _LIBRARIES
    return library and not _holds_data(value)


def _holds_data(value: object) -> bool:
    """Of this package: what a problem keeps its data in."""
    return dataclasses.is_dataclass(value) and hasattr(value, "separable")
