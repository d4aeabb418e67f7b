"""What a model and a problem are made of, to see whether what was prepared for them still holds.

Tensors are compared by identity, by how often they were written to and by some of their numbers; plain values by
value; arrays by their bytes; a user's own objects by identity and by what they hold; a user's functions, methods
included, by identity and by the variables that they name around them; functions and objects of libraries by identity.
Anything else never matches. What is compared is kept alive, so that no other can take its identity. The numbers in the
model's `state_dict` do not count: a path brings its own.

Not seen: what a forward reads from files or by names that its code makes up, what libraries keep to themselves, and a
few numbers written to a tensor behind torch's back (through `.data` or numpy).
"""

import dataclasses
import functools
import hashlib
import inspect
import itertools
import types
import weakref
from collections import OrderedDict, deque
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gnnmc.engine.surroundings import held_by, of_a_library, read_around
from gnnmc.problem import Problem

_PLAIN = (bool, int, float, complex, str, bytes, type(None))
# The same, but for those of which a value may differ from itself, to be told without a look at bases.
_EXACT = frozenset((bool, int, str, bytes, type(None)))
_EMPTY = frozenset((dict, OrderedDict, list, tuple))
# Kept apart by torch; whether a module trains is set before every forward.
_OF_MODULES = frozenset(("_parameters", "_buffers", "_modules", "training", "_non_persistent_buffers_set"))
# Their objects are told by identity: they hold what their own code put there, or caches.
_LIBRARIES = ("torch", "torch_geometric", "gnnmc", "typing", "inspect", "logging")
# Numbers of a tensor that are compared, evenly spaced.
_SAMPLED = 1024


class Fingerprint:
    """Of a model and a problem as they are at this moment; equal to a later one if nothing changed in between.

    by_numbers: tell what the model keeps by all of its numbers, whichever tensor has them: what a forward leaves behind
    is made anew by the next.
    """

    def __init__(self, model: nn.Module, problem: Problem, *, by_numbers: bool = False) -> None:
        walk = _Walk([value for value in model.state_dict(keep_vars=True).values() if isinstance(value, Tensor)])
        try:
            walk.by_numbers = by_numbers
            walk.module(model)
            walk.by_numbers = False
            for field in dataclasses.fields(problem):
                walk.value(getattr(problem, field.name))
        except RecursionError:  # deeper than can be looked at
            walk.unknown()
        self._values, self._identities = walk.values, walk.identities

    def matches(self, other: "Fingerprint") -> bool:
        """Whether both are of the same parts in the same state."""
        if self._values != other._values or len(self._identities) != len(other._identities):
            return False
        return all(a is b for a, b in zip(self._identities, other._identities, strict=True))


class _Walk:
    """Goes through everything once; what comes again is told by when it came first.

    values: what is compared by value, in the order met; identities: what is compared by identity.
    """

    def __init__(self, weights: Collection[Tensor]) -> None:
        self.values: list[Any] = []
        self.identities: list[object] = []
        self.by_numbers = False
        self._weights = {id(value) for value in weights}
        self._met: dict[int, int] = {}
        self._alive: list[object] = []  # an identity must not be another's while it is looked for

    def module(self, module: nn.Module) -> None:
        """Its class, and all that it holds but for the numbers of its weights."""
        self._kind(type(module))
        self.identities.append(type(module).forward)
        attributes = ((name, value) for name, value in vars(module).items() if name not in _OF_MODULES)
        held = (module._parameters.items(), module._buffers.items(), attributes, module._modules.items())
        for name, value in itertools.chain(*held):
            self.values.append(name)
            self.value(value)

    def value(self, value: Any) -> None:
        """Anything at all."""
        kind = type(value)
        if kind in _EXACT:
            self.values += (kind, value)
            return
        if kind in _EMPTY and not value:
            self.values.append(kind)
            return
        if isinstance(value, _PLAIN):
            self.values += (kind, value if value == value else "nan")
            return
        known, place = id(value) in self._met, self._place(value)
        self.values.append(place)
        if known:
            return
        if id(value) in self._weights:
            self.values.append((value.shape, value.dtype, value.requires_grad))
        elif isinstance(value, Tensor):
            self._tensor(value)
        elif isinstance(value, nn.Module):
            self.module(value)
        elif isinstance(value, list | tuple | set | frozenset | deque | Mapping):
            self._container(value)
            self.value(getattr(value, "__dict__", None))
        elif hasattr(value, "to_dict") and not isinstance(value, type):  # PyG's Data: its library's, and a user's
            self.identities.append(type(value))
            self._container(value.to_dict())
        elif isinstance(value, np.ndarray):
            self._array(value)
        elif isinstance(value, types.FunctionType):
            self._function(value)
        elif isinstance(value, types.MethodType):
            self.value(value.__self__)
            self.value(value.__func__)
        elif isinstance(value, functools.partial):
            for part in (value.func, value.args, value.keywords):
                self.value(part)
        elif isinstance(value, type):
            self._kind(value)
        elif _is_fixed(value):
            self.identities.append(value)
        elif hasattr(value, "__dict__"):
            self.identities.append(value)
            self._kind(type(value))
            self.value(vars(value))
        else:
            self.unknown()

    def unknown(self) -> None:
        """Something that is never the same."""
        self.identities.append(object())

    def _kind(self, kind: type) -> None:
        """A class, and what a user's has and its functions read."""
        self.identities.append(kind)
        if not of_a_library(kind.__module__):
            for name, value in held_by(kind):
                self.values.append(name)
                self.value(value)

    def _function(self, function: types.FunctionType) -> None:
        self.identities += (function, function.__code__)
        if not of_a_library(function.__module__):
            for name, value in read_around(function):
                self.values.append(name)
                self.value(value)

    def _array(self, value: "np.ndarray[Any, Any]") -> None:
        if value.dtype.hasobject:
            self.unknown()
            return
        digest = hashlib.blake2b(value.tobytes(), digest_size=16).digest()
        self.values.append((value.dtype.str, value.shape, digest))

    def _tensor(self, value: Tensor) -> None:
        if self.by_numbers and value.layout == torch.strided:
            self._array(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
            self.values.append((value.shape, value.dtype, value.requires_grad))
            return
        self.identities.append(value)
        if value.is_inference() or value.layout not in (torch.strided, torch.sparse_csr):
            self.unknown()  # nobody counts what is written to it, or not where
            return
        numbers = (value.values() if value.layout == torch.sparse_csr else value).detach()
        self.values.append((value._version, numbers._version, value.requires_grad))
        if numbers.device.type == "cpu" and numbers.numel():
            flat = numbers.reshape(-1) if numbers.is_contiguous() else numbers.flatten()
            self.values.append(flat[:: max(1, len(flat) // _SAMPLED)].contiguous().view(torch.uint8).numpy().tobytes())

    def _container(self, value: Any) -> None:
        self.values.append((type(value), len(value)))
        if isinstance(value, Mapping):
            for key, held in value.items():
                self.value(key)
                self.value(held)
        else:
            for held in value:
                self.value(held)

    def _place(self, value: object) -> int:
        if id(value) not in self._met:
            self._alive.append(value)
        return self._met.setdefault(id(value), len(self._met))


def _is_fixed(value: object) -> bool:
    """Whether it stays as it is, or holds only what its library put there."""
    if isinstance(value, weakref.ref | range | slice | torch.dtype | torch.device | types.ModuleType):
        return True
    if inspect.isroutine(value):  # of C; those of Python are looked at
        return True
    library = type(value).__module__.partition(".")[0] in _LIBRARIES
    return library and not _holds_data(value)


def _holds_data(value: object) -> bool:
    """Of this package: what a problem keeps its data in."""
    return dataclasses.is_dataclass(value) and hasattr(value, "separable")
