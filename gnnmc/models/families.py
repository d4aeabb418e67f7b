"""The model registry: a name → how a network of that family is made."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import nn

from gnnmc.models.convolutions import Gat, Gcn, Sage
from gnnmc.models.edges import mean, symmetric, with_loops
from gnnmc.models.network import MakeLayer, Network
from gnnmc.models.options import Inputs, Options
from gnnmc.registry import Registry


@dataclass(frozen=True)
class Family:
    """How a network is made for a problem, and which settings it heeds beside hidden, layers and dropout.

    needs: "edges", "images" or None. divides: whether heads must divide hidden. source: where it comes from.
    """

    build: Callable[[Inputs, Options], nn.Module]
    options: frozenset[str]
    source: str
    needs: str | None = None
    divides: bool = False


MODELS: Registry[Family] = Registry("model")

_STACK = frozenset({"norm", "head", "residual", "input_linear", "jumping_knowledge", "bias", "readout"})


def _stack(name: str, make: MakeLayer, source: str, *, heads: bool = False, **how: Any) -> None:
    """Register a family whose network is a stack of layers over edges."""
    options = _STACK | {"edges"} | ({"heads"} if heads else set())
    MODELS.add(name, Family(partial(Network, make=make, **how), options, source, needs="edges", divides=heads))


def _gcn(width_in: int, width_out: int, last: bool, options: Options) -> nn.Module:
    return Gcn(width_in, width_out, bias=options.bias)


def _sage(width_in: int, width_out: int, last: bool, options: Options) -> nn.Module:
    return Sage(width_in, width_out, bias=options.bias)


def _heads(width_out: int, last: bool, options: Options) -> dict[str, int]:
    # Hidden layers join their heads to the asked width; a layer that gives the outputs has a single head.
    heads = 1 if last else options.heads
    return {"heads": heads, "out_channels": width_out // heads}


def _gat(width_in: int, width_out: int, last: bool, options: Options) -> nn.Module:
    return Gat(width_in, **_heads(width_out, last, options), bias=options.bias)


def _linear(width_in: int, width_out: int, last: bool, options: Options) -> nn.Module:
    return nn.Linear(width_in, width_out, bias=options.bias)


_stack("gcn", _gcn, "Kipf & Welling 2017", weighting=symmetric)
_stack("sage", _sage, "Hamilton et al. 2017, mean aggregation", weighting=mean)
_stack("gat", _gat, "Veličković et al. 2018", heads=True, weighting=with_loops)
MODELS.add(
    "mlp",
    Family(partial(Network, make=_linear, uses_edges=False), _STACK, "the same network without propagation"),
)
