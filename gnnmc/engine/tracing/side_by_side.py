"""Recorded forwards of one model on several problems, made one: what differs between them is a constant for each."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_unflatten

from gnnmc.engine.tracing.beside import Beside
from gnnmc.engine.tracing.draws import Draw
from gnnmc.engine.tracing.record import Operation, Ref, Trace
from gnnmc.engine.tracing.refusal import NotTraceable
from gnnmc.engine.tracing.rewrite import rewritten_alike
from gnnmc.sparse import SparseMatrix, Structure


def side_by_side(recorded: Sequence[Trace], rows: Sequence[Tensor | None]) -> Trace:
    """One trace for models of G problems by turns: model k is of problem k % G; rewritten, for some rows of the output.

    Raises NotTraceable where they do not do the same operations on values of the same shapes.

    Shapes: rows (R,) each.
    """
    traces = rewritten_alike(recorded, rows)
    first = traces[0]
    if len(traces) == 1:
        return first
    joined = _Joined(traces)
    operations = tuple(joined.operation(each) for each in zip(*(trace.operations for trace in traces), strict=True))
    return replace(first, operations=operations, shapes=joined.shapes, each=joined.each)


class _Joined:
    """shapes: of the values, those that are constants of each problem included. each: their number → (G, …)."""

    def __init__(self, traces: Sequence[Trace]) -> None:
        self._traces = traces
        self.shapes = dict(traces[0].shapes)
        self.each: dict[int, Tensor] = {}
        self._made: dict[tuple[int, ...], Any] = {}  # what several operations share is made once
        self._require_one([(trace.inputs, trace.output, trace.updates, len(trace.operations)) for trace in traces])
        for number in traces[0].inputs.values():
            self._require_one([trace.shapes[number] for trace in traces])

    def operation(self, each: Sequence[Operation]) -> Operation:
        """What does these, one of each problem."""
        first = each[0]
        self._require_one([one.results for one in each])
        for number in first.results:
            if number is not None:
                self._require_one([trace.shapes[number] for trace in self._traces])
        if isinstance(first.function, Draw):
            self._require_one([one.function.law if isinstance(one.function, Draw) else None for one in each])
        else:
            self._require_one([one.function for one in each])
        leaves, forms = zip(*(tree_flatten((one.args, dict(one.kwargs))) for one in each), strict=True)
        self._require_one(forms)
        args, kwargs = tree_unflatten([self._value(some) for some in zip(*leaves, strict=True)], forms[0])
        return Operation(first.function, args, kwargs, first.results)

    def _value(self, each: Sequence[Any]) -> Any:
        """What stands in the place of these arguments."""
        self._require_one([type(one) for one in each])
        if not isinstance(each[0], Tensor | SparseMatrix | Structure):
            self._require_one(each)
            return each[0]
        key = tuple(map(id, each))
        if key not in self._made:
            self._made[key] = self._constant(each)
        return self._made[key]

    def _constant(self, each: Sequence[Any]) -> Any:
        first = each[0]
        self._require_one([one.shape for one in each])
        if not isinstance(first, Tensor):
            return Beside(each)
        self._require_one([(one.dtype, one.device, one.layout) for one in each])
        if first.layout != torch.strided:
            raise NotTraceable("a sparse tensor that is no factor of a product")
        if all(torch.equal(one, first) for one in each[1:]):
            return first
        number = len(self.shapes)
        self.shapes[number] = first.shape
        self.each[number] = torch.stack([one.detach() for one in each])
        return Ref(number)

    def _require_one(self, each: Sequence[Any]) -> None:
        if any(one != each[0] for one in each):
            raise NotTraceable("the model does not do the same on all of the problems")
