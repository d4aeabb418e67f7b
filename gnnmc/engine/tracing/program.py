"""A computation that is done again and again in the same memory: recorded while it runs once, gradients included.

A step of a small model costs little more than what surrounds its operations: finding a kernel, asking for memory,
building a graph of gradients. Here a dispatch mode notes the operations that are really done, those of the backward
pass among them, and the tensors they were done on. To run the program they are done again on the same tensors: no
memory is asked for, no graph is built, and a view of a tensor needs not be taken anew. What does not depend on the
inputs is not done again. The numbers are those of the computation itself, bit by bit.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from gnnmc.engine.tracing.again import again
from gnnmc.engine.tracing.arena import Arena
from gnnmc.engine.tracing.arguments import changed_call
from gnnmc.engine.tracing.memory import memory_of
from gnnmc.engine.tracing.refusal import NotTraceable
from gnnmc.engine.tracing.schema import decided_by_values, is_factory, may_draw, written_by

_EMPTY = frozenset(("empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided"))


@dataclass(frozen=True, eq=False)
class Call:
    """One operation that was done. reads, writes: the memory that it reads, and that it makes or writes into.

    touches: the memory of every argument and result, in order. in_place: whether it writes into its arguments. random:
    whether it draws random numbers. dense: whether all tensors are.
    """

    function: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    results: tuple[Tensor, ...]
    reads: frozenset[int]
    writes: frozenset[int]
    touches: tuple[int, ...]
    in_place: bool
    random: bool
    dense: bool

    @property
    def is_view(self) -> bool:
        """Whether it only looks at memory in another way."""
        return not self.in_place and self.writes <= self.reads

    @property
    def is_empty(self) -> bool:
        """Whether it only asks for memory."""
        return self.function.overloadpacket.__name__ in _EMPTY

    @property
    def is_decided_by_values(self) -> bool:
        """Whether what it gives is read from tensors, or is of a shape that is."""
        if self.function.overloadpacket is torch.ops.aten.index:
            return any(index is not None and index.dtype in (torch.bool, torch.uint8) for index in self.args[1])
        return decided_by_values(self.function)


class Program:
    """compute() recorded; `run` does it again with what stands in the inputs by then, and draws random numbers anew.

    compute: gives tensors, made of `inputs` (to whose memory others write between runs) and of constants. results: what
    it gave, in memory that every run writes over.

    Raises NotTraceable for a computation that depends on values otherwise, or that writes into what is not its own.
    """

    def __init__(self, compute: Callable[[], Sequence[Tensor]], inputs: Collection[Tensor]) -> None:
        watch = _Watch()
        with watch:
            made = compute()
        results = [value.detach() for value in made]
        wanted = {memory_of(value) for value in results}
        calls = _needed(_varying(watch.calls, {memory_of(value) for value in inputs}), wanted)
        if not {key for call in calls for key in call.writes} <= watch.made:
            raise NotTraceable("the computation writes into a tensor that it keeps")
        with torch.no_grad():
            place = Arena(calls, wanted).place
            self.results = [place(value) for value in results]
            self._steps = [_step(call, place) for call in calls]

    def run(self) -> None:
        """Once more."""
        with torch.no_grad():
            for step in self._steps:
                step()


def _step(call: Call, place: Callable[[Tensor], Tensor]) -> Callable[[], Any]:
    args, kwargs = changed_call(call.args, call.kwargs, Tensor, place)
    results = [] if call.in_place else [place(value) for value in call.results]
    return again(call.function, args, kwargs, results)


class _Watch(TorchDispatchMode):
    """Notes every operation. What it has seen stays alive: nothing else takes its memory while it watches."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self.made: set[int] = set()  # memory that did not exist before

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        outputs = tuple(result) if isinstance(result, tuple | list) else (result,)
        tensors: list[Tensor] = []

        def noted(value: Tensor) -> Tensor:
            tensors.append(value.detach())
            return tensors[-1]

        given, named = changed_call(args, kwargs, Tensor, noted)
        made = tuple(value.detach() for value in outputs if isinstance(value, Tensor))
        written = written_by(func, args, kwargs)
        taken, left = tuple(map(memory_of, tensors)), tuple(map(memory_of, made))
        reads = frozenset(() if is_factory(func) else taken)
        writes = frozenset(map(memory_of, written) if written else left)
        self.made |= writes - reads
        dense = all(value.layout == torch.strided for value in (*tensors, *made))
        call = Call(func, given, named, made, reads, writes, (*taken, *left), bool(written), may_draw(func), dense)
        self.calls.append(call)
        return result


def _varying(calls: Sequence[Call], inputs: Collection[int]) -> list[Call]:
    """Those that must be done again: what depends on the inputs, and what is written over."""
    changing = set(inputs)
    while True:
        before = len(changing)
        for call in calls:
            if call.random or not changing.isdisjoint(call.reads):
                changing |= call.writes
        if len(changing) == before:
            break
    for call in calls:
        if changing.isdisjoint(call.reads):
            continue
        if call.is_decided_by_values:
            raise NotTraceable(f"{call.function}: a value decides what is done, or a shape")
        if not call.dense:
            raise NotTraceable(f"{call.function} on a tensor that is not dense")
    return [call for call in calls if not changing.isdisjoint(call.writes) and not (call.is_view or call.is_empty)]


def _needed(calls: Sequence[Call], wanted: Collection[int]) -> list[Call]:
    """Without those whose results nobody reads. Random numbers are all drawn: later ones follow from them."""
    needed, kept = set(wanted), []
    for call in reversed(calls):
        if call.random or not needed.isdisjoint(call.writes):
            needed |= call.reads
            kept.append(call)
    return kept[::-1]
