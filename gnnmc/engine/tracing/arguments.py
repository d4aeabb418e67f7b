"""What the arguments of an operation hold: lists within lists are opened, as in torch's own trees of values.

An operator takes tensors, numbers and lists of these, never other containers. What else torch would open is not asked
for here: to ask takes longer than an operation of a small model.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

_OPENED = frozenset((list, tuple, dict))
_Kinds: TypeAlias = type | tuple[type, ...]


def leaves(values: Iterable[Any]) -> list[Any]:
    """All that stands in no further list, tuple or dict, in order."""
    found: list[Any] = []
    for value in values:
        kind = type(value)
        if kind not in _OPENED:
            found.append(value)
        else:
            found += leaves(value.values() if kind is dict else value)
    return found


def changed(values: Any, kinds: _Kinds, change: Callable[[Any], Any]) -> Any:
    """The same list, tuple or dict with change(leaf) in the place of every leaf of these kinds."""
    if type(values) is dict:
        return dict(zip(values, changed(tuple(values.values()), kinds, change), strict=True))

    def now(value: Any) -> Any:
        return changed(value, kinds, change) if type(value) in _OPENED else value

    return type(values)([change(value) if isinstance(value, kinds) else now(value) for value in values])


def changed_call(
    args: Iterable[Any], kwargs: Mapping[str, Any], kinds: _Kinds, change: Callable[[Any], Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """`changed` positional and named arguments."""
    return changed(tuple(args), kinds, change), changed(dict(kwargs), kinds, change) if kwargs else {}
