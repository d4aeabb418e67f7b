"""How a recorded forward is evaluated along a path: what for the control points, what for points in parts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor

from gnnmc.engine.tracing.batched import NARROW
from gnnmc.engine.tracing.dense import LARGE
from gnnmc.engine.tracing.linear import stays_mixed
from gnnmc.engine.tracing.record import Operation, Trace
from gnnmc.engine.tracing.replay import Run
from gnnmc.engine.tracing.row_blocks import by_rows

aten = torch.ops.aten
# Values wider than a core's cache are worked on for as many points at once as stay in it.
CACHE_BYTES = 3 * 2**20
# Or for all points and as many rows as take this, where rows may be worked on apart; no fewer rows than that.
ROW_BYTES, LEAST_ROWS = 2**21, 128
# Narrow ones, as the outputs are, for more: one sparse product serves all points.
WIDE_BYTES = 2**25

_SAME_SHAPE = frozenset(
    getattr(aten, name) for name in ["relu", "leaky_relu", "elu", "gelu", "silu", "sigmoid", "tanh", "add", "mul"]
)


class Route:
    """Of a trace, whatever the control points. memory: bytes that it may take, about.

    inputs, output, shapes: as those of the trace. run_linear: what is linear in the weights. frontier: what it gives to
    the rest, `stages`. turned: values to lie in memory feature by feature. by_rows: how the wide stage is done for some
    rows after others, on a CPU; None where its operations do not act row by row.
    """

    def __init__(self, trace: Trace, memory: int | None = None) -> None:
        self.inputs, self.output, self.shapes = trace.inputs, trace.output, trace.shapes
        linear = set(trace.inputs.values())
        first: list[Operation] = []
        rest: list[Operation] = []
        for operation in trace.operations:
            if set(operation.refs()) <= linear and stays_mixed(operation):
                first.append(operation)
                linear.update(n for n in operation.results if n is not None)
            else:
                rest.append(operation)
        asked = {*chain.from_iterable(operation.refs() for operation in rest), trace.output}
        self.run_linear = Run(first, asked)
        self.frontier = [number for number in linear if number in asked]
        self.turned = self._narrowed(rest)
        self.stages = Stages(trace, rest, memory)
        self.by_rows = self._acts_by_rows()

    def _narrowed(self, rest: Sequence[Operation]) -> set[int]:
        """What a product of few columns is made of after steps element by element.

        It is several times faster where that lies in memory feature by feature: see the rule of the product.
        """
        ancestors: dict[int, set[int]] = {number: {number} for number in self.frontier}
        found: set[int] = set()
        for operation in rest:
            above = set().union(*(ancestors.get(number, set()) for number in operation.refs()))
            kind, args = operation.kind, operation.args
            if kind in (aten.mm, aten.addmm):
                left, right = args[-2:]
                width = self.shapes[right.number][1] if not isinstance(right, Tensor) else right.shape[1]
                if not isinstance(left, Tensor) and width < NARROW:
                    found |= {n for n in ancestors.get(left.number, ()) if len(self.shapes[n]) == 2}
            elif kind in _SAME_SHAPE:
                ancestors.update((number, above) for number in operation.results if number is not None)
        return found

    def _acts_by_rows(self) -> "ByRows | None":
        stages = self.stages
        here = [number for number in self.frontier if number in stages.asked_by_wide]
        found = by_rows(stages.wide, here, self.shapes)
        if found is None or not stages.between <= found[1] or any(map(self._is_large_product, stages.wide)):
            return None
        count, rowed = found
        row = max(1, stages.widest // count)
        points = max(1, ROW_BYTES // (row * LEAST_ROWS))
        apart = [n for n in here if n not in rowed]
        return ByRows(count, row, points, [n for n in here if n in rowed], apart, self.turned)

    def _is_large_product(self, operation: Operation) -> bool:
        """Faster for all rows at once."""
        if operation.kind not in (aten.mm, aten.addmm):
            return False
        rows, between = self.shapes[operation.args[-2].number]
        (result,) = operation.results
        columns = self.shapes[result][1] if result is not None else 0
        return columns >= NARROW and rows * between * columns >= LARGE


@dataclass(frozen=True)
class ByRows:
    """`count` rows of `row` bytes for a point, at the widest. points: how many at once. rowed: the values that have
    these rows, others: those that have not; turned: those to lie feature by feature."""

    count: int
    row: int
    points: int
    rowed: Sequence[int]
    others: Sequence[int]
    turned: Collection[int]

    def rows_of(self, points: int) -> int:
        """How many rows to work on at once."""
        return max(LEAST_ROWS, ROW_BYTES // (self.row * points))


class Stages:
    """What is not linear, cut in two where values get narrow, with how many points each part is run for at once.

    wide: the operations that a wide value takes part in, and what those need; narrow: the others, after them.
    """

    def __init__(self, trace: Trace, rest: Sequence[Operation], memory: int | None) -> None:
        self._shapes = trace.shapes
        sizes = [max(map(self.size, [*filter(None, operation.results), *operation.refs()])) for operation in rest]
        self.widest = widest = max(sizes, default=1)
        wide: set[int] = set()
        needed: set[int] = set()
        for place, operation in reversed(list(enumerate(rest))):
            if 4 * sizes[place] > widest or not needed.isdisjoint(operation.results):
                wide.add(place)
                needed.update(operation.refs())
        given = self._made([rest[place] for place in wide]) & self._asked(rest, trace, wide)
        if not given or 4 * max(map(self.size, given)) > widest:  # nothing narrow comes of it
            wide = set()
        self.wide = [operation for place, operation in enumerate(rest) if place in wide]
        self.narrow = [operation for place, operation in enumerate(rest) if place not in wide]
        made = self._made(self.wide)
        self.asked_by_wide = {number for operation in self.wide for number in operation.refs()}
        self.asked_by_narrow = self._asked(rest, trace, wide)
        self.between = made & self.asked_by_narrow
        self.run_wide = Run(self.wide, self.between)
        self.run_narrow = Run(self.narrow, {trace.output})
        budget = WIDE_BYTES if memory is None else max(1, min(WIDE_BYTES, memory // 4))
        after = [sizes[place] for place in range(len(rest)) if place not in wide]
        self.end = max([*after, *map(self.size, self.between)], default=1)
        self.many = max(1, budget // self.end) if wide else max(1, CACHE_BYTES * 4 // widest)
        self.few = max(1, min(CACHE_BYTES, budget) // widest)

    @staticmethod
    def _made(operations: Sequence[Operation]) -> set[int]:
        return {number for operation in operations for number in operation.results if number is not None}

    @staticmethod
    def _asked(rest: Sequence[Operation], trace: Trace, without: Collection[int]) -> set[int]:
        others = (operation for place, operation in enumerate(rest) if place not in without)
        return {number for operation in others for number in operation.refs()} | {trace.output}

    def size(self, number: int) -> int:
        """Bytes of a value of one point, about."""
        return 4 * self._shapes[number].numel()
