"""A graph as the command line names it: `Cora`, `csbm:homophily=0.3,seed=1`, or `FILE.py:FACTORY`."""

from pathlib import Path
from typing import TYPE_CHECKING

from gnnmc.commands.own import is_own, made_by
from gnnmc.config import CsbmBlock, validate, with_overrides

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from gnnmc.problem import Problem


def named_graph(name: str, root: Path | None) -> "Data":
    """Load or generate a graph, or let a file of the user's make it.

    Raises InputError for an unknown name or setting, and for a file that cannot be run.
    """
    if is_own(name):
        made: Data = made_by(name)
        return made
    from gnnmc.data import csbm, load_graph

    family, colon, text = name.partition(":")
    if family.lower() != "csbm":
        return load_graph(name, root=root)
    given = with_overrides({}, _parts(text) if colon else [], f"graph {family}:", "homophily=0.3")
    return csbm(**validate(CsbmBlock, given).model_dump())


def named_problem(name: str, root: Path | None) -> "Problem":
    """The node classification on a named graph; a factory of the user's may give a Problem of any kind instead."""
    from gnnmc.problem import Problem

    found = named_graph(name, root)
    return found if isinstance(found, Problem) else Problem.node_classification(found, name=name)


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
