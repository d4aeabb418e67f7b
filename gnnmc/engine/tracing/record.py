"""What a model computes from its weights, recorded while it really runs once.

A dispatch mode watches every operation of a forward. Those that no weight reaches are run and forgotten: what they give
is a constant (a normalized adjacency, its product with the features). The others are kept as a list of operations that
can be run again at other weights. Nothing is known of models or layers.
"""

import functools
import weakref
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from gnnmc.engine.tracing.arguments import changed, changed_call, leaves
from gnnmc.engine.tracing.draws import Draw
from gnnmc.engine.tracing.memory import apart, memory_of, name_held
from gnnmc.engine.tracing.moments import learned_batch_norm
from gnnmc.engine.tracing.refusal import NotTraceable, refusing
from gnnmc.engine.tracing.schema import decided_by_values, is_factory, is_random, of_equal_arguments, written_by

_DETACH = torch.ops.aten.detach.default
# What hands a tensor's numbers to Python or numpy.
_READINGS = (Tensor.tolist, Tensor.numpy, Tensor.__array__, Tensor.__dlpack__, Tensor.data_ptr)


@dataclass(frozen=True)
class Ref:
    """The value with this number: a weight, or what an operation gave."""

    number: int


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation: `results` = function(*args, **kwargs), Refs standing for values, tensors for constants.

    results: the numbers of its outputs, None for one that is no tensor.
    """

    function: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    results: tuple[int | None, ...]

    @cached_property
    def kind(self) -> Any:
        """What it does, whatever the overload."""
        return getattr(self.function, "overloadpacket", self.function)

    @cached_property
    def is_flat(self) -> bool:
        """Whether every Ref is an argument by itself, in no list and under no name."""
        return len(self.refs()) == sum(isinstance(argument, Ref) for argument in self.args)

    def refs(self) -> tuple[int, ...]:
        """The numbers of the values that it needs."""
        return self._refs

    @cached_property
    def _refs(self) -> tuple[int, ...]:
        return tuple(leaf.number for leaf in leaves((*self.args, *self.kwargs.values())) if isinstance(leaf, Ref))


@dataclass(frozen=True, eq=False)
class Trace:
    """inputs: name of a weight → its number. output: the number of the result. shapes: of the value of each number.

    updates: name of a buffer → the number of what the forward left in it. each: where the trace is of G problems
    (`side_by_side`), the number of a constant that is another for each of them → (G, …).
    """

    inputs: Mapping[str, int]
    operations: tuple[Operation, ...]
    output: int
    shapes: Mapping[int, torch.Size]
    updates: Mapping[str, int] = field(default_factory=dict)
    each: Mapping[int, Tensor] = field(default_factory=dict)


def record(
    forward: Callable[[dict[str, Tensor]], Tensor | tuple[Tensor, Mapping[str, Tensor]]],
    weights: Mapping[str, Tensor],
    varying: Collection[str],
    *,
    training: bool = False,
    lenient: bool = False,
) -> Trace:
    """Run the forward once and record what depends on the `varying` weights; the others are constants.

    forward: weights → outputs, or outputs and the buffers as it left them, by name. training: whether
    it may draw random numbers, which are drawn anew whenever the record is run, and may stop gradients. lenient: what
    reads values is recorded like anything else, with results that are no tensors left out; such a record tells what
    depends on what, and cannot be run again.

    Raises NotTraceable where another point of weight space might take another course: a value that decides a branch or
    a shape, random numbers that it may not draw, a result that is read through memory which it shares with another.
    """
    recorder = _Recorder(training, lenient)
    # Clones: what the forward writes into is the record's own.
    given = {name: value.detach().clone() for name, value in weights.items()}
    inputs = {name: recorder.number(given[name]) for name in varying}
    # In training gradients are on, as they are there, but no graph of them is built: no weight asks for it.
    try:
        with refusing(), torch.set_grad_enabled(training), _Readings(recorder), recorder:
            made = forward(given)
    except NotTraceable as refusal:
        # Whoever caught a refusal on the way may have said something else.
        raise NotTraceable(recorder.trouble or str(refusal)) from None
    output, left = made if isinstance(made, tuple) else (made, {})
    return Trace(inputs, tuple(recorder.operations), recorder.found(output), recorder.shapes, recorder.changed(left))


class _Readings(TorchFunctionMode):
    """Refuses that numbers which depend on a weight leave torch, where nobody sees what they decide; sees `no_grad`."""

    def __init__(self, recorder: "_Recorder") -> None:
        super().__init__()
        self._recorder = recorder

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _READINGS:
            self._recorder.require_constant(args[0], f"{func.__name__}() of")
        elif func is torch._C._set_grad_enabled and self._recorder.training:
            self._recorder.stops_gradients = not args[0]
        return func(*args, **(kwargs or {}))


class _Recorder(TorchDispatchMode):
    """Numbers the tensors that depend on a weight, by their ids, for as long as the forward itself keeps them."""

    def __init__(self, training: bool, lenient: bool) -> None:
        super().__init__()
        self.training = training
        self.lenient = lenient
        self.stops_gradients = False
        self.operations: list[Operation] = []
        self.shapes: dict[int, torch.Size] = {}
        self.trouble = ""
        self._numbers: dict[int, int] = {}
        self._stale: set[int] = set()
        self._alive: dict[int, weakref.ref[Tensor]] = {}
        self._gone = functools.partial(_forget, self._numbers, self._stale, self._alive)
        self._constants: list[tuple[Tensor, int]] = []
        self._writers: dict[int, list[int]] = {}  # memory → numbers of what was written there
        # Memory that holds results: read only through numbered tensors. The numbers in it may go, its name stays taken.
        self._written: dict[int, Any] = {}

    def number(self, value: Tensor) -> int:
        """A new number for a tensor."""
        number = self._numbers[id(value)] = len(self.shapes)
        self.shapes[number] = value.shape
        self._stale.discard(id(value))
        self._alive[id(value)] = weakref.ref(value, functools.partial(self._gone, id(value)))
        return number

    def found(self, output: Tensor) -> int:
        """The number of the forward's output. Raises NotTraceable where there is none, or a constant changed."""
        if any(value._version != version for value, version in self._constants):
            raise NotTraceable("the forward writes into a tensor that it keeps")
        if id(output) not in self._numbers:
            raise NotTraceable("the output does not depend on the weights")
        return self._numbers[id(output)]

    def require_constant(self, value: Tensor, what: str) -> None:
        """Raises NotTraceable for a value that depends on a weight, or that lies in memory of one."""
        if self.lenient and id(value) in self._numbers:
            self.operations.append(Operation(what, (Ref(self._numbers[id(value)]),), {}, ()))
            return
        if id(value) in self._numbers or memory_of(value) in self._written:
            self._refuse(f"{what} a value that depends on the weights")

    def changed(self, left: Mapping[str, Tensor]) -> dict[str, int]:
        """The numbers of the buffers that depend on a weight."""
        return {name: self._numbers[id(value)] for name, value in left.items() if id(value) in self._numbers}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        depends = False
        for value in leaves((*args, *kwargs.values())):
            if not isinstance(value, Tensor):
                continue
            known = id(value) in self._numbers
            depends = depends or known
            if id(value) in self._stale or (not known and self._written and memory_of(value) in self._written):
                if not self.lenient:
                    self._refuse(f"{func} reads memory that a result was written into under another name")
                self._read_through_memory(value)
                depends = True
        if is_random(func, args, kwargs):
            return self._draw(func, args, kwargs, depends)
        if not depends or is_factory(func):
            return func(*args, **kwargs)
        if func.overloadpacket is torch.ops.aten.native_batch_norm and args[5] and args[3] is not None:
            return self._learn_moments(func, args)
        return self._record(func, args, kwargs)

    def _draw(self, func: Any, args: Any, kwargs: Any, depends: bool) -> Any:
        """Random numbers: an operation without operands, whatever a forward makes of them."""
        if not (self.training or self.lenient):
            self._refuse(f"{func} draws random numbers")
        if depends and self.lenient:
            return self._record(func, args, kwargs)
        written = written_by(func, args, kwargs)
        if depends and (not written or any(id(argument) in self._numbers for argument in args[1:])):
            self._refuse(f"{func} draws random numbers of a law that depends on the weights")
        draw = Draw.of(func, args, kwargs, written)
        if draw is None:
            self._refuse(f"{func} draws random numbers from no generator of its own")
        for value in written:
            self._written[memory_of(value)] = name_held(value)
        result = func(*args, **kwargs)
        self.operations.append(Operation(draw, (), {}, (self.number(result),)))
        return result

    def _read_through_memory(self, value: Tensor) -> None:
        """What stood there and what was written, in a way that the record does not tell."""
        before = [self._numbers[id(value)]] if id(value) in self._numbers else []
        refs = tuple(Ref(number) for number in [*before, *self._writers.get(memory_of(value), ())])
        self.operations.append(Operation("a tensor written to through a view", refs, {}, (self.number(value),)))

    def _learn_moments(self, func: Any, args: Any) -> Any:
        """BatchNorm in training: what it leaves in its running statistics, which torch's schema does not tell."""
        given = changed(tuple(args), Tensor, lambda value: self._operand(value, ()))
        result = func(*args)
        numbers = tuple(self.number(value) for value in (result[0], args[3], args[4]))
        self.operations.append(Operation(learned_batch_norm, given, {}, numbers))
        return result

    def _record(self, func: Any, args: Any, kwargs: Any) -> Any:
        self._check(func, args, kwargs)
        written = written_by(func, args, kwargs)
        inputs, named = changed_call(args, kwargs, Tensor, lambda value: self._operand(value, written))
        for value in written:
            for other in [held() for held in list(self._alive.values())]:
                if other is None or other is value or memory_of(other) != memory_of(value):
                    continue
                if not (self.lenient and apart(other, value)):
                    self._stale.add(id(other))
            self._written[memory_of(value)] = name_held(value)
        result = func(*args, **kwargs)
        outputs = list(result) if isinstance(result, tuple | list) else [result]
        if any(not any(value is output for output in outputs) for value in written):
            self._refuse(f"{func} writes into an argument that it does not return")
        numbers = tuple(self.number(leaf) if isinstance(leaf, Tensor) else None for leaf in outputs)
        for value in written:
            self._writers.setdefault(memory_of(value), []).append(self._numbers[id(value)])
        self.operations.append(Operation(self._pure(func) if written else func, inputs, named, numbers))
        if self.stops_gradients:
            for leaf in outputs:
                if isinstance(leaf, Tensor):
                    stopped = Ref(self._numbers[id(leaf)])
                    self.operations.append(Operation(_DETACH, (stopped,), {}, (self.number(leaf),)))
        return result

    def _operand(self, value: Tensor, written: Sequence[Tensor]) -> Any:
        if id(value) in self._numbers:
            return Ref(self._numbers[id(value)])
        if any(value is other for other in written):
            return value.clone()  # what stands there before
        self._constants.append((value, value._version))
        return value

    def _check(self, func: Any, args: Any, kwargs: Any) -> None:
        if self.lenient:
            return
        if func.overloadpacket is torch.ops.aten.index:
            if any(id(leaf) in self._numbers for leaf in args[1]):
                self._refuse(f"{func} picks rows by values that depend on the weights")
        elif decided_by_values(func):
            self._refuse(f"{func}: a value that depends on the weights decides what is done, or a shape")

    def _pure(self, func: Any) -> Any:
        """`add` for `add_`, of the same overload."""
        name = func.overloadpacket.__name__
        pure = getattr(getattr(torch.ops, func.namespace), name.removesuffix("_"), None)
        if not name.endswith("_") or pure is None or func._overloadname not in pure.overloads():
            if self.lenient:
                return func if pure is None else of_equal_arguments(pure, func)
            self._refuse(f"{func} writes in place and has no twin that does not")
        return getattr(pure, func._overloadname)

    def _refuse(self, why: str) -> None:
        self.trouble = why
        raise NotTraceable(why)


def _forget(numbers: dict[int, int], stale: set[int], alive: dict[int, Any], name: int, _: Any) -> None:
    """A tensor is gone: another one may get its id."""
    del numbers[name], alive[name]
    stale.discard(name)
