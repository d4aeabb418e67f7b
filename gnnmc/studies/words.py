"""Settings of blocks in words, for names that a reader meets."""

from collections.abc import Sequence

from gnnmc.config import Block
from gnnmc.errors import InputError

# A `seed` in a config counts replicates; generators get seeds of their own, recorded in the tables.
WORDS = {"seed": "replicate"}


def settings(block: Block, names: set[str]) -> str:
    """`name=value` of the named fields, in the order of the block."""
    fields = [name for name in type(block).model_fields if name in names]
    values = ((name, getattr(block, name)) for name in fields)
    return ", ".join(f"{WORDS.get(name, name)}={'default' if value is None else value}" for name, value in values)


def distinct_names(blocks: Sequence[Block], field: str, key: str) -> list[str]:
    """The value of `field` where that is unique among the blocks, else with the settings that tell the blocks apart.

    Raises InputError where nothing tells two blocks apart: what is listed twice would be counted twice. `key`: where
    the blocks stand in a config.
    """
    heads = [str(getattr(block, field)) for block in blocks]
    fields = type(blocks[0]).model_fields if blocks else {}
    varying = {name for name in fields if len({str(getattr(block, name)) for block in blocks}) > 1} - {field}
    names = [
        head if heads.count(head) == 1 else f"{head} ({settings(block, varying)})"
        for head, block in zip(heads, blocks, strict=True)
    ]
    for name, head in zip(names, heads, strict=True):
        if names.count(name) > 1:
            raise InputError(f"config {key}: {head!r} is listed twice with the same settings: list it once")
    return names
