"""What the arguments of an operation hold: lists within lists are opened, as torch's own trees of values are.

An operator takes tensors, numbers and lists of these, never other containers; so this need not ask what else could be
opened, which for an operation of a small model takes longer than the operation.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def leaves(values: Iterable[Any]) -> list[Any]:
    """All that stands in no further list, tuple or dict, in order."""
    found: list[Any] = []
    for value in values:
        kind = type(value)
        if kind is list or kind is tuple:
            found += leaves(value)
        elif kind is dict:
            found += leaves(value.values())
        else:
            found.append(value)
    return found


def changed(value: Any, kinds: type | tuple[type, ...], change: Callable[[Any], Any]) -> Any:
    """The same value with change(leaf) in the place of every leaf of these kinds."""
    kind = type(value)
    if kind is tuple or kind is list:
        return kind([changed(one, kinds, change) for one in value])
    if kind is dict:
        return {name: changed(one, kinds, change) for name, one in value.items()}
    return change(value) if isinstance(value, kinds) else value


def changed_call(
    args: Iterable[Any], kwargs: Mapping[str, Any], kinds: type | tuple[type, ...], change: Callable[[Any], Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """`changed` positional and named arguments."""
    return changed(tuple(args), kinds, change), changed(dict(kwargs), kinds, change)
