"""Sums over the features of a head as matrix products: Σ_f x[n, h, f]·a[h, f] = (x·A)[n, h] with a block of A a head.

Of one x all are one product; nothing of the size of x is made.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gnnmc.engine.tracing.arguments import leaves
from gnnmc.engine.tracing.record import Operation, Ref

aten = torch.ops.aten
# Of more heads a product would multiply too many zeros.
_MOST_HEADS = 16


@dataclass(frozen=True)
class _Sum:
    """Σ_f x·a: where it is made, and under which number."""

    place: int
    x: int
    factor: Ref | Tensor
    result: int


def sums_to_products(
    operations: Sequence[Operation], shapes: dict[int, torch.Size], inputs: Collection[int]
) -> list[Operation]:
    """The same operations with products for such sums; shapes gets those of new values. inputs: numbers of weights."""
    found: dict[int, list[_Sum]] = {}
    for one in _sums(operations, shapes, inputs):
        found.setdefault(one.x, []).append(one)
    device = next((leaf.device for op in operations for leaf in leaves(op.args) if isinstance(leaf, Tensor)), None)
    changed: dict[int, list[Operation]] = {}
    for x, sums in found.items():
        if device is not None or shapes[x][1] == 1:
            changed.update((one.place, []) for one in sums)
            changed[sums[0].place] = _product(x, sums, shapes, device)
    return [new for place, old in enumerate(operations) for new in changed.get(place, [old])]


def _sums(operations: Sequence[Operation], shapes: Mapping[int, torch.Size], inputs: Collection[int]) -> list[_Sum]:
    made = {number: operation for operation in operations for number in operation.results if number is not None}
    uses = Counter(number for operation in operations for number in operation.refs())
    found = []
    for place, operation in enumerate(operations):
        if operation.kind is not aten.sum or operation.kwargs or len(operation.args) != 2:
            continue
        values, axes = operation.args
        product = made.get(values.number) if isinstance(values, Ref) and uses[values.number] == 1 else None
        if product is None or product.kind is not aten.mul or product.kwargs or list(axes) not in ([-1], [2]):
            continue
        (result,) = operation.results
        for x, factor in (product.args, product.args[::-1]):
            known = isinstance(factor, Tensor) or (isinstance(factor, Ref) and factor.number in inputs)
            if not (isinstance(x, Ref) and known and result is not None and len(shapes[x.number]) == 3):
                continue
            shape = factor.shape if isinstance(factor, Tensor) else shapes[factor.number]
            if shape == (1, *shapes[x.number][1:]) and shape[1] <= _MOST_HEADS:
                found.append(_Sum(place, x.number, factor, result))
                break
    return found


def _product(
    x: int, sums: Sequence[_Sum], shapes: dict[int, torch.Size], device: torch.device | None
) -> list[Operation]:
    rows, heads, width = shapes[x]
    made: list[Operation] = []

    def do(function: Any, *args: Any, shape: tuple[int, ...]) -> Ref:
        number = len(shapes)
        shapes[number] = torch.Size(shape)
        made.append(Operation(function, args, {}, (number,)))
        return Ref(number)

    def block(factor: Ref | Tensor) -> Ref | Tensor:
        """Shapes: (1, H, F) → (H·F, H), a column for every head."""
        if isinstance(factor, Tensor):
            return torch.block_diag(*factor[0].unsqueeze(2))
        if heads == 1:
            return do(aten.view.default, factor, [width, 1], shape=(width, 1))
        apart = do(aten.view.default, factor, [heads, width, 1], shape=(heads, width, 1))
        diagonal = torch.eye(heads, dtype=torch.bool, device=device).unsqueeze(1)
        wide = do(aten.mul.Tensor, apart, diagonal, shape=(heads, width, heads))
        return do(aten.view.default, wide, [heads * width, heads], shape=(heads * width, heads))

    flat = do(aten.view.default, Ref(x), [rows, heads * width], shape=(rows, heads * width))
    blocks = [block(one.factor) for one in sums]
    columns = len(sums) * heads
    joined = blocks[0] if len(sums) == 1 else do(aten.cat.default, blocks, 1, shape=(heads * width, columns))
    if len(sums) == 1:
        return [*made, Operation(aten.mm.default, (flat, joined), {}, (sums[0].result,))]
    together = do(aten.mm.default, flat, joined, shape=(rows, columns))
    for number, one in enumerate(sums):
        ends = number * heads, (number + 1) * heads
        made.append(Operation(aten.slice.Tensor, (together, 1, *ends), {}, (one.result,)))
    return made
