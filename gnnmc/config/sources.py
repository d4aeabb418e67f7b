"""What a config may list as data: one block per kind of source."""

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from gnnmc.config.block import Block
from gnnmc.config.load import validate
from gnnmc.errors import InputError

# Of one entry's lists: more is a slip, and would be planned for hours.
MOST = 10**5


class SourceBlock(Block):
    """One problem's data. Names of choices are texts here: what is registered is known (and checked) by the studies.

    key: what a config calls this kind. sequences: fields whose value is a list (1) or a list of lists (2); what is
    nested more deeply than that is an axis.
    masks: fields that choose which items train; data that differ in these alone are one (science 1.8).
    drawn: fields that name what is drawn at random; data that differ in these alone are of one shape.
    held: fields that say how the data are kept in memory and nothing of what they are: no name mentions them.
    """

    key: ClassVar[str]
    sequences: ClassVar[Mapping[str, int]] = {}
    masks: ClassVar[frozenset[str]] = frozenset()
    drawn: ClassVar[frozenset[str]] = frozenset()
    held: ClassVar[frozenset[str]] = frozenset({"layout", "chunk"})


class CsbmBlock(SourceBlock):
    """A contextual stochastic block model (science 1.2).

    `seed` counts replicates: the generator's own seed is derived from it and from the block's other values, so that the
    graphs of a sweep are independent of each other; masks alone (`train_per_class`) leave the graph the same. Graphs of
    one `rotation_seed` have their class means in the same places, and so one feature space.
    """

    key: ClassVar[str] = "csbm"
    sequences: ClassVar[Mapping[str, int]] = {"class_proportions": 1, "compatibility": 2, "noise_by_class": 1}
    masks: ClassVar[frozenset[str]] = frozenset({"train_per_class", "train_fraction"})
    drawn: ClassVar[frozenset[str]] = frozenset({"seed"})

    num_nodes: int = Field(2000, ge=1)
    num_classes: int = Field(5, ge=1)
    homophily: float = Field(0.3, ge=0, le=1)
    mean_degree: float = Field(10.0, ge=0)
    num_features: int = Field(64, ge=1)
    separation: float = Field(1.0, ge=0)
    class_proportions: tuple[float, ...] | None = None
    degree_exponent: float | None = None
    compatibility: tuple[tuple[float, ...], ...] | None = None
    noise_by_class: tuple[float, ...] | None = None
    train_per_class: int | None = Field(20, ge=1)
    train_fraction: float | None = Field(None, gt=0, lt=1)
    seed: int = 0
    rotation_seed: int | None = Field(None, ge=0)
    feature_shift: float = Field(0.0, ge=0)


class RealBlock(SourceBlock):
    """A real graph by name, with a split of its own unless another is asked for.

    val, test: parts of a random split: numbers of nodes, or below 1 shares of them.
    """

    key: ClassVar[str] = "real"
    masks: ClassVar[frozenset[str]] = frozenset(
        {"split", "fold", "train_per_class", "train_fraction", "split_seed", "val", "test"}
    )
    drawn: ClassVar[frozenset[str]] = frozenset({"fold", "split_seed"})

    name: str
    features: str = "default"
    layout: str = "auto"
    split: str | None = None
    fold: int | None = Field(None, ge=0)
    train_per_class: int | None = Field(None, ge=1)
    train_fraction: float | None = Field(None, gt=0, lt=1)
    split_seed: int = 0
    val: float | None = Field(None, gt=0)
    test: float | None = Field(None, gt=0)


class RewiredBlock(RealBlock):
    """A real graph whose edges were exchanged at fixed degrees (science 1.7).

    homophily: the target; "own" is the graph's own, so that only clustering and the like are destroyed; "original" is
    the graph as it came, for comparison. nearest: where the target is not reached, take the nearest that is.
    """

    key: ClassVar[str] = "rewired"
    drawn: ClassVar[frozenset[str]] = frozenset({"fold", "split_seed", "seed"})

    homophily: float | Literal["own", "original"] = "own"
    method: str = "resample"
    seed: int = 0
    nearest: bool = False

    @field_validator("homophily")
    @classmethod
    def _share(cls, value: float | str) -> float | str:
        if not isinstance(value, str) and not 0 <= value <= 1:
            raise ValueError("allowed: a number from 0 to 1, own, original")
        return value


class CollectionBlock(SourceBlock):
    """A collection of graphs by name: every graph is an item. chunk: graphs evaluated at once."""

    key: ClassVar[str] = "collection"
    masks: ClassVar[frozenset[str]] = frozenset({"split_seed"})
    drawn: ClassVar[frozenset[str]] = frozenset({"split_seed"})

    name: str
    features: str = "default"
    attributes: bool = False
    split_seed: int = 0
    chunk: int | None = Field(None, ge=1)


class ImagesBlock(SourceBlock):
    """Images by name. limit: at most so many of them; chunk: images evaluated at once."""

    key: ClassVar[str] = "images"
    masks: ClassVar[frozenset[str]] = frozenset({"train_per_class", "split_seed"})
    drawn: ClassVar[frozenset[str]] = frozenset({"split_seed"})

    name: str
    train_per_class: int | None = Field(None, ge=1)
    split_seed: int = 0
    limit: int | None = Field(None, ge=1)
    chunk: int | None = Field(2000, ge=1)


class TextBlock(SourceBlock):
    """Text by name, as windows. context: tokens in one; limit: at most so many; chunk: windows evaluated at once."""

    key: ClassVar[str] = "text"

    name: str
    context: int = Field(64, ge=2)
    limit: int | None = Field(None, ge=1)
    chunk: int | None = Field(500, ge=1)


SOURCE_BLOCKS: dict[str, type[SourceBlock]] = {
    block.key: block for block in (CsbmBlock, RealBlock, RewiredBlock, CollectionBlock, ImagesBlock, TextBlock)
}


class SourceEntry(Block):
    """`csbm: {…}`, `real: {…}`, … ; a list as a value is an axis of a grid."""

    csbm: dict[str, Any] | None = None
    real: dict[str, Any] | None = None
    rewired: dict[str, Any] | None = None
    collection: dict[str, Any] | None = None
    images: dict[str, Any] | None = None
    text: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "SourceEntry":
        if len(self._given()) != 1:
            raise ValueError(f"give exactly one of {', '.join(SOURCE_BLOCKS)}")
        list(self.expand())
        return self

    def _given(self) -> list[str]:
        return [key for key in SOURCE_BLOCKS if getattr(self, key) is not None]

    def expand(self) -> Iterator[SourceBlock]:
        """One block for each combination of the listed values."""
        key = self._given()[0]
        block = SOURCE_BLOCKS[key]
        axes = {name: _axis(value, block.sequences.get(name, 0)) for name, value in getattr(self, key).items()}
        for name, axis in axes.items():
            if not axis:
                raise InputError(f"config {key}.{name}: an empty list: give at least one value")
        if (count := math.prod(map(len, axes.values()))) > MOST:
            raise InputError(f"config {key}: lists that make {count} combinations: at most {MOST} are allowed")
        for combination in itertools.product(*axes.values()):
            yield validate(block, dict(zip(axes, combination, strict=True)), under=key)


class GraphEntry(SourceEntry):
    """A source that is a single graph."""

    @model_validator(mode="after")
    def _one_graph(self) -> "GraphEntry":
        if any(given is not None for given in (self.collection, self.images, self.text)):
            raise ValueError("this study takes single graphs: give exactly one of csbm, real, rewired")
        return self


def _axis(value: Any, depth: int) -> list[Any]:
    return value if _nesting(value) > depth else [value]


def _nesting(value: Any) -> int:
    return 1 + max((_nesting(item) for item in value), default=0) if isinstance(value, list) else 0
