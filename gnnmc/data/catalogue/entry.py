"""What is known of a real graph, or of a set of graphs, before it is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gnnmc.errors import InputError
from gnnmc.registry import Registry, unknown_name

# What is classified: the nodes of one graph (`load_graph`), or whole graphs (`load_graphs`).
LEVELS = ("node", "graph")

# The one "split" of sets that come without: the rule of science 1.2 makes it.
RANDOM = "random"


@dataclass(frozen=True)
class RawFiles:
    """Where the class keeps its raw files, below the folder of the family, and the arguments that make it read them."""

    folder: str
    files: tuple[str, ...]
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class GraphSet:
    """One real graph, or one set of graphs.

    `dataset` is the class as `module:name`, called with `root` and the arguments. `splits` names the splits the set
    comes with, the default first ("random": none). `features` is the default treatment (science 0). `lines` tells that
    the class drops what follows the last line end of its text files. `task` is that of a graph-level set.
    `metric`, a name in `gnnmc.problem.METRICS`, is what the set's authors report. `base` names what the graph was
    collected as, where that is not its own name: part of another set is no independent graph (science 1.8).
    """

    family: str
    dataset: str
    splits: Mapping[str, RawFiles]
    features: str
    url: str
    license: str
    alias: str | None = None
    level: str = "node"
    task: str = "classification"
    metric: str = "accuracy"
    lines: bool = False
    base: str | None = None

    def raw(self, split: str | None) -> tuple[str, RawFiles]:
        """The name and the raw files of a split, or of the default one; raises InputError for an unknown one."""
        if split is None:
            split = next(iter(self.splits))
        if split not in self.splits:
            raise unknown_name("split", split, self.splits)
        return split, self.splits[split]


GRAPHS: Registry[GraphSet] = Registry("graph")


def find_graph(name: str, level: str | None = None) -> tuple[str, GraphSet]:
    """The full name and the record of a graph, by name or alias, in any case and with "_" for "-".

    Raises InputError: an unknown name (with the nearest matches), or a set of another level than the one asked for.
    """
    if not isinstance(name, str):
        raise InputError(f"a graph is named by a string, got {name!r}")
    aliases = {entry.alias: full for full in GRAPHS if (entry := GRAPHS[full]).alias}
    by_key = {_key(known): full for known, full in [*aliases.items(), *((full, full) for full in GRAPHS)]}
    if _key(name) not in by_key:
        raise unknown_name("graph", name, [*GRAPHS, *aliases])
    full = by_key[_key(name)]
    entry = GRAPHS[full]
    if level is not None and entry.level != level:
        is_a, call = ("one graph", "load_graph") if entry.level == "node" else ("a set of graphs", "load_graphs")
        raise InputError(f"{full!r} is {is_a}: call {call}({full!r})")
    return full, entry


def _key(name: str) -> str:
    return name.lower().replace("_", "-")
