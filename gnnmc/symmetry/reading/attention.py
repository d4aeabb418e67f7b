"""Attention: queries and keys are multiplied over the channels of a head, values are mixed over what is attended to."""

from collections.abc import Sequence

import torch

from gnnmc.engine.tracing import Operation
from gnnmc.symmetry.reading.elementwise import is_alike
from gnnmc.symmetry.reading.reading import Letter, Operand, Reading
from gnnmc.symmetry.reading.relations import CONTRACTED, LINEAR, OTHER, Flag, Relation
from gnnmc.symmetry.reading.rules import given, reads

aten = torch.ops.aten
_HEADS = Relation(OTHER.scale, OTHER.sign, Flag.UNIT)


@reads(
    aten._scaled_dot_product_flash_attention_for_cpu,
    aten._scaled_dot_product_flash_attention,
    aten._scaled_dot_product_efficient_attention,
    aten._scaled_dot_product_cudnn_attention,
    aten._scaled_dot_product_attention_math,
    aten.scaled_dot_product_attention,
)
def _scaled(reading: Reading, operation: Operation) -> bool | None:
    named = given(operation)
    query, key, value = (reading.operand(named[role]) for role in ("query", "key", "value"))
    dims = len(query.axes)
    if dims < 3 or any(one.axes[n].size != query.axes[n].size for one in (key, value) for n in range(dims - 2)):
        return False
    around: list[Letter] = list(range(dims - 2))
    parts: list[tuple[Operand, Sequence[Letter]]] = [
        (query, [*around, "to", "channel"]),
        (key, [*around, "from", "channel"]),
        (value, [*around, "from", "value"]),
    ]
    mask = named.get("attn_mask", named.get("attn_bias"))
    if mask is not None:
        operand = reading.operand(mask)
        letters = [*around, "to", "from"][dims - len(operand.axes) :]
        parts.append(
            (operand, [None if is_alike(tree) else one for tree, one in zip(operand.axes, letters, strict=True)])
        )
    made: list[Sequence[Letter]] = [[*around, "to", "value"]]
    for result in operation.results[1:]:
        made.append([] if result is None else [*around, "to"][: len(reading.shapes[result])])
    reading.note_sum((query, dims - 1), (key, dims - 1))
    if named.get("is_causal"):
        for operand in (query, key):
            reading.hold(operand.axes[dims - 2], reading.ordered())

    def relation(letter: Letter) -> Relation:
        return CONTRACTED if letter == "channel" else LINEAR if letter == "value" else _HEADS

    reading.relate(operation, parts, made, relation)
    return None


@reads(torch.ops.gnnmc.additive_attention)
def _additive(reading: Reading, operation: Operation) -> None:
    """Scores of the two ends of an edge are added, LeakyReLU, softmax over the edges into a node; values are mixed.

    Shapes: of_row (N, H), of_column (M, H), x (M, H, C).
    """
    named = given(operation)
    of_row, of_column, x = (reading.operand(named[role]) for role in ("of_row", "of_column", "x"))
    for operand in (of_row, of_column, x):
        reading.hold(operand.axes[0], reading.ordered())
    reading.relate(
        operation,
        [(of_row, ["row", "head"]), (of_column, ["column", "head"]), (x, ["column", "head", "value"])],
        [["row", "head", "value"]],
        lambda letter: LINEAR if letter == "value" else _HEADS,
    )
