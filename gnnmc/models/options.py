"""What a model is asked to be, and what it is asked for: the same words for every family."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from torch import nn

from gnnmc.errors import InputError
from gnnmc.models.edges import TREATMENTS
from gnnmc.models.readout import READOUTS
from gnnmc.numbers import share, whole_number
from gnnmc.problem import Problem
from gnnmc.registry import Registry

NORMS: Registry[Callable[[int], nn.Module]] = Registry("norm")
NORMS.add("none", lambda width: nn.Identity())
NORMS.add("layer", nn.LayerNorm)
NORMS.add("batch", nn.BatchNorm1d)
# The eps of LayerNorm: centered before, with scale and shift in what reads it, a LayerNorm is this (Theus et al. 2025).
NORMS.add("rms", lambda width: nn.RMSNorm(width, eps=1e-5))

HEADS: Registry[str] = Registry("head")
HEADS.add("conv", "the last layer gives the outputs")
HEADS.add("linear", "a linear map after the last layer does")

JUMPS: Registry[str] = Registry("jumping_knowledge")
JUMPS.add("none", "the last layer's output")
JUMPS.add("cat", "all layers' outputs joined")
JUMPS.add("max", "the largest of each channel over the layers")
JUMPS.add("lstm", "a mean over the layers weighted by a recurrent network")


@dataclass(frozen=True)
class Options:
    """The settings of a model; the defaults are the older profile of science 1.5.

    hidden: width between layers. layers: number of convolutions. dropout: probability. norm: none, layer, batch or rms.
    heads: of attention layers. head: conv (the last convolution gives the outputs; dropout before every convolution)
    or linear (a linear map after the last one does; dropout after every ReLU). residual: a linear skip beside every
    convolution. input_linear: a linear map before the first. jumping_knowledge: none, cat, max or lstm (Xu et al.
    2018), with head linear. edges: given, or undirected (both directions of every edge once, one self-loop at every
    node). bias: whether convolutions have one. readout: mean, sum or max over the nodes of a graph, none for nodes;
    None: mean where a problem's items are graphs.
    """

    hidden: int = 64
    layers: int = 2
    dropout: float = 0.5
    norm: str = "none"
    heads: int = 8
    head: str = "conv"
    residual: bool = False
    input_linear: bool = False
    jumping_knowledge: str = "none"
    edges: str = "given"
    bias: bool = True
    readout: str | None = None

    def __post_init__(self) -> None:
        for name in ("layers", "hidden", "heads"):
            object.__setattr__(self, name, whole_number(name, getattr(self, name), least=1))
        object.__setattr__(self, "dropout", share("dropout", self.dropout))
        for registry, name in ((NORMS, self.norm), (HEADS, self.head), (JUMPS, self.jumping_knowledge)):
            registry[name]
        TREATMENTS[self.edges]
        if self.readout is not None:
            READOUTS[self.readout]
        if self.jumping_knowledge != "none" and self.head != "linear":
            raise InputError(
                f"jumping_knowledge={self.jumping_knowledge!r} joins layers of one width: choose head='linear'"
            )

    def changed(self) -> dict[str, Any]:
        """The settings that are not the default."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}


@dataclass(frozen=True)
class Inputs:
    """What a network sees of a problem.

    num_features, num_outputs: widths. item_shape: shape of one item's features, such as (1, 28, 28). graph_level:
    whether items are graphs. cardinalities: how many values each feature has, where they are categories. has_edges:
    whether every batch has edges. name: the problem's. per_position: whether every position of an item has outputs.
    """

    num_features: int
    num_outputs: int
    item_shape: tuple[int, ...]
    graph_level: bool
    cardinalities: tuple[int, ...] | None
    has_edges: bool
    name: str
    per_position: bool = False


def inputs_of(problem: Problem) -> Inputs:
    """Read off a problem what a network needs to know."""
    return Inputs(
        num_features=problem.num_features,
        num_outputs=problem.num_outputs,
        item_shape=tuple(problem.item_shape) or (problem.num_features,),
        graph_level=problem.graph_level,
        cardinalities=problem.cardinalities,
        has_edges=problem.has_edges,
        name=problem.name,
        per_position=problem.per_position,
    )


def readout_of(inputs: Inputs, options: Options) -> str:
    """The readout that fits the problem. Raises InputError for one that does not."""
    chosen = options.readout or ("mean" if inputs.graph_level else "none")
    if inputs.graph_level and chosen == "none":
        raise InputError(
            f"readout='none' gives a row per node, and the items of {inputs.name!r} are graphs: use 'mean'"
        )
    if not inputs.graph_level and chosen != "none":
        raise InputError(
            f"readout={chosen!r} gives a row per graph, and {inputs.name!r} has no graphs as items: use 'none'"
        )
    return chosen


def flat_width(inputs: Inputs) -> int:
    """Number of features of an item, its axes joined."""
    return math.prod(inputs.item_shape)


def merged(settings: Mapping[str, Any], given: Mapping[str, Any]) -> Options:
    """Options from `settings`, overridden by what is given (not None)."""
    return Options(**{**settings, **{name: value for name, value in given.items() if value is not None}})
