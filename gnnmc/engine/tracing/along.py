"""A recorded forward along a path: what is linear in the weights is computed for J control points, not T points."""

import functools
from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor

from gnnmc.engine.tracing.batched import Batched
from gnnmc.engine.tracing.route import ByRows, Route
from gnnmc.engine.tracing.row_blocks import cut, put

# Two control points of no more numbers are combined for all points by one call, larger ones point by point.
ONE_CALL = 2**16


class Along:
    """A trace with the control points of a path: outputs at any of its points.

    The part of the trace that is linear in the weights is computed once, for the control points; the rest for as many
    points at once as stay in cache, and its narrow end for as many as take WIDE_BYTES, or less where memory is less.

    Shapes: points: J dicts name → tensor; .outputs(coefficients (T, J)) → T values of the forward's output.
    """

    def __init__(self, route: Route, points: Sequence[Mapping[str, Tensor]]) -> None:
        self._route, self._stages = route, route.stages
        self._values = {
            number: Batched(torch.stack([point[name] for point in points]), 0) for name, number in route.inputs.items()
        }
        route.run_linear(self._values)
        on_cpu = all(value.tensor.device.type == "cpu" for value in self._values.values())
        self._by_rows = route.by_rows if on_cpu else None
        if self._by_rows is None:
            for number in route.turned:
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
        for number in self._route.frontier:
            if number in stages.asked_by_narrow:
                values[number] = combined(self._values[number], coefficients)
        stages.run_narrow(values)
        return values[self._route.output]

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
        here = [number for number in self._route.frontier if number in stages.asked_by_wide]
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

    def _some_rows_after_others(self, how: ByRows, coefficients: Tensor) -> dict[int, Batched]:
        """The values between the stages, row by row those of all points: so a sparse product takes them."""
        shapes, stages, count = self._route.shapes, self._stages, len(coefficients)
        rows = how.rows_of(count)
        parts = {number: cut(self._values[number], rows, number in how.turned) for number in how.rowed}
        buffers = {number: _buffer(some[0], count) for number, some in parts.items()}
        small = {number: combined(self._values[number], coefficients) for number in how.others}
        like = next(iter(buffers.values()))
        found = {n: like.new_empty(how.count, count, shapes[n][1]) for n in stages.between}
        for place, start in enumerate(range(0, how.count, rows)):
            values = {n: combined(some[place], coefficients, buffers[n]) for n, some in parts.items()}
            values |= {number: Batched(value.tensor, value.axis) for number, value in small.items()}
            stages.run_wide(values)
            for number, whole in found.items():
                put(whole, start, values[number])
        return {number: Batched(whole, 1, own=True) for number, whole in found.items()}

    def _turn(self, number: int) -> None:
        value = self._values[number].at(0)
        self._values[number] = Batched(value.transpose(1, 2).contiguous().transpose(1, 2), 0)


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
