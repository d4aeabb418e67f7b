"""Memory for the values of a program: what is not needed any more gives its place to what comes."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gnnmc.engine.tracing.memory import memory_of

if TYPE_CHECKING:
    from gnnmc.engine.tracing.program import Call


class Arena:
    """Where each value of a program lies. keep: the memory of results, which nothing else may take."""

    def __init__(self, calls: "Sequence[Call]", keep: Collection[int]) -> None:
        self._moved: dict[int, torch.UntypedStorage] = {}
        self._placed: dict[int, Tensor] = {}
        last: dict[int, int] = {}
        for number, call in enumerate(calls):
            last.update(dict.fromkeys(call.touches, number))
        free: list[torch.UntypedStorage] = []
        ends: dict[int, list[int]] = {}
        for key, number in last.items():
            ends.setdefault(number, []).append(key)
        for number, call in enumerate(calls):
            if not call.in_place:
                for value in call.results:
                    self._take(value, free, keep)
            free += [self._moved[key] for key in ends.get(number, ()) if key in self._moved and key not in keep]

    def _take(self, value: Tensor, free: list[torch.UntypedStorage], keep: Collection[int]) -> None:
        key, size = memory_of(value), value.untyped_storage().nbytes()
        if key in self._moved or key in keep:
            return
        # The smallest that is large enough, and not twice too large; what was let go last is still in the cache.
        fitting = [place for place in reversed(free) if size <= place.nbytes() <= 2 * size]
        chosen = min(fitting, key=lambda place: place.nbytes(), default=None)
        if chosen is None:
            self._moved[key] = value.untyped_storage()
        else:
            free.remove(chosen)
            self._moved[key] = chosen

    def place(self, value: Tensor) -> Tensor:
        """The tensor in the memory that it has in the program."""
        storage = self._moved.get(memory_of(value))
        if storage is None or storage is value.untyped_storage():
            return value
        return value.new_empty(0).set_(storage, value.storage_offset(), value.shape, value.stride())
