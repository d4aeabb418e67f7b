"""Real graphs by name, as they are or rewired."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar, TypeVar, cast

from torch_geometric.data import Data

from gnnmc.config import RealBlock, RewiredBlock
from gnnmc.data import load_graph, raw_files, rewire
from gnnmc.data.catalogue import find_graph
from gnnmc.data.features import FEATURES
from gnnmc.data.layout import LAYOUTS
from gnnmc.data.rewire import REWIRINGS, check_rewire
from gnnmc.problem import Problem
from gnnmc.store import Result
from gnnmc.studies.sources.packing import node_problem, packed
from gnnmc.studies.sources.source import SOURCES, Source
from gnnmc.studies.words import settings
from gnnmc.weights import digest

SomeReal = TypeVar("SomeReal", bound=RealBlock)


class _NamedSource(Source[SomeReal]):
    """A graph by name. Its base is what it was collected as: filtered and rewired twins are of one cluster."""

    def canonical(self, block: SomeReal) -> SomeReal:
        name, entry = find_graph(block.name, level="node")
        features = entry.features if block.features == "default" else block.features
        return block.model_copy(update={"name": name, "features": features})

    def check(self, block: SomeReal) -> None:
        full, usual = _real(self.canonical(block)), self.canonical(cast(SomeReal, RealBlock(name=block.name)))
        FEATURES[full.features]
        LAYOUTS[full.layout]
        # Whether a set has what is asked for besides its defaults only the set can tell; in any layout but one.
        alike = full.layout if full.features == "standard" else usual.layout
        if full.model_copy(update={"layout": alike}) != usual:
            _tried(full, _digests(full))

    def files(self, block: SomeReal) -> Mapping[str, str]:
        return raw_files(block.name, split=block.split)

    def problem(self, result: Result) -> Problem:
        return node_problem(result)

    def base(self, block: SomeReal, varying: set[str]) -> str:
        name, entry = find_graph(block.name, level="node")
        return entry.base or name.partition("-")[2] or name


class RealSource(_NamedSource[RealBlock]):
    """The graph as it is."""

    key: ClassVar[str] = RealBlock.key

    def make(self, block: RealBlock) -> Result:
        data = _load(block)
        return {"data": packed(data), "about": _about(data)}

    def regime(self, block: RealBlock, varying: set[str], axis: str) -> str:
        return "real graphs"

    def title(self, block: RealBlock, varying: set[str]) -> str:
        usual, whole = self.canonical(RealBlock(name=block.name)), self.canonical(block)
        own = {name for name in type(block).model_fields if getattr(whole, name) != getattr(usual, name)} - block.held
        return f"{block.name} ({settings(block, own)})" if own else block.name


class RewiredSource(_NamedSource[RewiredBlock]):
    """The graph with its edges exchanged at fixed degrees. All versions of one graph are one regime and one cluster."""

    key: ClassVar[str] = RewiredBlock.key

    def check(self, block: RewiredBlock) -> None:
        super().check(block)
        REWIRINGS[block.method]
        if block.homophily != "original":
            graph = _tried(_real(self.canonical(block)), _digests(block))
            check_rewire(graph, _target(block), nearest=block.nearest)

    def make(self, block: RewiredBlock) -> Result:
        data = _load(block)
        if block.homophily == "original":
            return {"data": packed(data), "about": _about(data)}
        changed = rewire(data, _target(block), method=block.method, seed=block.seed, nearest=block.nearest)
        return {"data": packed(changed), "about": _about(data) | {"made": changed.rewired}}

    def regime(self, block: RewiredBlock, varying: set[str], axis: str) -> str:
        return f"{block.name}, rewired ({block.method})"

    def title(self, block: RewiredBlock, varying: set[str]) -> str:
        if block.homophily == "original":
            return f"{block.name} as it came"
        own = settings(block, varying - {"name", "homophily"})
        return f"{block.name} rewired to homophily {block.homophily}" + (f" ({own})" if own else "")

    def labels(self, block: RewiredBlock, axis: str) -> dict[str, Any]:
        asked = {} if isinstance(block.homophily, str) else {f"{axis}_asked": block.homophily}
        return {"version": str(block.homophily), "replicate": block.seed, **asked}


def _target(block: RewiredBlock) -> float | None:
    return None if isinstance(block.homophily, str) else block.homophily


def _real(block: RealBlock) -> RealBlock:
    """The graph that the block is a version of."""
    return RealBlock(**{name: getattr(block, name) for name in RealBlock.model_fields})


def _digests(block: RealBlock) -> tuple[tuple[str, str], ...]:
    return tuple(raw_files(block.name, split=block.split).items())


# The versions of one graph are checked one after the other; `digests` tell when a name has come to mean other files.
@lru_cache(maxsize=4)
def _tried(block: RealBlock, digests: tuple[tuple[str, str], ...]) -> Data:
    """The graph, without features, which is most of it. Raises InputError when it cannot be had as asked for."""
    data = _load(block)
    del data.x
    return data


def _load(block: RealBlock) -> Data:
    return load_graph(**{name: getattr(block, name) for name in RealBlock.model_fields})


def _about(data: Data) -> dict[str, Any]:
    made = {name: value for name, value in data.source.items() if name in ("split", "fold", "sha256")}
    return {
        "name": data.name,
        "made": made | {"features": data.features, "labels_sha256": digest({"y": data.y})},
        "source": data.source,
        "metrics": getattr(data, "metrics", None),
    }


SOURCES.add(RealSource.key, RealSource())
SOURCES.add(RewiredSource.key, RewiredSource())
