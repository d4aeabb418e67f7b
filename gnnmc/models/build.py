"""The model registry: a name → how one layer of that family is made."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from torch import nn
from torch_geometric.nn import GATConv, GCNConv, SAGEConv

from gnnmc.errors import InputError
from gnnmc.models.network import NORMS, Network
from gnnmc.problem import Problem, has
from gnnmc.registry import Registry
from gnnmc.seeding import forked


@dataclass(frozen=True)
class Family:
    """How a layer is made: (width in, width out, heads, whether it is the last layer) → module.

    sparse: whether the layer aggregates its input as it is, so that a sparse product pays.
    """

    layer: Callable[[int, int, int, bool], nn.Module]
    uses_edges: bool
    uses_heads: bool
    source: str
    sparse: bool = False


def _gcn(width_in: int, width_out: int, heads: int, last: bool) -> nn.Module:
    return GCNConv(width_in, width_out)


def _sage(width_in: int, width_out: int, heads: int, last: bool) -> nn.Module:
    return SAGEConv(width_in, width_out)


def _gat(width_in: int, width_out: int, heads: int, last: bool) -> nn.Module:
    # Hidden layers join their heads to the asked width; the last one has a single head of the outputs' width.
    return GATConv(width_in, width_out) if last else GATConv(width_in, width_out // heads, heads=heads)


def _mlp(width_in: int, width_out: int, heads: int, last: bool) -> nn.Module:
    return nn.Linear(width_in, width_out)


MODELS: Registry[Family] = Registry("model")
MODELS.add("gcn", Family(_gcn, uses_edges=True, uses_heads=False, source="Kipf & Welling 2017"))
MODELS.add(
    "sage",
    Family(_sage, uses_edges=True, uses_heads=False, source="Hamilton et al. 2017, mean aggregation", sparse=True),
)
MODELS.add("gat", Family(_gat, uses_edges=True, uses_heads=True, source="Veličković et al. 2018"))
MODELS.add("mlp", Family(_mlp, uses_edges=False, uses_heads=False, source="the same network without propagation"))


def list_models() -> list[str]:
    """The names that `build_model` takes."""
    return MODELS.names()


def check_model(name: str, hidden: int, layers: int, dropout: float, norm: str, heads: int) -> Family:
    """The family of that name. Raises InputError for an unknown name or settings that do not fit it."""
    family = MODELS[name]
    NORMS[norm]
    if layers < 1 or hidden < 1 or heads < 1:
        raise InputError(f"layers={layers}, hidden={hidden}, heads={heads}: each must be at least 1")
    if not 0 <= dropout < 1:
        raise InputError(f"dropout={dropout}: allowed: 0 ≤ dropout < 1")
    if family.uses_heads and hidden % heads:
        raise InputError(f"hidden={hidden} is no multiple of heads={heads}: choose one that is")
    return family


def build_model(
    name: str,
    problem: Problem,
    *,
    hidden: int = 64,
    layers: int = 2,
    dropout: float = 0.5,
    norm: str = "none",
    heads: int = 8,
) -> nn.Module:
    """A network of the named family, as wide as the problem needs.

    hidden: width between layers. layers: number of convolutions, the last one gives the outputs. dropout: probability,
    before every layer. norm: none, layer or batch. heads: of attention layers, hidden must be a multiple.
    The weights are initialized on a fixed stream and the global generator is left as it was; `train` initializes anew
    for each seed. Raises InputError for an unknown name or settings that do not fit.
    """
    family = check_model(name, hidden, layers, dropout, norm, heads)
    make_norm = NORMS[norm]
    if family.uses_edges and not all(has(batch, "edge_index") for batch in problem.batches):
        raise InputError(f"model {name!r} needs edges, and the problem {problem.name!r} has none: use 'mlp'")
    widths = [problem.num_features, *[hidden] * (layers - 1), problem.num_outputs]
    with forked("build", name):
        steps = list(itertools.pairwise(widths))
        convolutions = [
            family.layer(width_in, width_out, heads, number == layers - 1)
            for number, (width_in, width_out) in enumerate(steps)
        ]
        return Network(convolutions, [make_norm(hidden) for _ in steps[:-1]], dropout, family.uses_edges, family.sparse)
