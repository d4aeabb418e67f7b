"""The building blocks that studies compose.

A changed default changes results: raise the version of the stages that use it (tests/config/defaults.json is the
committed snapshot).
"""

from typing import Any

from pydantic import Field, field_validator, model_validator

from gnnmc.config.block import Block
from gnnmc.config.sizes import in_bytes


class ModelBlock(Block):
    """A model by name; a bare name in a config means its defaults.

    recipe: settings of a published one ("Cora", science 1.5), overridden by what is given beside it. parameters: choose
    the width so that the model has about so many. What is not given is the default of `build_model`.
    """

    name: str
    recipe: str | None = None
    parameters: int | None = Field(None, ge=1)
    hidden: int | None = Field(None, ge=1)
    layers: int | None = Field(None, ge=1)
    dropout: float | None = Field(None, ge=0, lt=1)
    norm: str | None = None
    heads: int | None = Field(None, ge=1)
    head: str | None = None
    residual: bool | None = None
    input_linear: bool | None = None
    jumping_knowledge: str | None = None
    edges: str | None = None
    bias: bool | None = None
    readout: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


class TrainBlock(Block):
    """How modes are trained; the defaults are the older profile of science 1.5. The words are those of `train`."""

    epochs: int = Field(200, ge=1)
    lr: float = Field(0.01, gt=0)
    weight_decay: float = Field(5e-4, ge=0)
    optimizer: str = "adam"
    momentum: float | None = Field(None, ge=0, lt=1)
    batch_size: int | None = Field(None, ge=1)
    schedule: str = "constant"
    warmup: float = Field(0.0, ge=0, lt=1)
    vary: str = "all"
    spawn_step: int | None = Field(None, ge=0)
    evaluate_every: int = Field(1, ge=1)


class PathBlock(Block):
    """How two modes are connected; a bare name in a config is a kind of path with its defaults.

    pairs: how many pairs of a cell get this path (all by default).

    All but kind and pairs say how a curve is fitted; the words are those of `fit_path`.
    """

    kind: str = "linear"
    points: int = Field(3, ge=2)
    steps: int = Field(400, ge=1)
    lr: float = Field(0.01, gt=0)
    l2: float | None = Field(None, ge=0)
    optimizer: str = "adam"
    momentum: float | None = Field(None, ge=0, lt=1)
    batch_size: int | None = Field(None, ge=1)
    schedule: str = "garipov"
    dropout: bool = True
    seed: int = 0
    pairs: int | None = Field(None, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _bare_kind(cls, value: Any) -> Any:
        return {"kind": value} if isinstance(value, str) else value


class AlignmentBlock(Block):
    """How one mode is moved onto another before they are connected; a bare name in a config is a method.

    method: "none" leaves the modes as trained. classes: of symmetries that may be used, the method's own choice by
    default. restarts: starts from other orders, of which the best is kept. repair: show the line with REPAIR too.
    name: what figures call it. options: of the method; the words are those of `align`.
    """

    method: str
    classes: tuple[str, ...] | None = None
    restarts: int = Field(1, ge=1)
    seed: int = 0
    repair: bool = False
    name: str | None = Field(None, min_length=1)
    options: dict[str, bool | int | float | str | tuple[float, ...] | None] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _bare_method(cls, value: Any) -> Any:
        return {"method": value} if isinstance(value, str) else value

    @property
    def called(self) -> str:
        """Its name, or one made of the method and the classes."""
        return self.name or (f"{self.method} ({' + '.join(self.classes)})" if self.classes else self.method)


class ObjectiveBlock(Block):
    """What a training minimizes where it sees a second domain; a bare name in a config means its own numbers.

    name: "vanilla" is the problem's own loss, which sees the source alone. numbers: of the objective; in a config they
    may stand beside the name. label: what tables call it, the name and the numbers given by default.
    """

    name: str
    numbers: dict[str, int | float] = Field(default_factory=dict)
    label: str | None = Field(None, min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"name": value}
        if not isinstance(value, dict):
            return value
        beside = {key: number for key, number in value.items() if key not in cls.model_fields}
        kept = {key: given for key, given in value.items() if key in cls.model_fields}
        numbers = kept.get("numbers", {})
        if not isinstance(numbers, dict):
            return value
        for key, number in (numbers | beside).items():
            if isinstance(number, bool) or not isinstance(number, int | float):
                raise ValueError(f"{key}: expected a number, got {number!r}")
        return kept | ({"numbers": numbers | beside} if numbers | beside else {})

    @property
    def called(self) -> str:
        """Its label, or one made of the name and the numbers that were given."""
        told = ", ".join(f"{name} {value:g}" for name, value in self.numbers.items())
        return self.label or (f"{self.name} ({told})" if told else self.name)


class ProfileBlock(Block):
    """Where a path is evaluated. refine: add points where the loss is highest, so many at most (`profile`)."""

    points: int = Field(25, ge=3)
    refine: bool | int = False
    batchnorm: str = "reestimate"


class PlaneBlock(Block):
    """Planes through two modes and their fitted curve: on so many graphs, evenly spread over those of the config.

    points: of the grid, in each direction. The first model, the first pair and the first fitted path are shown.
    """

    graphs: int = Field(2, ge=1)
    points: int = Field(21, ge=2)


class RunBlock(Block):
    """How a run is executed: no part of any key.

    runner: who does the tasks: "local" processes, or "serial", the calling one. engine: how networks are evaluated and
    trained: "stacked", many at once where the model allows, or "loop", one after another. memory: bytes that work on
    many at once may take beside model and data, also as 500MiB or 2GiB.
    deterministic: by torch's deterministic kernels alone, so that an accelerator, too, gives the same bits again.
    """

    workers: int | None = Field(None, ge=1)
    runner: str = "local"
    device: str = "cpu"
    engine: str = "stacked"
    memory: int = Field(2 * 2**30, ge=1)
    deterministic: bool = False

    @field_validator("engine")
    @classmethod
    def _no_runner(cls, engine: str) -> str:
        if engine in ("local", "serial"):
            raise ValueError(f"that is a runner: write runner: {engine} (engine says how networks are evaluated)")
        return engine

    @field_validator("memory", mode="before")
    @classmethod
    def _size(cls, memory: Any) -> Any:
        return in_bytes(memory)
