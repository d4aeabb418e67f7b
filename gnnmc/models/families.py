"""The model registry: a name → how a network of that family is made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from torch import nn

from gnnmc.models.attention import Gat, GatSeparate, Gatv2
from gnnmc.models.convolutions import Gcn, Gin, Map, PersonalizedPageRank, Sage, Sgc
from gnnmc.models.edges import mean, symmetric, total, with_loops
from gnnmc.models.gcnii import Gcnii
from gnnmc.models.gpt import Gpt
from gnnmc.models.images import ResNet, Vgg
from gnnmc.models.network import MakeLayer, Network
from gnnmc.models.options import Inputs, Options
from gnnmc.models.transformer import Transformer
from gnnmc.models.vit import Vit
from gnnmc.registry import Registry


@dataclass(frozen=True)
class Family:
    """How a network is made for a problem, and which settings it heeds beside hidden, layers and dropout.

    needs: "edges", "images", "text" or None. divides: whether heads must divide hidden. source: where it comes from.
    defaults: settings that are other than those of `Options`. norms: the names that it allows, where not all fit.
    """

    build: Callable[[Inputs, Options], nn.Module]
    options: frozenset[str]
    source: str
    needs: str | None = None
    divides: bool = False
    defaults: Mapping[str, Any] = field(default_factory=dict)
    norms: frozenset[str] | None = None


MODELS: Registry[Family] = Registry("model")

_STACK = frozenset({"norm", "head", "residual", "input_linear", "jumping_knowledge", "bias", "readout"})


def _stack(name: str, make: MakeLayer, source: str, *, heads: bool = False, **how: Any) -> None:
    """Register a family whose network is a stack of layers over edges."""
    options = _STACK | {"edges"} | ({"heads"} if heads else set())
    MODELS.add(name, Family(partial(Network, make=make, **how), options, source, needs="edges", divides=heads))


def _heads(width_out: int, last: bool, options: Options) -> dict[str, Any]:
    # Hidden layers join their heads to the asked width; a layer that gives the outputs has a single head.
    heads = 1 if last else options.heads
    return {"out_channels": width_out // heads, "heads": heads, "bias": options.bias}


def _gcn(width_in: int, width_out: int, last: bool, options: Options) -> nn.Module:
    return Gcn(width_in, width_out, bias=options.bias)


def _sage(width_in: int, width_out: int, last: bool, options: Options) -> nn.Module:
    return Sage(width_in, width_out, bias=options.bias)


def _gin(width_in: int, width_out: int, last: bool, options: Options) -> nn.Module:
    return Gin(width_in, width_out, bias=options.bias)


def _gat(width_in: int, width_out: int, last: bool, options: Options) -> nn.Module:
    return Gat(width_in, **_heads(width_out, last, options))


def _gatv2(width_in: int, width_out: int, last: bool, options: Options) -> nn.Module:
    return Gatv2(width_in, **_heads(width_out, last, options))


def _gat_separate(width_in: int, width_out: int, last: bool, options: Options) -> nn.Module:
    return GatSeparate(width_in, **_heads(width_out, last, options))


def _linear(width_in: int, width_out: int, last: bool, options: Options) -> nn.Module:
    return Map(width_in, width_out, bias=options.bias)


def _sgc(inputs: Inputs, options: Options) -> nn.Module:
    # One linear map after `layers` propagations: no hidden layer, whatever its width.
    def make(width_in: int, width_out: int, last: bool, _: Options) -> nn.Module:
        return Sgc(width_in, width_out, K=options.layers, bias=options.bias)

    return Network(inputs, replace(options, layers=1), make, weighting=symmetric)


def _appnp(inputs: Inputs, options: Options) -> nn.Module:
    # The paper's 10 steps and teleport probability, after `layers` linear maps.
    steps = PersonalizedPageRank(K=10, alpha=0.1)
    return Network(inputs, options, _linear, weighting=symmetric, diffusion=steps)


_stack("gcn", _gcn, "Kipf & Welling 2017", weighting=symmetric)
_stack("sage", _sage, "Hamilton et al. 2017, mean aggregation", weighting=mean)
_stack("gat", _gat, "Veličković et al. 2018", heads=True, weighting=with_loops)
_stack("gatv2", _gatv2, "Brody et al. 2022", heads=True)
_stack("gin", _gin, "Xu et al. 2019, GIN-0", weighting=total)
_stack(
    "gat-sep", _gat_separate, "Platonov et al. 2023, ego and neighbors apart", heads=True, weighting=total, loops=False
)
MODELS.add("sgc", Family(_sgc, frozenset({"edges", "bias", "readout"}), "Wu et al. 2019", needs="edges"))
MODELS.add(
    "appnp",
    Family(_appnp, _STACK - {"head", "jumping_knowledge"} | {"edges"}, "Gasteiger et al. 2019", needs="edges"),
)
MODELS.add("gcnii", Family(Gcnii, frozenset({"norm", "edges", "readout"}), "Chen et al. 2020", needs="edges"))
MODELS.add(
    "transformer",
    Family(
        Transformer,
        frozenset({"heads", "edges", "readout"}),
        "pre-norm, with local propagation as Rampášek et al. 2022",
        needs="edges",
        divides=True,
    ),
)
MODELS.add(
    "mlp",
    Family(partial(Network, make=_linear, uses_edges=False), _STACK, "the same network without propagation"),
)
MODELS.add("resnet", Family(ResNet, frozenset(), "He et al. 2016, in small", needs="images"))
MODELS.add("vgg", Family(Vgg, frozenset(), "Simonyan & Zisserman 2015, in small", needs="images"))


def _sequence(name: str, build: Callable[[Inputs, Options], nn.Module], source: str, needs: str, hidden: int) -> None:
    """Register a family that is a transformer on sequences."""
    defaults = {"hidden": hidden, "layers": 4, "heads": 4, "dropout": 0.1, "norm": "layer"}
    # BatchNorm has no place here: its channels would be the places of a sequence.
    norms = frozenset({"none", "layer", "rms"})
    options = frozenset({"heads", "norm"})
    MODELS.add(name, Family(build, options, source, needs, divides=True, defaults=defaults, norms=norms))


_sequence("vit", Vit, "Dosovitskiy et al. 2021, in small", "images", 64)
_sequence("gpt", Gpt, "GPT-2, Radford et al. 2019, in small", "text", 96)
