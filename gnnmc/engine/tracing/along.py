"""A recorded forward along a path: what is linear in the weights is computed for J control points, not T points."""

import functools
from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor

from gnnmc.engine.tracing.batched import NARROW, Batched
from gnnmc.engine.tracing.linear import stays_mixed
from gnnmc.engine.tracing.record import Operation, Trace
from gnnmc.engine.tracing.replay import Run, dropped_after, perform

aten = torch.ops.aten
# Values wider than a core's cache are worked on for as many points at once as stay in it.
CACHE_BYTES = 3 * 2**20
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
        self._features_first(rest)
        self._stages = _Stages(trace, rest, self._frontier, memory)

    @property
    def at_once(self) -> int:
        """How many points to ask for at once."""
        return self._stages.many

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
        if stages.wide:
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

    def _features_first(self, rest: Sequence[Operation]) -> None:
        """Put in memory, feature by feature, what a product of few columns is made of after steps element by element.

        It is several times faster from there: see the rule of the product.
        """
        ancestors: dict[int, set[int]] = {number: {number} for number in self._frontier}
        for operation in rest:
            above = set().union(*(ancestors.get(number, set()) for number in operation.refs()))
            kind, args = operation.kind, operation.args
            if kind in (aten.mm, aten.addmm):
                left, right = args[-2:]
                width = self._trace.shapes[right.number][1] if not isinstance(right, Tensor) else right.shape[1]
                if not isinstance(left, Tensor) and width < NARROW:
                    for number in ancestors.get(left.number, ()):
                        self._turn(number)
            elif kind in _SAME_SHAPE:
                ancestors.update((number, above) for number in operation.results if number is not None)

    def _turn(self, number: int) -> None:
        value = self._values[number].at(0)
        if value.dim() == 3:
            self._values[number] = Batched(value.transpose(1, 2).contiguous().transpose(1, 2), 0)


_SAME_SHAPE = frozenset(
    getattr(aten, name) for name in ["relu", "leaky_relu", "elu", "gelu", "silu", "sigmoid", "tanh", "add", "mul"]
)


class _Stages:
    """What is not linear, cut in two where values get narrow, with how many points each part is run for at once."""

    def __init__(self, trace: Trace, rest: Sequence[Operation], frontier: Sequence[int], memory: int | None) -> None:
        self._shapes = trace.shapes
        sizes = [max(map(self.size, [*filter(None, operation.results), *operation.refs()])) for operation in rest]
        self.widest = widest = max(sizes, default=1)
        # The narrow end begins after the last of the wide operations.
        wide = [place for place, each in enumerate(sizes) if 4 * each > widest]
        cut = wide[-1] + 1 if wide and sizes[-1] * 4 <= widest else 0
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
    return parts.new_empty(points, parts[0].numel())


def combined(value: Batched, coefficients: Tensor, buffer: Tensor | None = None) -> Batched:
    """Σ_j c_j·v_j at every point, the rows of c summing to 1, in the buffer if one is given.

    Shapes: J values, (T, J) → T values, the batch first; buffer (T or more, numbers of a value).
    """
    # In the order of memory, so that a transposed value stays a transposed view.
    parts = value.at(0)
    strides = parts.stride()
    order = sorted(range(1, parts.dim()), key=lambda axis: strides[axis], reverse=True)
    packed = parts.permute(0, *order)
    flat = packed.reshape(len(parts), -1)
    mixed = (_buffer(value, len(coefficients)) if buffer is None else buffer)[: len(coefficients)]
    if len(parts) == 2 and parts.device.type != "cpu":  # one launch
        shares = coefficients[:, 1:].to(parts.dtype).to(parts.device)
        torch.lerp(flat[:1], flat[1:], shares, out=mixed)
    elif len(parts) == 2:
        for row, share in zip(mixed, coefficients[:, 1].tolist(), strict=True):
            torch.lerp(flat[0], flat[1], share, out=row)
    else:
        torch.mm(coefficients.to(parts.dtype).to(parts.device), flat, out=mixed)
    back = [1 + order.index(axis) for axis in range(1, parts.dim())]
    return Batched(mixed.reshape(-1, *packed.shape[1:]).permute(0, *back), 0, own=True)
