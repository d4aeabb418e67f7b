"""A graph as the command line names it: `Cora`, or `csbm:homophily=0.3,seed=1`."""

from pathlib import Path
from typing import TYPE_CHECKING

from gnnmc.config import CsbmBlock, validate, with_overrides

if TYPE_CHECKING:
    from torch_geometric.data import Data


def named_graph(name: str, root: Path | None) -> "Data":
    """Load or generate a graph. Raises InputError for an unknown name or setting."""
    from gnnmc.data import csbm, load_graph

    family, colon, text = name.partition(":")
    if family.lower() != "csbm":
        return load_graph(name, root=root)
    given = with_overrides({}, _parts(text) if colon else [], f"graph {family}:", "homophily=0.3")
    return csbm(**validate(CsbmBlock, given).model_dump())


def _parts(text: str) -> list[str]:
    """The text split at commas, but not at those within brackets, which are those of a list."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "[{") - (letter in "]}")
        if letter == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts
