"""What a user's function reads around it: variables of the functions it was made in, globals, defaults."""

import functools
import inspect
import sys
import types
from collections.abc import Iterator
from typing import Any

# Functions and classes of these, and of Python itself, are told by identity: they read what their own code put there.
LIBRARIES = frozenset(("torch", "torch_geometric", "gnnmc", "numpy", "scipy", "sklearn", "pandas", "networkx"))


def of_a_library(module_name: str | None) -> bool:
    """Whether a module belongs to a library that is known, or to Python."""
    root = (module_name or "builtins").partition(".")[0]
    return root in LIBRARIES or (root in sys.stdlib_module_names and root != "__main__")


def read_around(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """Name and value of all that the function may read besides its arguments, where its code names it.

    Of a module that it names, what it may take from there.
    """
    yield "defaults", function.__defaults__
    yield "keyword defaults", function.__kwdefaults__
    yield "attributes", vars(function)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not set yet
            yield name, None
    names, space = _names(function.__code__), function.__globals__
    for name in names:
        if name not in space:
            continue
        value = space[name]
        if not isinstance(value, types.ModuleType):
            yield name, value
        elif not of_a_library(value.__name__):
            yield from ((f"{name}.{part}", vars(value)[part]) for part in names if part in vars(value))


def held_by(kind: type) -> Iterator[tuple[str, Any]]:
    """What a user's class and its users' bases have, functions as they were written; not what makes an object."""
    for each in kind.__mro__:
        if of_a_library(each.__module__):
            continue
        for name, value in vars(each).items():
            if isinstance(value, staticmethod | classmethod):
                value = value.__func__
            found = [value.fget, value.fset] if isinstance(value, property) else [value]
            special = name.startswith("__") and (name == "__init__" or not inspect.isfunction(found[0]))
            yield from () if special else ((name, one) for one in found)


@functools.lru_cache(maxsize=4096)
def _names(code: types.CodeType) -> tuple[str, ...]:
    """Of globals and attributes, in functions inside of it too."""
    inner = [name for constant in code.co_consts if isinstance(constant, types.CodeType) for name in _names(constant)]
    return tuple(dict.fromkeys([*code.co_names, *inner]))
