"""The same numbers from fewer operations: what is gathered and scattered along constant places is a sparse product.

Every rewriting is exact up to rounding and inferred from the operations, never from a layer's name.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from gnnmc.engine.tracing.contractions import sums_to_products
from gnnmc.engine.tracing.draws import Draw
from gnnmc.engine.tracing.edge_softmax import attention_along_edges
from gnnmc.engine.tracing.matrices import compressed, dense, with_self_loops
from gnnmc.engine.tracing.products import additive_attention, sparse_product, valued_product
from gnnmc.engine.tracing.record import Operation, Ref, Trace
from gnnmc.engine.tracing.refusal import refusing
from gnnmc.engine.tracing.rows import only_rows
from gnnmc.engine.tracing.scattered import scattered, weighted_rows
from gnnmc.sparse import SparseMatrix, Structure

aten = torch.ops.aten
# A matrix of constants with a smaller share of entries is multiplied as a sparse one (measured: at a tenth about even).
SPARSE_BELOW = 0.1
# How much faster a dense product multiplies than a sparse one does for each of its entries (measured, one CPU core).
DENSE_GAIN = 10
# A product of constants is kept where it has no more numbers: 256 MiB in single precision.
MOST_NUMBERS = 2**26


def rewritten(trace: Trace, rows: Tensor | None = None) -> Trace:
    """A trace with sparse products for message passing, which gives only these rows of the output, where asked."""
    return rewritten_alike([trace], [rows])[0]


def rewritten_alike(traces: Sequence[Trace], rows: Sequence[Tensor | None]) -> list[Trace]:
    """`rewritten` of one model on several problems: each value has as many rows on all (see `only_rows`)."""
    with refusing():
        return [_with_fewer_products(trace) for trace in only_rows([_with_products(trace) for trace in traces], rows)]


def for_many(trace: Trace) -> Trace:
    """The same values by the same numbers; only that this package's products are those that serve many weights."""
    work = _Rewriting(trace)
    work.sparse_operands()
    return replace(trace, operations=tuple(work.operations))


def _with_products(trace: Trace) -> Trace:
    work = _Rewriting(trace)
    work.sparse_operands()
    work.operations = attention_along_edges(work.operations, work.shapes)
    work.operations = sums_to_products(work.operations, work.shapes, trace.inputs.values())
    work.gathers_to_products()
    work.row_factors_into_products()
    work.self_loops_into_products()
    work.constants_to_sparse()
    work.narrow_before_products()
    return work.result()


def _with_fewer_products(trace: Trace) -> Trace:
    fewer = _Rewriting(trace)
    fewer.constants_together()
    fewer.drawn_together()
    fewer.fewer_rows_first()
    return fewer.result()


class _Rewriting:
    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.operations = list(trace.operations)
        self.output, self.shapes = trace.output, dict(trace.shapes)
        self._structures: dict[Any, Structure] = {}
        self._matrices: dict[Any, SparseMatrix] = {}

    def result(self) -> Trace:
        """The trace without operations that nothing asks for."""
        needed, kept = {self.output, *self.trace.updates.values()}, []
        for operation in reversed(self.operations):
            drawn = isinstance(operation.function, Draw)  # those after it would be others
            if drawn or needed.intersection(n for n in operation.results if n is not None):
                kept.append(operation)
                needed.update(operation.refs())
        inputs = {name: number for name, number in self.trace.inputs.items() if number in needed}
        return replace(self.trace, inputs=inputs, operations=tuple(reversed(kept)), shapes=self.shapes)

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
        counted.update([self.output, *self.trace.updates.values()])
        return counted

    def sparse_operands(self) -> None:
        """Products with sparse matrices, by this package's operator or of torch's own layout."""
        made = self.by_result()
        for place, operation in enumerate(self.operations):
            if operation.kind is torch.ops.gnnmc.sparse_mm:
                starts, columns, values, width, x = operation.args
                found = self._product(starts, columns, values, (len(starts) - 1, width), x)
            elif operation.kind is torch.ops.gnnmc.additive_attention:
                found = self._attention(*operation.args)
            elif operation.kind is aten.mm:
                matrix, x = operation.args
                found = self._product_of_layout(matrix, x, made)
            else:
                continue
            if found is not None:
                self.operations[place] = replace(found, results=operation.results)

    def _product_of_layout(self, matrix: Any, x: Any, made: Mapping[int, Operation]) -> Operation | None:
        if isinstance(matrix, Tensor):
            if matrix.layout not in (torch.sparse_csr, torch.sparse_coo) or not isinstance(x, Ref):
                return None
            compressed = matrix if matrix.layout == torch.sparse_csr else matrix.to_sparse_csr()
            return Operation(sparse_product, (SparseMatrix.of(compressed), x), {}, ())
        before = made.get(matrix.number)
        if before is None or before.kind is not aten.sparse_compressed_tensor:
            return None
        starts, columns, values, shape = before.args[:4]
        return self._product(starts, columns, values, (shape[0], shape[1]), x)

    def _product(self, starts: Any, columns: Any, values: Any, shape: tuple[int, int], x: Any) -> Operation | None:
        if isinstance(starts, Ref) or isinstance(columns, Ref):
            return None
        structure = self._structure(starts, columns, shape)
        if isinstance(values, Ref):
            return Operation(valued_product, (structure, values, x), {}, ())
        key = (id(starts), id(columns), shape, id(values))
        matrix = self._matrices.setdefault(key, SparseMatrix(structure, values))
        return Operation(sparse_product, (matrix, x), {}, ())

    def _attention(self, starts: Any, columns: Any, *operands: Any) -> Operation | None:
        if isinstance(starts, Ref) or isinstance(columns, Ref):
            return None
        structure = self._structure(starts, columns, (len(starts) - 1, self._shape(operands[1])[0]))
        return Operation(additive_attention, (structure, *operands), {}, ())

    def _structure(self, starts: Tensor, columns: Tensor, shape: tuple[int, int]) -> Structure:
        """Layers that work on one graph share what is prepared of it."""
        key = (id(starts), id(columns), shape)
        return self._structures.setdefault(key, Structure(starts, columns, shape))

    def gathers_to_products(self) -> None:
        """scatter_add(0, targets, weight · x[sources]) → A·x."""
        made = self.by_result()
        for place, operation in enumerate(self.operations):
            found = scattered(operation)
            if found is None:
                continue
            targets, source, count = found
            gathered = weighted_rows(source, made, self.shapes)
            if gathered is not None:
                x, sources, weight = gathered
                matrix = compressed(targets, sources, weight, (count, self.shapes[x.number][0]), operation.args[0])
                self.operations[place] = Operation(sparse_product, (matrix, x), {}, operation.results)

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
            of_entry = each[:, 0][matrix.structure.rows]
            scaled = matrix.with_values(
                matrix.values * of_entry if operation.kind is aten.mul else matrix.values / of_entry
            )
            self.operations[place] = Operation(sparse_product, (scaled, x), {}, operation.results)
            made.update((n, self.operations[place]) for n in operation.results if n is not None)

    def self_loops_into_products(self) -> None:
        """A·x + s·x with a constant s → (A + s·I)·x."""
        made, uses = self.by_result(), self.uses()
        for place, operation in enumerate(self.operations):
            if operation.kind is not aten.add or operation.kwargs:
                continue
            for product, other in (operation.args, operation.args[::-1]):
                before = made.get(product.number) if isinstance(product, Ref) and uses[product.number] == 1 else None
                if before is None or before.kind is not sparse_product or not isinstance(other, Ref):
                    continue
                matrix, x = before.args
                fits = matrix.structure.shape[0] == matrix.structure.shape[1] and self._shape(other) == self._shape(x)
                share = _multiple(other, x, made) if fits else None
                if share is not None:
                    self.operations[place] = Operation(
                        sparse_product, (with_self_loops(matrix, share), x), {}, operation.results
                    )
                    made.update((n, self.operations[place]) for n in operation.results if n is not None)
                    break

    def constants_to_sparse(self) -> None:
        """Dense constants with few entries, multiplied from the left, become sparse ones."""
        changed: list[Operation] = []
        for operation in self.operations:
            first = _first_factor(operation)
            if first is None:
                changed.append(operation)
                continue
            matrix = operation.args[first]
            dense = isinstance(matrix, Tensor) and matrix.layout == torch.strided
            if not dense or matrix.count_nonzero() >= SPARSE_BELOW * matrix.numel():
                changed.append(operation)
                continue
            sparse = SparseMatrix.of_dense(matrix)
            changed += self._biased((sparse_product, (sparse, operation.args[first + 1])), operation, first)
        self.operations = changed

    def _biased(self, product: tuple[Any, tuple[Any, ...]], operation: Operation, first: int) -> list[Operation]:
        """The product in the place of a matrix product, or of one with a bias."""
        if first == 0:
            return [Operation(*product, {}, operation.results)]
        (result,) = operation.results
        assert result is not None  # a matrix product gives a tensor
        unbiased = self.new(*self.shapes[result])
        return [
            Operation(*product, {}, (unbiased,)),
            Operation(aten.add.Tensor, (Ref(unbiased), operation.args[0]), {}, operation.results),
        ]

    def constants_together(self) -> None:
        """A·(X·W) → (A·X)·W with a dense A·X where that is less work: what is done once is not done again."""
        made, uses = self.by_result(), self.uses()
        for place, operation in enumerate(self.operations):
            product = operation.args[1] if operation.kind is sparse_product else None
            before = made.get(product.number) if isinstance(product, Ref) and uses[product.number] == 1 else None
            if before is None or before.kind not in (aten.mm, sparse_product):
                continue
            matrix, (x, weight) = operation.args[0], before.args
            if isinstance(x, Ref) or self._shape(weight)[0] * len(matrix) > MOST_NUMBERS:
                continue
            work = len(matrix.values) + (len(x.values) if isinstance(x, SparseMatrix) else x.numel() / DENSE_GAIN)
            if len(matrix) * self._shape(weight)[0] / DENSE_GAIN < work:
                once = sparse_product(matrix, dense(x) if isinstance(x, SparseMatrix) else x)
                self.operations[place] = Operation(aten.mm.default, (once, weight), {}, operation.results)

    def drawn_together(self) -> None:
        """A·(x·W) → (A·x)·W where x depends on no weights, as features after dropout: nothing goes back through A then.

        One product with A of x's width is in the place of two of W's, and the dense product has the rows of A only.
        """
        weighed = set(self.trace.inputs.values())
        for operation in self.operations:
            if weighed.intersection(operation.refs()):
                weighed.update(number for number in operation.results if number is not None)

        def pays(matrix: SparseMatrix, x: Ref, weight: Any) -> bool:
            return x.number not in weighed and not self._narrows(x, weight, 2)

        self._edges_first(pays)

    def fewer_rows_first(self) -> None:
        """A·(x·W) → (A·x)·W where A has few rows, and the dense product is less work on those."""

        def pays(matrix: SparseMatrix, x: Ref, weight: Any) -> bool:
            rows, (between, columns) = self.shapes[x.number][0], self._shape(weight)
            less = (rows - len(matrix)) * between * columns / DENSE_GAIN
            return less > len(matrix.values) * (between - columns)

        self._edges_first(pays)

    def _edges_first(self, pays: Callable[[SparseMatrix, Ref, Any], bool]) -> None:
        made, uses = self.by_result(), self.uses()
        changed: list[Operation] = []
        for operation in self.operations:
            product = operation.args[1] if operation.kind is sparse_product else None
            before = made.get(product.number) if isinstance(product, Ref) and uses[product.number] == 1 else None
            x, weight = before.args if before is not None and before.kind is aten.mm else (None, None)
            if not isinstance(x, Ref) or not pays(operation.args[0], x, weight):
                changed.append(operation)
                continue
            once = self.new(len(operation.args[0]), self.shapes[x.number][1])
            changed.append(Operation(sparse_product, (operation.args[0], x), {}, (once,)))
            changed.append(Operation(aten.mm.default, (Ref(once), weight), {}, operation.results))
        self.operations = changed

    def narrow_before_products(self) -> None:
        """(A·x)·W → A·(x·W) where that makes x narrower."""
        made, uses = self.by_result(), self.uses()
        changed: list[Operation] = []
        for operation in self.operations:
            first = _first_factor(operation)
            if first is None:
                changed.append(operation)
                continue
            a, b = operation.args[first : first + 2]
            before = made.get(a.number) if isinstance(a, Ref) and uses[a.number] == 1 else None
            if before is None or before.kind is not sparse_product or not self._narrows(a, b):
                changed.append(operation)
                continue
            narrow = self.new(self.shapes[before.args[1].number][0], self._shape(b)[1])
            changed.append(Operation(aten.mm.default, (before.args[1], b), {}, (narrow,)))
            changed += self._biased((sparse_product, (before.args[0], Ref(narrow))), operation, first)
        self.operations = changed

    def _narrows(self, a: Ref, b: Any, times: int = 1) -> bool:
        return times * self._shape(b)[1] < self.shapes[a.number][1]

    def _shape(self, value: Any) -> torch.Size:
        return self.shapes[value.number] if isinstance(value, Ref) else value.shape


def _multiple(value: Ref, x: Any, made: Mapping[int, Operation]) -> float | Tensor | None:
    """s where the value is s·x with a constant number s."""
    if value == x:
        return 1.0
    operation = made.get(value.number)
    if operation is None or operation.kind is not aten.mul or operation.kwargs or x not in operation.args:
        return None
    a, b = operation.args
    factor = b if a == x else a
    is_number = isinstance(factor, int | float) or (isinstance(factor, Tensor) and factor.numel() == 1)
    return factor if is_number else None


def _first_factor(operation: Operation) -> int | None:
    """Which argument of a matrix product is its first factor; None for anything else."""
    return None if operation.kwargs else {aten.mm: 0, aten.addmm: 1}.get(operation.kind)
