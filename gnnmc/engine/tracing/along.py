"""A recorded forward along a path: what is linear in the weights is computed for J control points, not T points."""

import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gnnmc.engine.tracing.batched import NARROW, Batched
from gnnmc.engine.tracing.linear import stays_mixed
from gnnmc.engine.tracing.record import Operation, Trace
from gnnmc.engine.tracing.replay import Run, dropped_after, perform
from gnnmc.engine.tracing.row_blocks import by_rows, cut, put

aten = torch.ops.aten
# Values wider than a core's cache are worked on for as many points at once as stay in it.
CACHE_BYTES = 3 * 2**20
# Or for all points and as many rows as take this, where rows may be worked on apart; no fewer rows than that.
ROW_BYTES, LEAST_ROWS = 2**21, 128
# Two control points of no more numbers are combined for all points by one call, larger ones point by point.
ONE_CALL = 2**16
# Narrow ones, as the outputs are, for more: one sparse product serves all points.
WIDE_BYTES = 2**25


class Along:
    """A trace with the control points of a path: outputs at any of its points.

    The part of the trace that is linear in the weights is computed once, for the control points; the rest for as many
    points at once as stay in cache, and its narrow end for as many as take WIDE_BYTES, or less where `memory` is less.

    Shapes: points: J dicts name → tensor; .outputs(coefficients (T, J)) → T values of the forward's output.
    """

    def __init__(self, trace: Trace, points: Sequence[Mapping[str, Tensor]], memory: int | None = None) -> None:
        self._trace = trace
        self._values: dict[int, Batched] = {}
        for name, number in trace.inputs.items():
            self._values[number] = Batched(torch.stack([point[name] for point in points]), 0)
        linear = set(trace.inputs.values())
        first: list[Operation] = []
        rest: list[Operation] = []
        for operation in trace.operations:
            if set(operation.refs()) <= linear and stays_mixed(operation):
                first.append(operation)
                linear.update(n for n in operation.results if n is not None)
            else:
                rest.append(operation)
        asked = {number for operation in rest for number in operation.refs()} | {trace.output}
        drop = dropped_after(first, asked)
        for place, operation in enumerate(first):
            perform(operation, self._values)
            for number in drop.get(place, ()):
                self._values.pop(number, None)
        self._frontier = [number for number in self._values if number in asked]
        turned = self._narrowed(rest)
        self._stages = _Stages(trace, rest, memory)
        self._by_rows = self._acts_by_rows(turned)
        if self._by_rows is None:
            for number in turned:
                self._turn(number)

    @property
    def at_once(self) -> int:
        """How many points to ask for at once."""
        return self._stages.many if self._by_rows is None else min(self._stages.many, self._by_rows.points)

    def bytes(self, points: int) -> int:
        """What it takes for so many points at once, about: control points, and at each stage operands and result."""
        held = sum(value.tensor.numel() * value.tensor.element_size() for value in self._values.values())
        stages = self._stages
        return 2 * held + 3 * (stages.few * stages.widest + points * stages.end)

    def outputs(self, coefficients: Tensor) -> Batched:
        """At the points with these coefficients."""
        stages = self._stages
        coefficients = self._moved(coefficients)
        values: dict[int, Batched] = {}
        if self._by_rows is not None:
            values = self._some_rows_after_others(self._by_rows, coefficients)
        elif stages.wide:
            found = self._wide(coefficients)
            values = {number: _joined([one[number] for one in found]) for number in found[0]}
        for number in self._frontier:
            if number in stages.asked_by_narrow:
                values[number] = combined(self._values[number], coefficients)
        stages.run_narrow(values)
        return values[self._trace.output]

    def _moved(self, coefficients: Tensor) -> Tensor:
        """Once for all values, where they are not on the CPU; there they are asked for one by one."""
        held = [value.tensor for value in self._values.values()]
        if not held or held[0].device.type == "cpu":
            return coefficients
        wide = functools.reduce(torch.promote_types, (tensor.dtype for tensor in held))
        return coefficients.to(wide).to(held[0].device)

    def _wide(self, coefficients: Tensor) -> list[dict[int, Batched]]:
        """The values between the stages, for a few points after others."""
        stages = self._stages
        here = [number for number in self._frontier if number in stages.asked_by_wide]
        small = {n: combined(self._values[n], coefficients) for n in here if stages.size(n) * 4 < stages.widest}
        # One buffer for all: memory that is asked for anew costs as much as what is written to it.
        buffers = {n: _buffer(self._values[n], stages.few) for n in here if n not in small}
        taken = {_address(buffer) for buffer in buffers.values()}
        found = []
        for start in range(0, len(coefficients), stages.few):
            few = slice(start, start + stages.few)
            values = {
                n: Batched(small[n].tensor[few], 0)
                if n in small
                else combined(self._values[n], coefficients[few], buffers[n])
                for n in here
            }
            stages.run_wide(values)
            found.append({number: _kept(values[number], taken) for number in stages.between})
        return found

    def _acts_by_rows(self, turned: Collection[int]) -> "_ByRows | None":
        """On a CPU, where all wide operations act row by row: how they are done for some rows after others."""
        stages = self._stages
        here = [number for number in self._frontier if number in stages.asked_by_wide]
        found = by_rows(stages.wide, here, self._trace.shapes)
        if found is None or self._values[here[0]].tensor.device.type != "cpu" or not stages.between <= found[1]:
            return None
        count, rowed = found
        row = max(1, stages.widest // count)
        points = max(1, ROW_BYTES // (row * LEAST_ROWS))
        return _ByRows(count, row, points, [n for n in here if n in rowed], [n for n in here if n not in rowed], turned)

    def _some_rows_after_others(self, plan: "_ByRows", coefficients: Tensor) -> dict[int, Batched]:
        """The values between the stages, row by row those of all points: so a sparse product takes them."""
        shapes, stages, count = self._trace.shapes, self._stages, len(coefficients)
        rows = max(LEAST_ROWS, ROW_BYTES // (plan.row * count))
        parts = {number: cut(self._values[number], rows, number in plan.turned) for number in plan.rowed}
        buffers = {number: _buffer(some[0], count) for number, some in parts.items()}
        small = {number: combined(self._values[number], coefficients) for number in plan.others}
        like = next(iter(buffers.values()))
        found = {n: like.new_empty(plan.count, count, shapes[n][1]) for n in stages.between}
        for place, start in enumerate(range(0, plan.count, rows)):
            values = {n: combined(some[place], coefficients, buffers[n]) for n, some in parts.items()}
            values |= {number: Batched(value.tensor, value.axis) for number, value in small.items()}
            stages.run_wide(values)
            for number, whole in found.items():
                put(whole, start, values[number])
        return {number: Batched(whole, 1, own=True) for number, whole in found.items()}

    def _narrowed(self, rest: Sequence[Operation]) -> set[int]:
        """What a product of few columns is made of after steps element by element.

        It is several times faster where that lies in memory feature by feature: see the rule of the product.
        """
        ancestors: dict[int, set[int]] = {number: {number} for number in self._frontier}
        found: set[int] = set()
        for operation in rest:
            above = set().union(*(ancestors.get(number, set()) for number in operation.refs()))
            kind, args = operation.kind, operation.args
            if kind in (aten.mm, aten.addmm):
                left, right = args[-2:]
                width = self._trace.shapes[right.number][1] if not isinstance(right, Tensor) else right.shape[1]
                if not isinstance(left, Tensor) and width < NARROW:
                    found |= {n for n in ancestors.get(left.number, ()) if len(self._trace.shapes[n]) == 2}
            elif kind in _SAME_SHAPE:
                ancestors.update((number, above) for number in operation.results if number is not None)
        return found

    def _turn(self, number: int) -> None:
        value = self._values[number].at(0)
        self._values[number] = Batched(value.transpose(1, 2).contiguous().transpose(1, 2), 0)


_SAME_SHAPE = frozenset(
    getattr(aten, name) for name in ["relu", "leaky_relu", "elu", "gelu", "silu", "sigmoid", "tanh", "add", "mul"]
)


@dataclass(frozen=True)
class _ByRows:
    """`count` rows of `row` bytes for a point, at the widest. points: how many at once. rowed: the values that have
    these rows, others: those that have not; turned: those to lie feature by feature."""

    count: int
    row: int
    points: int
    rowed: Sequence[int]
    others: Sequence[int]
    turned: Collection[int]


class _Stages:
    """What is not linear, cut in two where values get narrow, with how many points each part is run for at once."""

    def __init__(self, trace: Trace, rest: Sequence[Operation], memory: int | None) -> None:
        self._shapes = trace.shapes
        sizes = [max(map(self.size, [*filter(None, operation.results), *operation.refs()])) for operation in rest]
        self.widest = widest = max(sizes, default=1)
        # The narrow end begins after the last of the wide operations, where that gives something narrow.
        wide = [place for place, each in enumerate(sizes) if 4 * each > widest]
        given = [self.size(number) for number in rest[wide[-1]].results if number is not None] if wide else [widest]
        cut = wide[-1] + 1 if 4 * max(given) <= widest else 0
        self.wide, self.narrow = list(rest[:cut]), list(rest[cut:])
        made = {number for operation in self.wide for number in operation.results if number is not None}
        self.asked_by_wide = {number for operation in self.wide for number in operation.refs()}
        self.asked_by_narrow = {number for operation in self.narrow for number in operation.refs()} | {trace.output}
        self.between = made & self.asked_by_narrow
        self.run_wide = Run(self.wide, self.between)
        self.run_narrow = Run(self.narrow, {trace.output})
        budget = WIDE_BYTES if memory is None else max(1, min(WIDE_BYTES, memory // 4))
        self.end = max([*sizes[cut:], *map(self.size, self.between)], default=1)
        self.many = max(1, budget // self.end) if cut else max(1, CACHE_BYTES * 4 // widest)
        self.few = max(1, min(CACHE_BYTES, budget) // widest)

    def size(self, number: int) -> int:
        """Bytes of a value of one point, about."""
        return 4 * self._shapes[number].numel()


def _joined(parts: Sequence[Batched]) -> Batched:
    """The batches of all, one after another."""
    axis = parts[0].axis
    return Batched(torch.cat([part.at(axis) for part in parts], axis), axis, own=True)


def _kept(value: Batched, taken: Collection[int | None]) -> Batched:
    """The value, in memory that is not written over."""
    if _address(value.tensor) not in taken:
        return value
    return Batched(value.tensor.clone(), value.axis)


def _address(tensor: Tensor) -> int | None:
    """Where its memory begins; None, which may be anywhere, for backends written in Python, which do not say."""
    try:
        return tensor.untyped_storage().data_ptr()
    except RuntimeError:
        return None


def _buffer(value: Batched, points: int) -> Tensor:
    parts = value.at(0)
    return parts.new_empty(points * parts[0].numel())


def combined(value: Batched, coefficients: Tensor, buffer: Tensor | None = None) -> Batched:
    """Σ_j c_j·v_j at every point, the rows of c summing to 1, in the buffer if one is given.

    Shapes: J values, (T, J) → T values, the batch first; buffer: T times the numbers of a value, or more.
    """
    # In the order of memory, so that a transposed value stays a transposed view.
    parts = value.at(0)
    strides = parts.stride()
    order = sorted(range(1, parts.dim()), key=lambda axis: strides[axis], reverse=True)
    packed = parts.permute(0, *order)
    flat = packed.reshape(len(parts), -1)
    memory = _buffer(value, len(coefficients)) if buffer is None else buffer
    mixed = memory[: len(coefficients) * flat.shape[1]].view(len(coefficients), -1)
    if len(parts) == 2 and (parts.device.type != "cpu" or flat.shape[1] <= ONE_CALL):
        shares = coefficients[:, 1:].to(parts.dtype).to(parts.device)
        torch.lerp(flat[:1], flat[1:], shares, out=mixed)
    elif len(parts) == 2:
        for row, share in zip(mixed, coefficients[:, 1].tolist(), strict=True):
            torch.lerp(flat[0], flat[1], share, out=row)
    else:
        torch.mm(coefficients.to(parts.dtype).to(parts.device), flat, out=mixed)
    back = [1 + order.index(axis) for axis in range(1, parts.dim())]
    return Batched(mixed.reshape(-1, *packed.shape[1:]).permute(0, *back), 0, own=True)
