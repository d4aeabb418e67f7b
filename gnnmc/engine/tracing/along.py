"""A recorded forward along a path: what is linear in the weights is computed for J control points, not T points."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from gnnmc.engine.tracing.batched import Batched
from gnnmc.engine.tracing.linear import stays_mixed
from gnnmc.engine.tracing.record import Operation, Trace
from gnnmc.engine.tracing.replay import dropped_after, perform


class Along:
    """A trace with the control points of a path: outputs at any of its points.

    The part of the trace that is linear in the weights is computed once, for the control points; the rest for as many
    points at once as are asked for.

    Shapes: points: J dicts name → tensor; .outputs(coefficients (T, J)) → (T, …) as the forward's output.
    """

    def __init__(self, trace: Trace, points: Sequence[Mapping[str, Tensor]]) -> None:
        self._values: dict[int, Batched] = {}
        for name, number in trace.inputs.items():
            self._values[number] = Batched(torch.stack([point[name] for point in points]), 0)
        self._output = trace.output
        self._rest: list[Operation] = []
        self._linear = set(trace.inputs.values())
        for operation in trace.operations:
            if set(operation.refs()) <= self._linear and stays_mixed(operation):
                perform(operation, self._values)
                self._linear.update(n for n in operation.results if n is not None)
            else:
                self._rest.append(operation)
        self._drop = dropped_after(self._rest, {self._output})

    def outputs(self, coefficients: Tensor) -> Tensor:
        """At the points with these coefficients."""
        here: dict[int, Batched] = {}

        def value(number: int) -> Batched:
            if number not in here:
                here[number] = combined(self._values[number], coefficients)
            return here[number]

        for place, operation in enumerate(self._rest):
            for number in operation.refs():
                value(number)
            perform(operation, here)
            for number in self._drop.get(place, ()):
                here.pop(number, None)
        return value(self._output).at(0)


def combined(value: Batched, coefficients: Tensor) -> Batched:
    """Σ_j c_j·v_j at every point. Shapes: J values, (T, J) → T values, the batch first."""
    # In the order of memory, so that a transposed weight stays a transposed view.
    parts = value.at(0)
    strides = parts.stride()
    order = sorted(range(1, parts.dim()), key=lambda axis: strides[axis], reverse=True)
    packed = parts.permute(0, *order)
    mixed = (coefficients.to(parts.dtype) @ packed.reshape(len(parts), -1)).reshape(-1, *packed.shape[1:])
    back = [1 + order.index(axis) for axis in range(1, parts.dim())]
    return Batched(mixed.permute(0, *back), 0)
