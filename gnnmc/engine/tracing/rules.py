"""Batching rules of the operations that decide the time: products, element by element, sums, gathers and scatters.

Where rows are nodes or edges and places are constants, the batch is folded into the columns: one sparse product, one
gather or one scatter serves all of it.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gnnmc.engine.tracing.batched import RULES, Batched, Rule, of_all, place_of, register
from gnnmc.engine.tracing.beside import Beside
from gnnmc.engine.tracing.dense import products
from gnnmc.engine.tracing.products import sparse_product, valued_product
from gnnmc.sparse import Places, SparseMatrix, Structure, gathered, product

aten = torch.ops.aten
# Rows of so many numbers are multiplied with a sparse matrix model by model, where one model is after another already:
# what is read again and again then stays in cache. (Measured, one CPU core: a third faster at 64 than all in one row.)
WIDE = 32


def _alone(packet: Any, in_place: Any) -> Rule:
    def rule(x: Batched, *rest: Any, **named: Any) -> Batched:
        act = in_place if x.spare and in_place is not None else packet
        return Batched(act(x.tensor, *rest, **named), x.axis, own=True)

    return rule


_ELEMENTWISE = "relu leaky_relu elu gelu silu sigmoid tanh exp log neg sqrt rsqrt square abs softplus reciprocal"
for _name in _ELEMENTWISE.split():
    RULES[getattr(aten, _name)] = _alone(getattr(aten, _name), getattr(aten, f"{_name}_", None))


def _clamped(packet: Any) -> Rule:
    alone = _alone(packet, None)

    def rule(x: Any, *bounds: Any, **named: Any) -> Any:
        each = any(isinstance(bound, Batched | Tensor) for bound in (*bounds, *named.values()))
        return None if each else alone(x, *bounds, **named)

    return rule


for _packet in (aten.clamp, aten.clamp_min, aten.clamp_max):
    RULES[_packet] = _clamped(_packet)


@register(aten.clone, aten.alias)
def _same(x: Batched, **named: Any) -> Batched:
    return Batched(x.tensor, x.axis, own=x.spare)


@register(aten.detach)
def _detached(x: Batched) -> Batched:
    return Batched(x.tensor.detach(), x.axis)


@register(aten.t)
def _turned(x: Batched) -> Batched:
    return Batched(x.at(0).transpose(-1, -2), 0)


@register(aten.view, aten.reshape, aten._unsafe_view)
def _viewed(x: Batched, size: list[int] | torch.dtype) -> Batched | None:
    if isinstance(size, torch.dtype):
        if x.axis == x.tensor.dim() - 1:
            return Batched(x.at(0).contiguous().view(size), 0) if x.shape else None
        return Batched(x.tensor.contiguous().view(size), x.axis)
    axis = 1 if x.axis == 1 and size and size[0] == x.shape[0] else 0
    moved = x.at(axis)
    return Batched(moved.reshape(*size[:axis], moved.shape[axis], *size[axis:]), axis)


@register(aten.mm)
def _product(a: Any, b: Any) -> Batched:
    if not isinstance(a, Batched):
        return _constant_first(a, b)
    if not isinstance(b, Batched):
        axis = min(a.axis, 1)
        return Batched(a.at(axis) @ b, axis)
    return Batched(products(a.at(0), b.at(0)), 0, own=True)


def _constant_first(matrix: Tensor, x: Batched) -> Batched:
    columns = x.at(1)
    return Batched(products(matrix[None], columns.flatten(1)[None])[0].unflatten(1, columns.shape[1:]), 1)


@register(sparse_product)
def _sparse_product(matrix: SparseMatrix | Beside, x: Batched) -> Batched:
    if isinstance(matrix, Beside):
        rows = matrix.folded(x.at(0))
        found = product(matrix.whole, rows.flatten(2)).unflatten(2, rows.shape[2:])
        return Batched(matrix.unfolded(found), 0, own=True)
    if x.tensor.dim() == 3 and x.axis == 0 and x.tensor.shape[2] >= WIDE:
        return Batched(product(matrix, x.tensor), 0, own=True)
    return Batched(sparse_product(matrix, x.at(1)), 1, own=True)


@register(valued_product)
def _valued_product(structure: Structure | Beside, values: Any, x: Any) -> Batched:
    if isinstance(structure, Beside):
        given = [structure.folded(each) for each in of_all(values, x)]
        return Batched(structure.unfolded(valued_product(structure.whole, *given)), 0, own=True)
    size = next(given.tensor.shape[given.axis] for given in (values, x) if isinstance(given, Batched))
    if not isinstance(values, Batched):
        columns = x.at(1)
        found = valued_product(structure, values, columns.flatten(1))
        return Batched(found.unflatten(1, columns.shape[1:]), 1, own=True)
    right = x.at(0) if isinstance(x, Batched) else x.expand(size, *x.shape)
    return Batched(valued_product(structure, values.at(0), right), 0, own=True)


@register(aten.addmm)
def _biased_product(bias: Any, a: Any, b: Any, *, beta: Any = 1, alpha: Any = 1) -> Batched | None:
    if not (isinstance(a, Batched) or isinstance(b, Batched)):
        return None
    product = _product(a, b)
    if alpha != 1:
        product = Batched(product.tensor * alpha, product.axis, own=True)
    in_place = product.own and not torch.is_grad_enabled()
    add = Tensor.add_ if in_place else torch.add
    return _binary(lambda x, y: add(x, y, alpha=beta), product, bias)


def _arithmetic(function: Callable[..., Tensor], named_allowed: tuple[str, ...] = ()) -> Rule:
    def rule(a: Any, b: Any, **named: Any) -> Batched | None:
        if set(named) - set(named_allowed):
            return None
        return _binary(lambda x, y: function(x, y, **named), a, b)

    return rule


RULES[aten.add] = _arithmetic(torch.add, ("alpha",))
RULES[aten.sub] = _arithmetic(torch.sub, ("alpha",))
RULES[aten.mul] = _arithmetic(torch.mul)
RULES[aten.div] = _arithmetic(torch.div)


def _binary(function: Callable[[Any, Any], Tensor], a: Any, b: Any) -> Batched | None:
    """Broadcasting of what each stands for, from the right; the batch stays where the wider one has it."""
    wide = max((x for x in (a, b) if isinstance(x, Batched)), key=lambda x: len(x.shape))
    rank, axis = len(wide.shape), wide.axis

    def placed(x: Any) -> Any:
        if isinstance(x, Batched):
            if x.axis == axis and len(x.shape) == rank:
                return x.tensor
            moved = x.at(0)
            return moved.reshape(len(moved), *[1] * (rank - len(x.shape)), *x.shape).movedim(0, axis)
        if isinstance(x, Tensor) and x.dim():
            return x.reshape(*[1] * (rank - x.dim()), *x.shape).unsqueeze(axis)
        return x

    if any(isinstance(x, Tensor) and x.dim() > rank for x in (a, b)):
        return None
    return Batched(function(placed(a), placed(b)), axis, own=True)


_OF_TWO = "pow ge gt le lt eq ne maximum minimum bitwise_and bitwise_or __rshift__ bitwise_right_shift"
for _name in _OF_TWO.split():
    RULES[getattr(aten, _name)] = _arithmetic(getattr(aten, _name))


@register(aten.copy)
def _written_over(before: Any, source: Any, *rest: Any) -> Batched | None:
    """What stands there before is gone, but for its shape and type."""
    shape = before.shape
    if not isinstance(source, Batched) or source.shape != shape:
        return None
    dtype = before.tensor.dtype if isinstance(before, Batched) else before.dtype
    return Batched(source.tensor.to(dtype), source.axis)


@register(aten._to_copy)
def _cast(x: Batched, **named: Any) -> Batched:
    return Batched(aten._to_copy.default(x.tensor, **named), x.axis)


@register(aten.select)
def _selected_along(x: Batched, dim: int, index: int) -> Batched:
    place = place_of(x, dim)
    return Batched(x.tensor.select(place, index), x.axis - (place < x.axis))


@register(aten.slice)
def _sliced(x: Batched, dim: int = 0, *rest: Any) -> Batched:
    return Batched(aten.slice.Tensor(x.tensor, place_of(x, dim), *rest), x.axis)


@register(aten.unsqueeze)
def _unsqueezed(x: Batched, dim: int) -> Batched:
    new = dim % (len(x.shape) + 1)
    return Batched(x.tensor.unsqueeze(new + (new >= x.axis)), x.axis + (new < x.axis))


def _over_dims(function: Callable[..., Tensor]) -> Rule:
    def rule(x: Batched, dims: Any = None, keepdim: bool = False, **named: Any) -> Batched | None:
        if not dims or named:
            return None
        rank = len(x.shape)
        gone = sorted(d % rank for d in dims)
        axis = x.axis if keepdim else x.axis - sum(d < x.axis for d in gone)
        return Batched(function(x.tensor, [d + (d >= x.axis) for d in gone], keepdim), axis)

    return rule


for _name in ("sum", "mean", "amax"):
    RULES[getattr(aten, _name)] = _over_dims(getattr(torch, _name))


@register(aten.index_select)
def _selected(x: Any, dim: int, index: Any) -> Batched | None:
    if isinstance(index, Batched):
        return _selected_by_each(x, index) if dim == 0 else None
    if x.tensor.requires_grad:  # the gradient of torch's own adds place by place, which is slow
        dim %= len(x.shape)
        # Whole rows are taken of the first axis: the batch stands beside it. Of others it comes before them.
        batch = 0 if dim else 1
        given, place = x.at(batch).contiguous(), dim + (batch == 0)
        return Batched(gathered(Places.of(index, given.shape[place]), given, place), batch, own=True)
    if dim % len(x.shape):
        # torch selects along inner axes number by number; it gathers a row after another.
        place, rank = place_of(x, dim), x.tensor.dim()
        size = [*x.tensor.shape[:place], len(index), *x.tensor.shape[place + 1 :]]
        places = index.long().reshape(-1, *[1] * (rank - 1 - place)).expand(size)
        return Batched(x.tensor.gather(place, places), x.axis, own=True)
    return Batched(x.at(1).contiguous().index_select(0, index), 1)


def _selected_by_each(x: Any, index: Batched) -> Batched:
    """Rows of places that are not the same for all: of the rows of all models, one after another."""
    (values,), places = of_all(x, like=index), index.at(0)
    first = torch.arange(len(places), device=places.device).unsqueeze(1) * values.shape[1]
    found = _selected(Batched(values.flatten(0, 1).unsqueeze(0), 0), 0, (places + first).flatten())
    assert found is not None  # of constant places
    return Batched(found.at(0)[0].unflatten(0, places.shape), 0, own=True)


@register(aten.index)
def _indexed(x: Any, indices: Any) -> Batched | None:
    if len(indices) != 1 or not isinstance(indices[0], Tensor | Batched) or not isinstance(x, Batched):
        return None
    dtype = indices[0].tensor.dtype if isinstance(indices[0], Batched) else indices[0].dtype
    return _selected(x, 0, indices[0]) if len(indices[0].shape) == 1 and dtype == torch.long else None


@register(aten.scatter_add, aten.index_add)
def _added(base: Any, dim: int, index: Any, source: Any, **named: Any) -> Batched | None:
    places = _rows(base, dim, index, source)
    if places is None or named:
        return None
    columns = source.at(1)
    start = _columns(base, columns)
    return Batched(start.index_add(0, places, columns), 1)


@register(aten.scatter_reduce)
def _scattered(
    base: Any, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True
) -> Batched | None:
    places = _rows(base, dim, index, source)
    if places is None:
        return None
    columns = source.at(1).contiguous()
    start = _columns(base, columns)
    wide = places.reshape(-1, *[1] * (columns.dim() - 1)).expand_as(columns)
    return Batched(start.scatter_reduce(0, wide, columns, reduce, include_self=include_self), 1)


def _rows(base: Any, dim: int, index: Any, source: Any) -> Tensor | None:
    """The row that each row of `source` goes to, where whole rows move to constant places."""
    if not isinstance(source, Batched) or not isinstance(index, Tensor) or dim % len(source.shape):
        return None
    if index.dim() == 1:
        return index
    if any(stride and size > 1 for stride, size in zip(index.stride()[1:], index.shape[1:], strict=True)):
        return None
    return index.reshape(len(index), -1)[:, 0] if index.shape == source.shape else None


def _columns(base: Any, columns: Tensor) -> Tensor:
    """What is scattered into, with a batch of its own."""
    given = base.at(1) if isinstance(base, Batched) else base.unsqueeze(1)
    return given.expand(len(given), *columns.shape[1:]).contiguous()
