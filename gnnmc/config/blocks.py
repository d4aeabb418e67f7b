"""The building blocks that studies compose.

A changed default changes results: raise the version of the stages that use it (tests/config/defaults.json is the
committed snapshot).
"""

import itertools
from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from gnnmc.config.block import Block
from gnnmc.config.load import validate
from gnnmc.errors import InputError


class CsbmBlock(Block):
    """A contextual stochastic block model (science 1.2).

    `seed` counts replicates: the generator's own seed is derived from it and from the block's other values, so that the
    graphs of a sweep are independent of each other; masks alone (`train_per_class`) leave the graph the same.
    """

    sequences: ClassVar[frozenset[str]] = frozenset({"class_proportions"})
    masks: ClassVar[frozenset[str]] = frozenset({"train_per_class", "train_fraction"})

    num_nodes: int = Field(2000, ge=1)
    num_classes: int = Field(5, ge=1)
    homophily: float = Field(0.3, ge=0, le=1)
    mean_degree: float = Field(10.0, ge=0)
    num_features: int = Field(64, ge=1)
    separation: float = Field(1.0, ge=0)
    class_proportions: tuple[float, ...] | None = None
    degree_exponent: float | None = None
    train_per_class: int | None = Field(20, ge=1)
    train_fraction: float | None = Field(None, gt=0, lt=1)
    seed: int = 0


class RealBlock(Block):
    """A real graph by name, with a split of its own unless another is asked for."""

    sequences: ClassVar[frozenset[str]] = frozenset()
    masks: ClassVar[frozenset[str]] = frozenset({"split", "fold", "train_per_class", "train_fraction", "split_seed"})

    name: str
    features: Literal["default", "row", "raw", "standard"] = "default"
    split: str | None = None
    fold: int | None = Field(None, ge=0)
    train_per_class: int | None = Field(None, ge=1)
    train_fraction: float | None = Field(None, gt=0, lt=1)
    split_seed: int = 0


class GraphEntry(Block):
    """`csbm: {…}` or `real: {…}`; a list as a value is an axis of a grid."""

    csbm: dict[str, Any] | None = None
    real: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "GraphEntry":
        if (self.csbm is None) == (self.real is None):
            raise ValueError("give exactly one of csbm, real")
        list(self.expand())
        return self

    def expand(self) -> Iterator[CsbmBlock | RealBlock]:
        """One block for each combination of the listed values."""
        block: type[CsbmBlock | RealBlock] = CsbmBlock if self.csbm is not None else RealBlock
        key = "csbm" if self.csbm is not None else "real"
        values = getattr(self, key) or {}
        axes = {name: _axis(value, name in block.sequences) for name, value in values.items()}
        for name, axis in axes.items():
            if not axis:
                raise InputError(f"config {key}.{name}: an empty list: give at least one value")
        for combination in itertools.product(*axes.values()):
            yield validate(block, dict(zip(axes, combination, strict=True)), under=key)


def _axis(value: Any, is_sequence: bool) -> list[Any]:
    listed = isinstance(value, list) and (not is_sequence or any(isinstance(item, list) for item in value))
    return value if listed else [value]


class ModelBlock(Block):
    """A model by name; a bare name in a config means its defaults."""

    name: str
    hidden: int = Field(64, ge=1)
    layers: int = Field(2, ge=1)
    dropout: float = Field(0.5, ge=0, lt=1)
    norm: str = "none"
    heads: int = Field(8, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


class TrainBlock(Block):
    """How modes are trained; the defaults are the older profile of science 1.5."""

    epochs: int = Field(200, ge=1)
    lr: float = Field(0.01, gt=0)
    weight_decay: float = Field(5e-4, ge=0)
    optimizer: str = "adam"


class PathBlock(Block):
    """How two modes are connected. `pairs`: how many pairs of a cell get this path (all by default)."""

    kind: str = "linear"
    points: int = Field(3, ge=2)
    steps: int = Field(400, ge=1)
    lr: float = Field(0.01, gt=0)
    l2: float | None = Field(None, ge=0)
    dropout: bool = True
    seed: int = 0
    pairs: int | None = Field(None, ge=1)


class ProfileBlock(Block):
    """Where a path is evaluated."""

    points: int = Field(25, ge=3)
    batchnorm: Literal["reestimate", "stored"] = "reestimate"


class RunBlock(Block):
    """How a run is executed: no part of any key."""

    workers: int | None = Field(None, ge=1)
    engine: str = "local"
    device: str = "cpu"
