"""Only the rows that are asked for: what no asked row of the output needs is not computed.

Walking back from the output, every value is told which of its rows (nodes, items) are needed: through operations that
work row by row they are the same rows, through a sparse product the columns in which the needed rows have entries.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import torch
from torch import Tensor

from gnnmc.engine.tracing.arguments import changed, leaves
from gnnmc.engine.tracing.draws import Draw
from gnnmc.engine.tracing.products import additive_attention, pairwise_attention, sparse_product, valued_product
from gnnmc.engine.tracing.record import Operation, Ref, Trace
from gnnmc.engine.tracing.refusal import NotTraceable
from gnnmc.sparse import SparseMatrix, Structure

aten = torch.ops.aten
# Values of which a larger share is needed stay whole: to leave out so little does not pay.
WHOLE_ABOVE = 0.8

_ELEMENTWISE = """
    relu leaky_relu elu gelu silu sigmoid tanh exp log neg sqrt rsqrt square abs clamp clamp_min pow softplus add sub
    mul div ge gt le lt eq ne where masked_fill clone detach alias _to_copy logical_not bitwise_and bitwise_or
    bitwise_right_shift __rshift__
"""
BY_ELEMENT = frozenset(getattr(aten, name) for name in _ELEMENTWISE.split())
_RESHAPES = frozenset((aten.view, aten.reshape, aten._unsafe_view))
# The first operand is taken row by row, where the axes that they work along, their second argument, are others.
_AXIS_WISE = "_softmax _log_softmax sum mean amax slice select unsqueeze squeeze"
_ALONG_AXES = frozenset(getattr(aten, name) for name in _AXIS_WISE.split())
_PRODUCTS = frozenset((sparse_product, valued_product))
# Of a structure, what its rows have, what its columns have twice, and what all share.
_ATTENTIONS = frozenset((additive_attention, pairwise_attention))

# Which rows: a mask while it is found out, their numbers once it is known; None: all of them.
_Rows: TypeAlias = Tensor | None


def only_rows(traces: Sequence[Trace], rows: Sequence[Tensor | None]) -> list[Trace]:
    """Traces with only these rows of the output, in this order, or all.

    Of several traces that do the same, each value keeps as many rows in all of them: some that nobody needs, where it
    would be fewer. Raises NotTraceable for traces that do not do the same.

    Shapes: rows (R,) each.
    """
    if len({tuple(operation.results for operation in trace.operations) for trace in traces}) > 1:
        raise NotTraceable("not the same operations")
    restrictions = [_Restriction(trace, wanted) for trace, wanted in zip(traces, rows, strict=True)]
    for operations in zip(*(reversed(trace.operations) for trace in traces), strict=True):
        for number in operations[0].results:
            _need_as_many(restrictions, number)
        for restriction, operation in zip(restrictions, operations, strict=True):
            restriction.need_operands(operation)
    return [restriction.restricted() for restriction in restrictions]


def _need_as_many(restrictions: Sequence["_Restriction"], number: int | None) -> None:
    needed = [restriction.needed[number] for restriction in restrictions if number in restriction.needed]
    if number is None or not needed:
        return
    masks = [mask for mask in needed if mask is not None]
    if len({len(mask) for mask in masks}) > 1:
        raise NotTraceable("values with other numbers of rows")
    most = max((int(mask.sum()) for mask in masks), default=0)
    for restriction in restrictions:
        mask = restriction.needed.get(number)
        if len(masks) < len(restrictions):
            restriction.needed[number] = None
        elif mask is not None and len(restrictions) > 1:
            unneeded = (~mask).nonzero()[:, 0]
            restriction.needed[number] = mask | _mask(unneeded[: most - int(mask.sum())], len(mask))


class _Restriction:
    def __init__(self, trace: Trace, rows: Tensor | None) -> None:
        self.trace = trace
        self.shapes = dict(trace.shapes)
        self.operations: list[Operation] = []
        # Of the values that something needs; buffers are needed whole.
        self.needed: dict[int, _Rows] = dict.fromkeys(trace.updates.values())
        self.kept: dict[int, Tensor] = {}
        self._rows = rows
        self._need(trace.output, None if rows is None else _mask(rows, self._length(trace.output)))

    def restricted(self) -> Trace:
        """The trace, once it is known which rows are needed."""
        for operation in self.trace.operations:
            self._restrict(operation)
        output = self.trace.output
        number = output if self._rows is None else self._take(output, self._rows)
        return replace(self.trace, operations=tuple(self.operations), output=number, shapes=self.shapes)

    def _need(self, number: int, rows: _Rows) -> None:
        before = self.needed.get(number, rows)
        self.needed[number] = None if before is None or rows is None else before | rows

    def need_operands(self, operation: Operation) -> None:
        """Note what the needed rows of its results need."""
        if not any(number in self.needed for number in operation.results):
            return
        result, *others = operation.results
        rows = None if result is None or any(n in self.needed for n in others) else self.needed.get(result)
        gathered = _gathered(operation)
        if gathered is not None:
            x, places = gathered
            self._need(x.number, _mask(places if rows is None else places[rows], self._length(x.number)))
            return
        if rows is None or float(rows.sum()) > WHOLE_ABOVE * len(rows) or not self._works_by_row(operation):
            self.needed.update((n, None) for n in operation.results if n in self.needed)
            for number in operation.refs():
                self._need(number, None)
            return
        if operation.kind in _ATTENTIONS:
            structure, of_row, *of_columns = operation.args[:4]
            columns = _mask(structure.columns[rows[structure.rows]], structure.shape[1])
            for operand, mask in ((of_row, rows), *((each, columns) for each in of_columns)):
                if isinstance(operand, Ref):
                    self._need(operand.number, mask)
            for leaf in operation.args[4:]:
                if isinstance(leaf, Ref):
                    self._need(leaf.number, None)
            return
        if operation.kind in _PRODUCTS:
            matrix = self._matrix(operation)
            entries = rows[matrix.rows]
            for place, mask in ((-1, _mask(matrix.columns[entries], matrix.shape[1])), (-2, entries)):
                if isinstance(operation.args[place], Ref):
                    self._need(operation.args[place].number, mask)
            return
        for leaf in _leaves(operation.args):
            if isinstance(leaf, Ref):
                self._need(leaf.number, rows if self._has_rows(leaf, operation) else None)

    def _works_by_row(self, operation: Operation) -> bool:
        """Whether a row of the result depends on that row of the operands alone, or on rows that are known."""
        kind, args = operation.kind, operation.args
        if kind in _ATTENTIONS:
            return True
        if kind in _PRODUCTS or kind in BY_ELEMENT:
            return not operation.kwargs or kind in (aten.add, aten.sub, aten._to_copy, aten.clone)
        if operation.kwargs or not args:
            return False
        shape = self._shape(args[0]) if isinstance(args[0], Ref | Tensor) else None
        if kind in (aten.mm, aten.addmm):
            return kind is aten.mm or len(self._shape(args[0])) < 2
        if shape is None or shape[:1] != self.trace.shapes[_first(operation)][:1]:
            return False
        if kind in _RESHAPES:
            return True
        if kind is aten.native_layer_norm:
            return len(args[1]) < len(shape)
        axes = args[1] if len(args) > 1 else None
        if kind not in _ALONG_AXES or axes is None:
            return False
        return all(
            axis % (len(shape) + (kind is aten.unsqueeze)) for axis in ([axes] if isinstance(axes, int) else axes)
        )

    def _has_rows(self, operand: Ref | Tensor, operation: Operation) -> bool:
        """Whether an operand has a row for each of the result's; what is broadcast over them has not."""
        if operation.kind in (aten.mm, aten.addmm):
            return operand is operation.args[-2]
        if operation.kind is aten.native_layer_norm:
            return operand is operation.args[0]
        shape, result = self._shape(operand), self.trace.shapes[_first(operation)]
        if operation.kind in BY_ELEMENT and len(shape) < len(result):
            return False
        return shape[:1] == result[:1]

    def _restrict(self, operation: Operation) -> None:
        if not isinstance(operation.function, Draw) and not any(n in self.needed for n in operation.results):
            return  # what nobody needs goes, but for random numbers: those after them would be others
        rows = self.needed.get(_first(operation)) if operation.results[0] is not None else None
        gathered = _gathered(operation)
        if gathered is not None:
            self._gather(operation, *gathered, rows)
            return
        if rows is None:
            self.operations.append(operation)
            return
        kept = rows.nonzero()[:, 0]
        if operation.kind in _ATTENTIONS:
            args = self._attention_of(operation, kept)
        elif operation.kind in _PRODUCTS:
            args = self._product_of(operation, kept)
        else:
            args = list(
                changed(
                    operation.args,
                    (Ref, Tensor),
                    lambda leaf: self._rows_of(leaf, kept) if self._has_rows(leaf, operation) else leaf,
                )
            )
        if operation.kind in _RESHAPES and not isinstance(args[1], torch.dtype):
            args[1] = [len(kept), *self.trace.shapes[_first(operation)][1:]]
        self.operations.append(replace(operation, args=tuple(args)))
        for number in operation.results:
            if number is not None:
                self.kept[number] = kept
                self.shapes[number] = torch.Size((len(kept), *self.shapes[number][1:]))

    def _gather(self, operation: Operation, x: Ref, places: Tensor, rows: _Rows) -> None:
        if rows is not None:
            kept = self.kept[_first(operation)] = rows.nonzero()[:, 0]
            places = places[kept]
        places = places % self._length(x.number)  # of numbers below 0, too
        if x.number in self.kept:
            places = _places(self.kept[x.number], self._length(x.number))[places]
        self.shapes[_first(operation)] = torch.Size((len(places), *self.shapes[x.number][1:]))
        self.operations.append(replace(operation, function=aten.index_select.default, args=(x, 0, places)))

    def _rows_of(self, leaf: Ref | Tensor, rows: Tensor) -> Ref | Tensor:
        return Ref(self._take(leaf.number, rows)) if isinstance(leaf, Ref) else leaf[rows]

    def _product_of(self, operation: Operation, kept: Tensor) -> list[Any]:
        x = operation.args[-1]
        structure, entries = rows_of_structure(self._matrix(operation), kept)
        if isinstance(x, Ref) and x.number in self.kept:
            columns = self.kept[x.number]
            places = _places(columns, structure.shape[1])[structure.columns]
            structure = Structure(structure.starts, places, (structure.shape[0], len(columns)))
        if operation.kind is sparse_product:
            return [SparseMatrix(structure, operation.args[0].values[entries]), x]
        return [structure, self._rows_of(operation.args[1], entries), x]

    def _attention_of(self, operation: Operation, kept: Tensor) -> list[Any]:
        whole, of_row, of_column, x, *shared = operation.args
        structure, _ = rows_of_structure(whole, kept)
        of_row = self._rows_of(of_row, kept)
        operands = [each for each in (of_column, x) if isinstance(each, Ref) and each.number in self.kept]
        if not operands:
            return [structure, of_row, of_column, x, *shared]
        columns = self.kept[operands[0].number]  # all that have entries in these rows, at least
        places = _places(columns, structure.shape[1])[structure.columns]
        fewer = Structure(structure.starts, places, (len(kept), len(columns)))
        return [fewer, of_row, self._rows_of(of_column, columns), self._rows_of(x, columns), *shared]

    def _take(self, number: int, rows: Tensor) -> int:
        """The number of these rows of a value."""
        kept = self.kept.get(number)
        if kept is not None and torch.equal(kept, rows):
            return number
        places = rows if kept is None else _places(kept, self._length(number))[rows]
        made = len(self.shapes)
        self.shapes[made] = torch.Size((len(rows), *self.shapes[number][1:]))
        self.operations.append(Operation(aten.index_select.default, (Ref(number), 0, places), {}, (made,)))
        return made

    @staticmethod
    def _matrix(operation: Operation) -> Structure:
        first = operation.args[0]
        return first.structure if isinstance(first, SparseMatrix) else first

    def _shape(self, value: Ref | Tensor) -> torch.Size:
        return self.trace.shapes[value.number] if isinstance(value, Ref) else value.shape

    def _length(self, number: int) -> int:
        return self.trace.shapes[number][0]


def _gathered(operation: Operation) -> tuple[Ref, Tensor] | None:
    """A value and the places of the rows that are taken of it, where an operation does that."""
    x, *others = operation.args or (None,)
    if not isinstance(x, Ref) or operation.kwargs:
        return None
    if operation.kind is aten.index_select and others[0] == 0 and isinstance(others[1], Tensor):
        return x, others[1]
    if operation.kind is aten.index and len(others[0]) == 1 and isinstance(others[0][0], Tensor):
        places = others[0][0]
        if places.dim() == 1 and not places.is_floating_point() and places.dtype not in (torch.bool, torch.uint8):
            return x, places
    return None


def rows_of_structure(structure: Structure, rows: Tensor) -> tuple[Structure, Tensor]:
    """Some rows of a matrix, and which of its entries they have. Shapes: rows (R,) → (R, K), (E′,)."""
    counts = structure.starts.diff()[rows]
    ends = counts.cumsum(0)
    entries = torch.arange(int(counts.sum()), device=rows.device)
    entries += torch.repeat_interleave(structure.starts[rows] - (ends - counts), counts)
    starts = torch.cat([ends.new_zeros(1), ends])
    return Structure(starts, structure.columns[entries], (len(rows), structure.shape[1])), entries


def _mask(rows: Tensor, length: int) -> Tensor:
    mask = torch.zeros(length, dtype=torch.bool, device=rows.device)
    mask[rows] = True
    return mask


def _places(kept: Tensor, length: int) -> Tensor:
    """Where each row stands among those that are kept."""
    places = torch.zeros(length, dtype=torch.long, device=kept.device)
    places[kept] = torch.arange(len(kept), device=kept.device)
    return places


def _first(operation: Operation) -> int:
    number = operation.results[0]
    assert number is not None  # asked only of operations whose result is needed
    return number


def _leaves(args: Any) -> Iterator[Ref | Tensor]:
    return (leaf for leaf in leaves(args) if isinstance(leaf, Ref | Tensor))
