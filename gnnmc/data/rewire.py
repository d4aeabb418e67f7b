"""A given graph at another homophily: same nodes, features, labels, masks and degrees, other edges."""

from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from torch import Tensor
from torch_geometric.data import Data

from gnnmc.data.pairs import both_directions, distinct, sorted_distinct
from gnnmc.data.rewire_bounds import bounds, nearest_number
from gnnmc.data.rewire_swaps import Edges, Ints, mix
from gnnmc.data.rewire_target import move_to
from gnnmc.errors import InputError
from gnnmc.registry import Registry
from gnnmc.seeding import numpy_generator

# What follows once the target is reached: the number of neutral swaps per edge.
REWIRINGS: Registry[float] = Registry("rewiring method")
REWIRINGS.add("minimal", 0.0)
REWIRINGS.add("resample", 10.0)


def rewire(
    data: Data,
    homophily: float | None = None,
    *,
    method: str = "minimal",
    seed: int = 0,
    neutral_per_edge: float | None = None,
    nearest: bool = False,
) -> Data:
    """The graph with its edges swapped until its edge homophily is the one asked for (science 1.7).

    The result is simple and undirected, and every node has the degree that it has in the simple undirected graph of
    `data` (symmetrized, multi-edges merged, self-loops dropped). Everything else is kept, masks included, also records
    and encodings that were made from the old edges. Homophily is the share of edges within classes among those whose
    ends are both labeled; only these are swapped, the edges of unlabeled nodes (y < 0) stay where they are.

    `homophily=None` is the graph's own. Homophily moves in steps of an edge (two classes: of two), so the result is
    within 1/|E| of the target, |E| the edges with both ends labeled. Other statistics of the labels (informativeness,
    the shares of pairs of classes) follow: up and down, edges are chosen at random in proportion to what there is.

    Args:
        method: "minimal" makes as few swaps as it finds, so most of the edges stay. "resample" goes on with at least
            10 |E| neutral swaps that keep the homophily: a graph drawn at random among those with these degrees and
            this homophily that neutral swaps lead to (all of them, but for some tiny graphs), without the clustering
            of the given one. To tell the effect of homophily from that of
            destroyed clustering, compare with the graph resampled at its own homophily.
        neutral_per_edge: another number of neutral swaps per edge.
        nearest: take the nearest homophily that is reached, where the target is not, instead of an error.

    Shapes:
        data.edge_index: (2, A) int64; data.y: (N,) integers
        edge_index: (2, 2E) int64, both directions, coalesced
        rewired: dict of `asked`, `original_homophily`, `realized_homophily`, `method`, `seed`, `swaps` (on the way to
            the target), `neutral_swaps`, `num_edges`, `num_labeled_edges`, `reachable` (see `reachable_homophily`),
            `reached`, `simplified` (whether the given edges were not those of a simple undirected graph)

    Raises:
        InputError: a homophily outside of the reachable range, or one that swaps do not reach (the message says what
            was reached); fewer neutral swaps possible than asked for; edge attributes, which have no meaning on other
            edges; no labels, fewer than two classes, or no edge between labeled nodes.
    """
    neutral = _neutral_per_edge(method, neutral_per_edge)
    if type(seed) is not int and not isinstance(seed, np.integer):
        raise InputError(f"seed must be a whole number, got {seed!r}")
    graph = _read(data)
    _no_edge_attributes(data)
    low, high = graph.reachable
    original = graph.edges.num_same / len(graph.edges)
    target = graph.target(homophily, nearest)

    rng = numpy_generator("rewire", method, homophily, int(seed))
    edges, swaps = move_to(graph.edges, target, rng)
    reached = abs(edges.num_same - (original if homophily is None else homophily) * len(edges)) <= 1 + 1e-9
    if not reached and not nearest:
        raise InputError(
            f"homophily {homophily:g} is not reached: swaps at fixed degrees got from {original:.4f} to "
            f"{edges.num_same / len(edges):.4f} in a graph with {len(edges)} edges (bounds {low:.4f} to {high:.4f}): "
            "ask for that, or give nearest=True"
        )
    least = ceil(neutral * len(edges))
    edges, mixed = mix(edges, least, rng)
    if mixed < least and not nearest:
        raise InputError(
            f"only {mixed} of {least} neutral swaps could be made: hardly another graph has these degrees at homophily "
            f"{edges.num_same / len(edges):.4f}: give a smaller neutral_per_edge, or nearest=True"
        )

    result = data.clone()
    result.edge_index = graph.edge_index(edges).to(data.edge_index.device)
    result.rewired = {
        "asked": homophily if homophily is None else float(homophily),
        "original_homophily": original,
        "realized_homophily": edges.num_same / len(edges),
        "method": method,
        "seed": int(seed),
        "swaps": swaps,
        "neutral_swaps": mixed,
        "num_edges": len(edges) + len(graph.fixed),
        "num_labeled_edges": len(edges),
        "reachable": [low, high],
        "reached": reached and mixed >= least,
        "simplified": graph.simplified,
    }
    return result


def reachable_homophily(data: Data) -> tuple[float, float]:
    """Bounds of the edge homophily that rewiring at fixed degrees can reach; beyond them there is no such graph.

    The least is max(0, 2·max_k D_k/(2|E|) − 1) for the total degrees D_k of the classes, or more where a node has more
    neighbors than there are nodes of other classes; the largest is Σ_v min(d_v, n_{y(v)} − 1)/2|E|, rounded down class
    by class to whole edges (science 1.7). Close to the bounds a graph may not exist.

    Shapes:
        data.edge_index: (2, A) int64; data.y: (N,) integers

    Raises:
        InputError: as `rewire`.
    """
    return _read(data).reachable


def check_rewire(data: Data, homophily: float | None = None, *, nearest: bool = False) -> None:
    """Raise InputError, as `rewire` does, for a graph that it does not take or a homophily beyond the bounds.

    No swap is made: a plan can refuse before any work is done. Close to the bounds `rewire` may still not get there.
    """
    graph = _read(data)
    _no_edge_attributes(data)
    graph.target(homophily, nearest)


@dataclass(frozen=True, eq=False)
class _Graph:
    """The edges with both ends labeled, which are swapped, and the codes of the others."""

    edges: Edges
    fixed: Ints
    low: int
    high: int
    two_classes: bool
    simplified: bool

    @property
    def reachable(self) -> tuple[float, float]:
        return self.low / len(self.edges), self.high / len(self.edges)

    def target(self, homophily: float | None, nearest: bool) -> int:
        """The number of edges inside classes to go for."""
        if homophily is None:
            return self.edges.num_same
        if isinstance(homophily, bool | str) or not 0 <= homophily <= 1:
            raise InputError(f"homophily must be a number from 0 to 1 or None, got {homophily!r}")
        wanted = homophily * len(self.edges)
        if not nearest and not self.low - 1e-9 * len(self.edges) <= wanted <= self.high + 1e-9 * len(self.edges):
            low, high = self.reachable
            raise InputError(
                f"homophily {homophily:g} is out of reach at these degrees: allowed are "
                f"{ceil(low * 1e4 - 1e-7) / 1e4:g} to {floor(high * 1e4 + 1e-7) / 1e4:g} (nearest=True takes the end)"
            )
        return nearest_number(wanted, self.edges.num_same, self.low, self.high, self.two_classes)

    def edge_index(self, edges: Edges) -> Tensor:
        """(2, 2E) of these edges and the fixed ones."""
        num_nodes = len(edges.classes)
        return both_directions(*np.divmod(np.concatenate([edges.codes, self.fixed]), num_nodes), num_nodes)


def _read(data: Data) -> _Graph:
    """The simple undirected graph of the data, by attribute; nothing is written."""
    labels = _labels(data)
    num_nodes = len(labels)
    given = getattr(data, "edge_index", None)
    if not isinstance(given, Tensor) or given.dim() != 2 or given.size(0) != 2 or given.is_floating_point():
        raise InputError("edge_index must be an integer tensor of shape (2, E)")
    source, target = given.detach().cpu().numpy().astype(np.int64, copy=False)
    wrong = given[(given < 0) | (given >= num_nodes)]
    if len(wrong):
        raise InputError(
            f"edge_index holds the node number {int(wrong[0])}: allowed are 0 to {num_nodes - 1} (labels in y)"
        )
    low, high = np.minimum(source, target), np.maximum(source, target)
    # The last bit of an arc is its direction: one sort gives the distinct arcs and, two by two, the distinct edges.
    arcs = sorted_distinct((2 * (low * num_nodes + high) + (source > target))[low != high])
    codes = distinct(arcs >> 1)
    # Simple and undirected: every edge twice, once each way.
    simplified = not len(arcs) == len(source) == 2 * len(codes)

    i, j = np.divmod(codes, num_nodes)
    labeled = (labels[i] >= 0) & (labels[j] >= 0)
    if not labeled.any():
        raise InputError("no edge has both ends labeled: homophily is not defined")
    degrees = np.bincount(np.concatenate([i[labeled], j[labeled]]), minlength=num_nodes)
    classes = np.full(num_nodes, -1)
    names, classes[degrees > 0] = np.unique(labels[degrees > 0], return_inverse=True)
    if len(names) < 2:
        raise InputError(f"all nodes with labeled neighbors are of class {names[0]}: rewiring needs two or more")
    edges = Edges(codes[labeled], classes)
    lowest, highest = bounds(classes, degrees, edges.num_same)
    return _Graph(edges, codes[~labeled], lowest, highest, len(names) == 2, simplified)


def _labels(data: Data) -> Ints:
    """`data.y`, (N,)."""
    y = getattr(data, "y", None)
    if not isinstance(y, Tensor) or y.dim() != 1 or y.is_floating_point() or y.is_complex():
        found = "none" if y is None else f"shape {tuple(y.shape)}" if isinstance(y, Tensor) else type(y).__name__
        raise InputError(f"rewiring needs one integer label per node in y, shape (N,), got {found} (-1: unlabeled)")
    x = getattr(data, "x", None)
    if x is not None and len(x) != len(y):
        raise InputError(f"y has {len(y)} labels but x has {len(x)} rows: give one label per node (-1: unlabeled)")
    return y.detach().cpu().numpy().astype(np.int64)


def _no_edge_attributes(data: Data) -> None:
    """Weights and features of edges mean nothing on other edges: it is for the caller to let them go."""
    arcs, nodes = data.edge_index.size(1), len(data.y)
    tensors = {name: value for name, value in data.to_dict().items() if isinstance(value, Tensor)}
    found = [
        name
        for name, value in tensors.items()
        if name != "edge_index" and ("edge" in name or (value.dim() and value.size(0) == arcs != nodes))
    ]
    if found:
        raise InputError(f"{', '.join(found)}: attributes of edges do not survive rewiring: delete them first")


def _neutral_per_edge(method: str, asked: float | None) -> float:
    default = REWIRINGS[method]
    if asked is None:
        return default
    if method == "minimal":
        raise InputError("method 'minimal' makes no neutral swaps: leave neutral_per_edge out, or take 'resample'")
    if isinstance(asked, bool | str) or not 0 <= asked < float("inf"):
        raise InputError(f"neutral_per_edge must be a number, 0 or more, got {asked!r}")
    return float(asked)
