"""What a study has to know of a kind of data, and nothing else does."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from gnnmc.config import SourceBlock
from gnnmc.problem import Problem
from gnnmc.registry import Registry
from gnnmc.store import Result
from gnnmc.studies.words import settings

SomeSource = TypeVar("SomeSource", bound=SourceBlock)


class Source(ABC, Generic[SomeSource]):
    """One kind of data: from a config's block to a stored result, and from that to a Problem.

    key: what a config calls it. one_graph: whether there is a single graph, of which statistics are taken. apart: what
    items are (images, text) where they are neither joined nor graphs themselves. given: what a model finds in it, of
    "edges", "images" and "text".
    """

    key: ClassVar[str]
    one_graph: ClassVar[bool] = True
    apart: ClassVar[str | None] = None
    given: ClassVar[frozenset[str]] = frozenset({"edges"})

    def canonical(self, block: SomeSource) -> SomeSource:
        """The block with full names: an alias is no other data. Raises InputError for an unknown name."""
        return block

    def files(self, block: SomeSource) -> Mapping[str, str]:
        """Raw files → sha256, looked up (and fetched if need be) when a run is planned; they are part of the key."""
        return {}

    def check(self, block: SomeSource) -> None:
        """Raise InputError for what cannot be made, before anything is."""

    @abstractmethod
    def make(self, block: SomeSource) -> Result:
        """`data` (tensors) and `about` (what a table says of it, JSON)."""

    @abstractmethod
    def problem(self, result: Result) -> Problem:
        """The problem on what `make` gave."""

    @abstractmethod
    def base(self, block: SomeSource, varying: set[str]) -> str:
        """The independently generated or collected data that the block's are a version of (a cluster, science 1.8)."""

    @abstractmethod
    def regime(self, block: SomeSource, varying: set[str], axis: str) -> str:
        """What was varied besides `axis`: barriers are read against the axis within one regime."""

    def title(self, block: SomeSource, varying: set[str]) -> str:
        """A name that no other block of the run has, given which fields vary among those of its kind."""
        return f"{self.key} {settings(block, varying)}".strip()

    def labels(self, block: SomeSource, axis: str) -> dict[str, Any]:
        """Further columns of the row: the value of the axis that was asked for, the replicate."""
        return {}


SOURCES: Registry[Source[Any]] = Registry("source of data")


def source_of(block: SourceBlock) -> Source[Any]:
    """The source of a block's kind."""
    return SOURCES[block.key]


def data_rows(blocks: Sequence[SourceBlock], axis: str) -> list[dict[str, Any]]:
    """One row per block: `graph` (unique name), `base_graph` (the same without its masks: blocks that differ in what
    is trained on alone share it), `cluster`, `family` (its kind), `regime` and what the source adds.
    """
    varying = {key: _varying([block for block in blocks if block.key == key]) for key in {b.key for b in blocks}}
    rows = []
    for block in blocks:
        source, fields = source_of(block), varying[block.key] - block.held
        rows.append(
            {
                "graph": source.title(block, fields),
                "base_graph": source.title(_unmasked(block), fields - block.masks),
                "cluster": source.base(block, fields),
                "family": block.key,
                "regime": source.regime(block, fields, axis),
                **source.labels(block, axis),
            }
        )
    return rows


def _unmasked(block: SourceBlock) -> SourceBlock:
    fields = type(block).model_fields
    return block.model_copy(update={name: fields[name].default for name in block.masks})


def _varying(blocks: Sequence[SourceBlock]) -> set[str]:
    fields = type(blocks[0]).model_fields if blocks else {}
    return {name for name in fields if len({str(getattr(block, name)) for block in blocks}) > 1}
