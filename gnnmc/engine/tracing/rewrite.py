"""The same numbers from fewer operations: what is gathered and scattered along constant places is a sparse product.

Every rewriting is exact up to rounding and inferred from the operations, never from a layer's name.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from gnnmc.engine.tracing.record import Operation, Ref, Trace
from gnnmc.sparse import compressed_rows

aten = torch.ops.aten
# A matrix of constants with a smaller share of entries is multiplied as a sparse one (measured: at a tenth about even).
SPARSE_BELOW = 0.1


def sparse_product(matrix: Tensor, x: Tensor) -> Tensor:
    """A·x over the first axis. Shapes: matrix (M, N) in compressed rows, x (N, …) → (M, …)."""
    return (matrix @ x.flatten(1)).unflatten(1, x.shape[1:]) if x.dim() > 2 else matrix @ x


def valued_product(starts: Tensor, columns: Tensor, shape: Sequence[int], values: Tensor, x: Tensor) -> Tensor:
    """A(values)·x of a matrix in compressed rows whose entries depend on the weights, as attention's do."""
    return _csr(starts, columns, values.contiguous(), shape) @ x


def rewritten(trace: Trace, rows: Tensor | None = None) -> Trace:
    """A trace with sparse products for message passing, which gives only these rows of the output, where asked."""
    work = _Rewriting(trace)
    work.operator_to_products()
    work.gathers_to_products()
    work.attention_to_products()
    work.row_factors_into_products()
    work.constants_to_sparse()
    work.narrow_before_products()
    if rows is not None:
        work.only_rows(rows)
    return work.result()


class _Rewriting:
    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.operations = list(trace.operations)
        self.output, self.shapes = trace.output, dict(trace.shapes)

    def result(self) -> Trace:
        """The trace without operations that nothing asks for."""
        needed, kept = {self.output}, []
        for operation in reversed(self.operations):
            if needed.intersection(n for n in operation.results if n is not None):
                kept.append(operation)
                needed.update(operation.refs())
        inputs = {name: number for name, number in self.trace.inputs.items() if number in needed}
        return Trace(inputs, tuple(reversed(kept)), self.output, self.shapes)

    def new(self, *shape: int) -> int:
        """The number of a new value of this shape."""
        number = len(self.shapes)
        self.shapes[number] = torch.Size(shape)
        return number

    def by_result(self) -> dict[int, Operation]:
        """The operation that gives each number."""
        return {number: op for op in self.operations for number in op.results if number is not None}

    def uses(self) -> Counter[int]:
        """How many operations need each number."""
        counted = Counter(number for op in self.operations for number in set(op.refs()))
        counted[self.output] += 1
        return counted

    def gathers_to_products(self) -> None:
        """scatter_add(0, targets, weight · x[sources]) → A·x."""
        made = self.by_result()
        for place, operation in enumerate(self.operations):
            found = _scattered(operation)
            if found is None:
                continue
            targets, source, count = found
            gathered = _gathered(source, made, self.shapes)
            if gathered is not None:
                x, sources, weight = gathered
                matrix = _compressed(targets, sources, weight, (count, self.shapes[x.number][0]), operation.args[0])
                self.operations[place] = Operation(sparse_product, (matrix, x), {}, operation.results)

    def operator_to_products(self) -> None:
        """The operator of sparse products, at constant places: a matrix that is built once where values are too."""
        for place, operation in enumerate(self.operations):
            if operation.kind is not torch.ops.gnnmc.sparse_mm:
                continue
            starts, columns, values, num_columns, x = operation.args
            if isinstance(starts, Ref) or isinstance(columns, Ref):
                continue
            shape = (len(starts) - 1, num_columns)
            if isinstance(values, Ref):
                self.operations[place] = Operation(
                    valued_product, (starts, columns, shape, values, x), {}, operation.results
                )
            else:
                matrix = _csr(starts, columns, values, shape)
                self.operations[place] = Operation(sparse_product, (matrix, x), {}, operation.results)

    def attention_to_products(self) -> None:
        """The product with a sparse matrix made of constant places and values that depend on the weights."""
        made = self.by_result()
        for place, operation in enumerate(self.operations):
            first = operation.args[0] if operation.kind is aten.mm else None
            matrix = made.get(first.number) if isinstance(first, Ref) else None
            if matrix is not None and matrix.kind is aten.sparse_compressed_tensor:
                starts, columns, values, shape = matrix.args[:4]
                self.operations[place] = Operation(
                    valued_product, (starts, columns, tuple(shape), values, operation.args[1]), {}, operation.results
                )

    def row_factors_into_products(self) -> None:
        """(A·x)·d or (A·x)/d with a constant for each row → (D·A)·x: a mean over neighbors is one product."""
        made, uses = self.by_result(), self.uses()
        for place, operation in enumerate(self.operations):
            if operation.kind not in (aten.mul, aten.div) or operation.kwargs:
                continue
            product, factor = operation.args
            before = made.get(product.number) if isinstance(product, Ref) and uses[product.number] == 1 else None
            if before is None or before.kind is not sparse_product or not isinstance(factor, Tensor):
                continue
            shape = self.shapes[product.number]
            if factor.dim() != len(shape) or len(factor) != shape[0]:
                continue
            each = factor.flatten(1)
            if bool((each != each[:, :1]).any()):
                continue
            matrix, x = before.args
            of_entry = torch.repeat_interleave(each[:, 0], torch.diff(matrix.crow_indices()))
            values = matrix.values() * of_entry if operation.kind is aten.mul else matrix.values() / of_entry
            scaled = _csr(matrix.crow_indices(), matrix.col_indices(), values, matrix.shape)
            self.operations[place] = Operation(sparse_product, (scaled, x), {}, operation.results)
            made.update((n, self.operations[place]) for n in operation.results if n is not None)

    def constants_to_sparse(self) -> None:
        """Dense constants with few entries, multiplied from the left, become sparse ones."""
        for place, operation in enumerate(self.operations):
            position = {aten.mm: 0, aten.addmm: 1}.get(operation.kind)
            if position is None or not isinstance(operation.args[position], Tensor):
                continue
            matrix = operation.args[position]
            if matrix.layout == torch.strided and matrix.count_nonzero() < SPARSE_BELOW * matrix.numel():
                args = [*operation.args[:position], matrix.to_sparse_csr(), *operation.args[position + 1 :]]
                self.operations[place] = replace(operation, args=tuple(args))

    def narrow_before_products(self) -> None:
        """(A·x)·W → A·(x·W) where that makes x narrower."""
        made, uses = self.by_result(), self.uses()
        changed: list[Operation] = []
        for operation in self.operations:
            first = {aten.mm: 0, aten.addmm: 1}.get(operation.kind)
            a, b = operation.args[first : first + 2] if first is not None else (None, None)
            before = made.get(a.number) if isinstance(a, Ref) and uses[a.number] == 1 else None
            if before is None or before.kind is not sparse_product or operation.kwargs or not self._narrows(a, b):
                changed.append(operation)
                continue
            rows, columns = self.shapes[a.number][0], self._shape(b)[1]
            narrow = self.new(self.shapes[before.args[1].number][0], columns)
            changed.append(Operation(aten.mm.default, (before.args[1], b), {}, (narrow,)))
            product = Operation(sparse_product, (before.args[0], Ref(narrow)), {}, operation.results)
            if first == 1:
                unbiased = self.new(rows, columns)
                changed.append(replace(product, results=(unbiased,)))
                product = Operation(aten.add.Tensor, (Ref(unbiased), operation.args[0]), {}, operation.results)
            changed.append(product)
        self.operations = changed

    def _narrows(self, a: Ref, b: Any) -> bool:
        return self._shape(b)[1] < self.shapes[a.number][1]

    def _shape(self, value: Any) -> torch.Size:
        return self.shapes[value.number] if isinstance(value, Ref) else value.shape

    def only_rows(self, rows: Tensor) -> None:
        """The output's rows alone, taken as early as the operations allow."""
        self.output = self._rows_of(self.output, rows)

    def _rows_of(self, number: int, rows: Tensor) -> int:
        """The number of these rows of a value, with the operations that give them."""
        operation = self.by_result().get(number)
        asked = self.new(len(rows), *self.shapes[number][1:])
        if operation is None or self.uses()[number] > 1:
            made = Operation(aten.index_select.default, (Ref(number), 0, rows), {}, (asked,))
        elif operation.kind is sparse_product or (operation.kind is aten.mm and isinstance(operation.args[0], Tensor)):
            matrix = operation.args[0]
            taken = _rows_of_compressed(matrix, rows) if matrix.layout == torch.sparse_csr else matrix[rows]
            made = replace(operation, args=(taken, operation.args[1]), results=(asked,))
        elif operation.kind in (aten.add, aten.sub, aten.mul) and not operation.kwargs:
            args = tuple(self._rows_of_operand(argument, number, rows) for argument in operation.args)
            made = replace(operation, args=args, results=(asked,))
        else:
            made = Operation(aten.index_select.default, (Ref(number), 0, rows), {}, (asked,))
        self.operations.append(made)
        return asked

    def _rows_of_operand(self, operand: Any, number: int, rows: Tensor) -> Any:
        """Of what is broadcast over the rows: all of it."""
        if not isinstance(operand, Ref | Tensor) or len(self._shape(operand)) < len(self.shapes[number]):
            return operand
        if self._shape(operand)[0] == 1:
            return operand
        return Ref(self._rows_of(operand.number, rows)) if isinstance(operand, Ref) else operand[rows]


def _scattered(operation: Operation) -> tuple[Tensor, Ref, int] | None:
    """Targets (E,), what is added there, and how many rows there are; None for anything else."""
    if operation.kind not in (aten.scatter_add, aten.index_add) or operation.kwargs:
        return None
    base, axis, index, source = operation.args
    if not (isinstance(base, Tensor) and isinstance(index, Tensor) and isinstance(source, Ref)) or bool(base.any()):
        return None
    if axis not in (0, -base.dim()):
        return None
    if index.dim() > 1:
        if index.shape[1:] != base.shape[1:]:
            return None
        flat = index.flatten(1)
        if bool((flat != flat[:, :1]).any()):
            return None
        index = flat[:, 0]
    return index, source, len(base)


def _gathered(
    source: Ref, made: Mapping[int, Operation], shapes: Mapping[int, torch.Size]
) -> tuple[Ref, Tensor, Tensor | None] | None:
    """x, the sources (E,) and the weight of each edge, where `source` is weight · x[sources]."""
    operation, weight = made.get(source.number), None
    if operation is not None and operation.kind is aten.mul:
        constant, other = sorted(operation.args, key=lambda factor: isinstance(factor, Ref))
        if not isinstance(constant, Tensor) or not isinstance(other, Ref):
            return None
        if constant.dim() < 2 or constant.dim() != len(shapes[source.number]) or len(constant) != constant.numel():
            return None
        weight, operation = constant.flatten(), made.get(other.number)
    if operation is None:
        return None
    if operation.kind is aten.index_select:
        x, axis, sources = operation.args
    elif operation.kind is aten.index and len(operation.args[1]) == 1:
        (x, (sources,)), axis = operation.args, 0
    else:
        return None
    if not isinstance(x, Ref) or not isinstance(sources, Tensor) or sources.dim() != 1 or sources.dtype != torch.long:
        return None
    return (x, sources, weight) if axis in (0, -len(shapes[x.number])) else None


def _compressed(
    targets: Tensor, sources: Tensor, weight: Tensor | None, shape: tuple[int, int], like: Tensor
) -> Tensor:
    """The matrix of these entries in compressed rows; entries at one place stay apart and add up."""
    order = torch.argsort(targets * shape[1] + sources, stable=True)
    starts = targets.new_zeros(shape[0] + 1)
    starts[1:] = torch.bincount(targets, minlength=shape[0]).cumsum(0)
    values = (like.new_ones(len(targets)) if weight is None else weight)[order].contiguous()
    return _csr(starts, sources[order].contiguous(), values, shape)


def _csr(starts: Tensor, columns: Tensor, values: Tensor, shape: Sequence[int]) -> Tensor:
    return compressed_rows(starts, columns, values, tuple(shape), checked=False)


def _rows_of_compressed(matrix: Tensor, rows: Tensor) -> Tensor:
    starts, columns, values = matrix.crow_indices(), matrix.col_indices(), matrix.values()
    counts = torch.diff(starts)[rows]
    ends = counts.cumsum(0)
    entries = torch.arange(int(counts.sum()), device=rows.device)
    entries += torch.repeat_interleave(starts[rows] - (ends - counts), counts)
    taken = torch.cat([ends.new_zeros(1), ends])
    return _csr(taken, columns[entries], values[entries], (len(rows), matrix.shape[1]))
