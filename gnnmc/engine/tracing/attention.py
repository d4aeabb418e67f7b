"""Batching rules of attention: over all pairs, and over the edges of a graph."""

from typing import Any

import torch
from torch import Tensor

from gnnmc.engine.tracing.batched import Batched, of_all, place_of, register
from gnnmc.engine.tracing.beside import Beside
from gnnmc.engine.tracing.products import additive_attention, pairwise_attention
from gnnmc.sparse import Structure, row_max

aten = torch.ops.aten


@register(aten._softmax)
def _softmax(x: Batched, dim: int, half_to_float: bool) -> Batched:
    return Batched(aten._softmax.default(x.tensor, place_of(x, dim), half_to_float), x.axis, own=True)


@register(aten._log_softmax)
def _log_softmax(x: Batched, dim: int, half_to_float: bool) -> Batched:
    return Batched(aten._log_softmax.default(x.tensor, place_of(x, dim), half_to_float), x.axis, own=True)


@register(aten._scaled_dot_product_flash_attention_for_cpu)
def _attended(query: Any, key: Any, value: Any, *how: Any, **named: Any) -> list[Batched] | None:
    """The models are more items of one batch."""
    if isinstance(named.get("attn_mask"), Batched):
        return None
    first = next(given for given in (query, key, value) if isinstance(given, Batched))
    size, items = first.tensor.shape[first.axis], first.shape[0]

    def folded(given: Any) -> Tensor:
        each = (given.at(0) if isinstance(given, Batched) else given.expand(size, *given.shape)).flatten(0, 1)
        # The kernel takes the numbers of a row to lie side by side, as torch sees to where it chooses the kernel.
        return each if each.stride(-1) == 1 else each.contiguous()

    mask = named.get("attn_mask")
    if mask is not None and mask.dim() == 4 and mask.shape[0] > 1:
        named = {**named, "attn_mask": mask.repeat(size, 1, 1, 1)}
    found = aten._scaled_dot_product_flash_attention_for_cpu.default(
        folded(query), folded(key), folded(value), *how, **named
    )
    return [Batched(each.unflatten(0, (size, items)), 0) for each in found]


@register(torch.ops.gnnmc.row_max)
def _row_max(starts: Any, values: Any) -> Batched | None:
    if isinstance(starts, Batched):
        return None
    return Batched(row_max(starts, values.at(0)), 0, own=True)


@register(additive_attention)
def _attended_by_sums(structure: Structure | Beside, of_row: Any, of_column: Any, x: Any, slope: float) -> Batched:
    of_row, of_column, x = of_all(of_row, of_column, x)
    if not isinstance(structure, Beside):
        return Batched(additive_attention(structure, of_row, of_column, x, slope), 0, own=True)
    of_row, of_column, x = (structure.folded(each) for each in (of_row, of_column, x))
    return Batched(structure.unfolded(additive_attention(structure.whole, of_row, of_column, x, slope)), 0, own=True)


@register(pairwise_attention)
def _attended_by_pairs(
    structure: Structure | Beside, of_row: Any, of_column: Any, x: Any, factor: Any, slope: float
) -> Batched:
    of_row, of_column, x, factor = of_all(of_row, of_column, x, factor)
    if not isinstance(structure, Beside):
        return Batched(pairwise_attention(structure, of_row, of_column, x, factor[:, 0], slope), 0, own=True)
    # Factors are a model's own, as its graph is: one problem after another.
    found = []
    for number, part in enumerate(structure.parts):
        row, column, values, own = (structure.of_part(each, number) for each in (of_row, of_column, x, factor))
        found.append(pairwise_attention(part, row, column, values, own[:, 0], slope))
    return Batched(structure.of_all_parts(found), 0, own=True)
