"""A graph as the command line names it: `Cora`, or `csbm:homophily=0.3,seed=1`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnnmc.config import CsbmBlock, validate, with_overrides

if TYPE_CHECKING:
    from torch_geometric.data import Data


def named_graph(name: str, root: Path | None) -> "Data":
    """Load or generate a graph. Raises InputError for an unknown name or setting."""
    from gnnmc.data import csbm, load_graph

    family, colon, text = name.partition(":")
    if family.lower() != "csbm":
        return load_graph(name, root=root)
    return csbm(**validate(CsbmBlock, settings(text.split(",") if colon else [])).model_dump())


def settings(pairs: list[str]) -> dict[str, Any]:
    """`key=value` pairs as a dict, values read as YAML. Raises InputError for a pair without `=`."""
    return with_overrides({}, pairs)
