"""Attention as layers write it edge by edge, made one operation: gather, score, softmax over a target's edges, add up.

Recognized is what is computed, never a layer: Σ over the edges of a target of softmax(s)·x[source], where the scores
s are leaky_relu(a[target] + b[source]), which needs nothing computed edge by edge, or sums of these over features.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gnnmc.engine.tracing.products import additive_attention, pairwise_attention
from gnnmc.engine.tracing.record import Operation, Ref
from gnnmc.engine.tracing.scattered import gathered_rows, scattered
from gnnmc.sparse import Structure, row_starts

aten = torch.ops.aten
# What is added to a sum of weights, the largest of which is 1, so that nothing is divided by 0.
_TINY = 1e-10


def attention_along_edges(operations: Sequence[Operation], shapes: Mapping[int, torch.Size]) -> list[Operation]:
    """The same operations, what adds up weighted neighbors replaced where it is such an attention."""
    search = _Search({n: operation for operation in operations for n in operation.results if n is not None}, shapes)
    return [search.replacement(operation) or operation for operation in operations]


@dataclass(frozen=True, eq=False)
class _Graph:
    targets: Tensor
    sources: Tensor
    structure: Structure


class _Search:
    def __init__(self, made: Mapping[int, Operation], shapes: Mapping[int, torch.Size]) -> None:
        self._made, self._shapes = made, shapes
        self._graphs: list[_Graph] = []

    def replacement(self, operation: Operation) -> Operation | None:
        """What does the same as this one and all that leads to it; None for anything else than attention."""
        found = scattered(operation)
        if found is None or len(self._shapes[found[1].number]) != 3:
            return None
        targets, weighted, count = found
        for weight, values in self._factors(weighted):
            places = self._gathered(values)
            scores = self._scores(weight, targets, count)
            if places is None or scores is None:
                continue
            x, sources = places
            shape = self._shapes[x.number]
            total = self._sum_over_features(scores, shape)
            scored, wanted = (scores, shape[1:2]) if total is None else (total[0], shape[1:])
            sizes = torch.Size((count, *wanted)), torch.Size((shape[0], *wanted))
            ends = self._sum_of_ends(scored, targets, sources, sizes)
            if ends is None:
                continue
            structure = self._structure(targets, sources, (count, shape[0]))
            *nodes, slope = ends
            if total is None:
                return Operation(additive_attention, (structure, *nodes, x, slope), {}, operation.results)
            return Operation(pairwise_attention, (structure, *nodes, x, total[1], slope), {}, operation.results)
        return None

    def _factors(self, product: Ref) -> list[tuple[Ref, Ref]]:
        """(w, v) where the product is w·v with one w for all features of a head. Shapes: w (E, H), v (E, H, F)."""
        found = []
        operation = self._by(product, aten.mul)
        if operation is not None and all(isinstance(factor, Ref) for factor in operation.args):
            for one, other in (operation.args, operation.args[::-1]):
                opened = self._by(one, aten.unsqueeze)
                if opened is not None and opened.args[1] in (-1, 2) and isinstance(opened.args[0], Ref):
                    found.append((opened.args[0], other))
        return found

    def _scores(self, weight: Ref, targets: Tensor, count: int) -> Ref | None:
        """s where the weight is exp(s − the largest of a target) over the sum of these of a target."""
        quotient = self._by(weight, aten.div)
        if quotient is None or not all(isinstance(each, Ref) for each in quotient.args):
            return None
        numerator, denominator = quotient.args
        sums = self._at_targets(denominator, targets)
        sums = sums and self._without_tiny(sums)
        added = scattered(self._made[sums.number]) if sums is not None and sums.number in self._made else None
        if added is None or added[1] != numerator or added[2] != count or not torch.equal(added[0], targets):
            return None
        exponential = self._by(numerator, aten.exp)
        difference = exponential and self._by(exponential.args[0], aten.sub)
        if difference is None or not all(isinstance(each, Ref) for each in difference.args) or difference.kwargs:
            return None
        scores, largest = difference.args
        highest = self._at_targets(largest, targets)
        return scores if highest is not None and self._is_largest(highest, scores, targets) else None

    def _is_largest(self, value: Ref, scores: Ref, targets: Tensor) -> bool:
        operation = self._by(value, aten.scatter_reduce)
        if operation is None or operation.args[4] != "amax" or operation.kwargs.get("include_self", True):
            return False
        _, axis, index, source = operation.args[:4]
        if not (isinstance(index, Tensor) and isinstance(source, Ref) and axis == 0):
            return False
        stopped = self._by(source, aten.detach)
        if source != scores and (stopped is None or stopped.args[0] != scores):
            return False
        return torch.equal(index, targets.reshape(-1, *[1] * (index.dim() - 1)).expand_as(index))

    def _without_tiny(self, value: Ref) -> Ref:
        operation = self._by(value, aten.add)
        if operation is not None and not operation.kwargs and isinstance(operation.args[0], Ref):
            tiny = operation.args[1]
            if isinstance(tiny, float | int) and 0 <= tiny <= _TINY:
                return operation.args[0]
        return value

    def _sum_over_features(self, scores: Ref, shape: torch.Size) -> tuple[Ref, Ref | Tensor] | None:
        """v (E, H, F) and a (1, H, F) where the scores are Σ_f a·v."""
        total = self._by(scores, aten.sum)
        if total is None or total.kwargs or len(total.args) != 2 or list(total.args[1]) not in ([-1], [2]):
            return None
        product = self._by(total.args[0], aten.mul)
        for values, factor in (product.args, product.args[::-1]) if product is not None else ():
            if not isinstance(values, Ref) or not isinstance(factor, Ref | Tensor):
                continue
            size = self._shapes[factor.number] if isinstance(factor, Ref) else factor.shape
            if size == (1, *shape[1:]) and self._shapes[values.number][1:] == shape[1:]:
                return values, factor
        return None

    def _sum_of_ends(
        self, scores: Ref, targets: Tensor, sources: Tensor, sizes: tuple[torch.Size, torch.Size]
    ) -> tuple[Ref, Ref, float] | None:
        """a, b, of these sizes, and the slope where the scores are leaky_relu(a[target] + b[source])."""
        act = self._by(scores, aten.leaky_relu)
        total = act and self._by(act.args[0], aten.add)
        if act is None or total is None or total.kwargs:
            return None
        slope = act.args[1] if len(act.args) > 1 else 0.01
        parts = [self._gathered(each) for each in total.args]
        for of_row, of_column in (parts, parts[::-1]):
            if of_row is None or of_column is None:
                continue
            if (self._shapes[of_row[0].number], self._shapes[of_column[0].number]) != sizes:
                continue
            if torch.equal(of_row[1], targets) and torch.equal(of_column[1], sources):
                return of_row[0], of_column[0], slope
        return None

    def _at_targets(self, value: Ref, targets: Tensor) -> Ref | None:
        places = self._gathered(value)
        return places[0] if places is not None and torch.equal(places[1], targets) else None

    def _gathered(self, value: Any) -> tuple[Ref, Tensor] | None:
        return gathered_rows(self._made.get(value.number), self._shapes) if isinstance(value, Ref) else None

    def _by(self, value: Any, kind: Any) -> Operation | None:
        """The operation that gives the value, where it is of this kind."""
        operation = self._made.get(value.number) if isinstance(value, Ref) else None
        return operation if operation is not None and operation.kind is kind else None

    def _structure(self, targets: Tensor, sources: Tensor, shape: tuple[int, int]) -> Structure:
        """Layers that work on one graph share what is prepared of it."""
        for graph in self._graphs:
            same = graph.structure.shape == shape and torch.equal(graph.targets, targets)
            if same and torch.equal(graph.sources, sources):
                return graph.structure
        columns = sources % shape[1]  # of numbers below 0, too
        order = torch.argsort(targets * shape[1] + columns, stable=True)
        structure = Structure(row_starts(targets, shape[0]), columns[order].contiguous(), shape)
        self._graphs.append(_Graph(targets, sources, structure))
        return structure
