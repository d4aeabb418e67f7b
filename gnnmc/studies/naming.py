"""Names that a reader meets in tables and figures: of graphs, of regimes, of models and paths."""

from collections.abc import Sequence
from typing import Any

from gnnmc.config import Block, CsbmBlock, ModelBlock, PathBlock, RealBlock


def distinct_names(blocks: Sequence[ModelBlock] | Sequence[PathBlock], field: str) -> list[str]:
    """The value of `field` where that is unique among the blocks, else with the settings that tell the blocks apart."""
    heads = [str(getattr(block, field)) for block in blocks]
    varying = _varying(blocks) - {field}
    return [
        head if heads.count(head) == 1 else f"{head} ({_settings(block, varying)})"
        for head, block in zip(heads, blocks, strict=True)
    ]


def graph_rows(blocks: Sequence[CsbmBlock | RealBlock], axis: str) -> list[dict[str, Any]]:
    """One row per graph: `graph` (unique name), `cluster` (base graph), `family`, `regime`, and asked values.

    A cluster is an independently generated or collected base graph: other masks and filtered twins are one (science
    1.8). A regime is what was varied besides `axis`, the generator's value that a study sweeps: it is read within one.
    """
    generated = [block for block in blocks if isinstance(block, CsbmBlock)]
    varying = _varying(generated)
    rows = []
    for block in blocks:
        if isinstance(block, CsbmBlock):
            rows.append(
                {
                    "graph": f"csbm {_settings(block, varying)}".strip(),
                    "cluster": f"csbm {_settings(block, varying - block.masks)}".strip(),
                    "family": "csbm",
                    "regime": _settings(block, varying - {axis, "seed"}) or "csbm",
                    f"{axis}_asked": getattr(block, axis),
                    "replicate": block.seed,
                }
            )
        else:
            differing = {name for name in block.differing() if name != "name"}
            name = f"{block.name} ({_settings(block, differing)})" if differing else block.name
            base = block.name.lower().partition("-")[2] or block.name.lower()
            rows.append({"graph": name, "cluster": base, "family": "real", "regime": "real graphs"})
    return rows


def _varying(blocks: Sequence[Block]) -> set[str]:
    fields = type(blocks[0]).model_fields if blocks else {}
    return {name for name in fields if len({str(getattr(block, name)) for block in blocks}) > 1}


def _settings(block: Block, names: set[str]) -> str:
    # A CSBM's `seed` in a config counts replicates; the generator gets a seed of its own, recorded in the table.
    words = {"seed": "replicate"}
    fields = [name for name in type(block).model_fields if name in names]
    return ", ".join(f"{words.get(name, name)}={getattr(block, name)}" for name in fields)
