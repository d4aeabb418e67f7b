"""How many edges each pair of classes gets: a binomial number inside classes, and never more than there are pairs."""

from dataclasses import dataclass, replace
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from gnnmc.data.mixing import minimum_homophily, mixing_matrix
from gnnmc.errors import InputError

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Blocks:
    """The B = C(C+1)/2 unordered pairs of classes.

    Shapes:
        first, second: (B,) the two classes, first ≤ second
        share: (B,) expected share of all edges, sum 1
        capacity: (B,) number of distinct node pairs
    """

    first: Ints
    second: Ints
    share: NDArray[np.float64]
    capacity: Ints

    @property
    def inside(self) -> NDArray[np.bool_]:
        """(B,) whether a block joins a class with itself."""
        return self.first == self.second


def blocks_at(sizes: Ints, homophily: float) -> Blocks:
    """The blocks for classes of these sizes and of equal mean degree at this homophily.

    Shapes:
        sizes: (C,) number of nodes per class
    """
    return _blocks(sizes, mixing_matrix(sizes / sizes.sum(), homophily))


def compatible_blocks(sizes: Ints, compatibility: NDArray[np.float64], num_edges: int) -> Blocks:
    """The blocks for given shares of edges by the classes of their ends, once `num_edges` edges fit into them.

    A block of share 0 has no room at all: no edge strays into it when another one is full.

    Shapes:
        sizes: (C,) number of nodes per class
        compatibility: (C, C) symmetric, sum 1: as `mixing_matrix`, but of any row sums

    Raises:
        InputError: a block needs more edges than it has pairs; the message names it and the reachable mean degree.
    """
    blocks = _blocks(sizes, compatibility)
    blocks = replace(blocks, capacity=np.where(blocks.share > 0, blocks.capacity, 0))
    if num_edges > _most_edges(blocks):
        worst = int((blocks.share * num_edges - blocks.capacity).argmax())
        a, b = int(blocks.first[worst]), int(blocks.second[worst])
        where = f"inside class {a}" if a == b else f"between classes {a} and {b}"
        raise InputError(
            f"compatibility with {num_edges} edges (mean degree {2 * num_edges / sizes.sum():g}) asks for "
            f"{blocks.share[worst] * num_edges:.1f} edges {where}, where there are {blocks.capacity[worst]} pairs of "
            f"nodes: mean_degree up to {_down(2 * _most_edges(blocks) / int(sizes.sum()))} is reachable"
        )
    return blocks


def _blocks(sizes: Ints, mixing: NDArray[np.float64]) -> Blocks:
    """The blocks of these shares, each with the pairs of nodes that there are."""
    first, second = np.triu_indices(len(sizes))
    inside = first == second
    share = np.where(inside, 1.0, 2.0) * mixing[first, second]
    capacity = np.where(inside, sizes[first] * (sizes[first] - 1) // 2, sizes[first] * sizes[second])
    return Blocks(first, second, share, capacity)


def reachable_blocks(sizes: Ints, homophily: float, num_edges: int) -> Blocks:
    """The blocks, once it is clear that `num_edges` edges fit into them.

    Raises:
        InputError: this homophily needs more within-class edge ends than the classes have, or a block needs more edges
            than it has pairs; the message says which homophily and which mean degree are reachable.
    """
    lowest = minimum_homophily(sizes / sizes.sum())
    if homophily < lowest - 1e-9:  # 2·0.55 − 1 is a little above 0.1
        raise InputError(
            f"homophily {homophily:g} is unreachable with equal mean degree per class when the largest class holds "
            f"{sizes.max()} of {sizes.sum()} nodes: allowed are {_up(lowest)} to 1"
        )
    blocks = blocks_at(sizes, max(homophily, lowest))
    if num_edges > _most_edges(blocks):
        raise InputError(_what_is_reachable(sizes, homophily, num_edges, blocks))
    return blocks


def edge_counts(blocks: Blocks, homophily: float, num_edges: int, rng: np.random.Generator) -> Ints:
    """Number of edges of every block; their sum is `num_edges`, those inside classes Binomial(num_edges, homophily).

    Shapes:
        returns: (B,) int64, nowhere above the capacity
    """
    inside = blocks.inside
    total_inside = _edges_inside(blocks, homophily, num_edges, rng)
    counts = np.zeros(len(blocks.share), dtype=np.int64)
    for members, total in ((inside, total_inside), (~inside, num_edges - total_inside)):
        counts[members] = _spread(total, blocks.share[members], blocks.capacity[members], rng)
    return counts


def _edges_inside(blocks: Blocks, homophily: float, num_edges: int, rng: np.random.Generator) -> int:
    """Binomial(E, h), or E·h rounded at random in a graph so dense that a binomial number may not fit.

    Both have the expectation E·h; cutting the binomial off at what fits would shift it.
    """
    most = min(num_edges, int(blocks.capacity[blocks.inside].sum()))
    least = max(0, num_edges - int(blocks.capacity[~blocks.inside].sum()))
    mean = num_edges * homophily
    spread = 6 * float(np.sqrt(mean * (1 - homophily)))
    if (least == 0 or mean - spread > least) and (most == num_edges or mean + spread < most):
        drawn = int(rng.binomial(num_edges, homophily))
    else:
        drawn = floor(mean) + int(rng.random() < mean - floor(mean))
    return min(max(drawn, least), most)


def _spread(total: int, share: NDArray[np.float64], capacity: Ints, rng: np.random.Generator) -> Ints:
    """Multinomial counts of sum `total`; what exceeds a capacity moves on to the blocks that have room."""
    counts = np.zeros(len(share), dtype=np.int64)
    missing = total
    while missing > 0:  # every round but the last fills one more block
        room = capacity - counts
        odds = np.where(room > 0, share, 0.0)
        if odds.sum() == 0:  # only blocks of share 0 have room: keep the homophily, give up a little of equal degrees
            odds = room.astype(float)
        counts = np.minimum(counts + rng.multinomial(missing, odds / odds.sum()), capacity)
        missing = total - int(counts.sum())
    return counts


def _most_edges(blocks: Blocks) -> int:
    """The largest number of edges of which every block, and both kinds of blocks together, can hold their share.

    A single block may be half an edge short, since counts are whole (a class of one node has no pair inside, but a
    share of some hundredths of an edge); the kinds may not, since that would shift the homophily.
    """
    share, capacity = [blocks.share], [blocks.capacity + 0.5]
    for members in (blocks.inside, ~blocks.inside):
        share.append(blocks.share[members].sum(keepdims=True) * (1 - 1e-12))  # a full graph stays full after rounding
        capacity.append(blocks.capacity[members].sum(keepdims=True))
    shares, capacities = np.concatenate(share), np.concatenate(capacity)
    return floor(float((capacities[shares > 0] / shares[shares > 0]).min()))


def _what_is_reachable(sizes: Ints, homophily: float, num_edges: int, blocks: Blocks) -> str:
    """The message for blocks that overflow: in which direction to move."""
    num_nodes = int(sizes.sum())
    low, high = _reachable_homophily(sizes, num_edges)
    at_this_degree = f"homophily {_up(low)} to {_down(high)}" if _up(low) <= _down(high) else "no homophily"
    return (
        f"homophily {homophily:g} with {num_edges} edges (mean degree {2 * num_edges / num_nodes:g}) needs more edges "
        "between two classes, or inside one, than there are pairs of nodes: with classes of "
        f"{_sizes_text(sizes)} nodes {at_this_degree} is reachable at this mean degree, and "
        f"mean_degree up to {_down(2 * _most_edges(blocks) / num_nodes)} at this homophily"
    )


def _reachable_homophily(sizes: Ints, num_edges: int) -> tuple[float, float]:
    """The interval of homophily at which this number of edges fits.

    Every share is piecewise linear in h with the knots least, Σπ² and 1. Shares inside classes grow with h; between
    classes they fall, or are largest at Σπ², where they always fit.
    """
    proportions = sizes / sizes.sum()
    knots = np.array([minimum_homophily(proportions), float((proportions**2).sum()), 1.0])
    at_knots = [blocks_at(sizes, float(h)) for h in knots]
    inside = at_knots[0].inside
    low = max(float(knots[0]), 1 - float(at_knots[0].capacity[~inside].sum()) / num_edges)
    high = min(1.0, float(at_knots[0].capacity[inside].sum()) / num_edges)
    for block, is_inside in enumerate(inside):
        shares = np.array([blocks.share[block] for blocks in at_knots])
        limit = (at_knots[0].capacity[block] + 0.5) / num_edges
        if is_inside:
            high = min(high, float(np.interp(limit, shares, knots, left=-np.inf)))
        elif shares[0] >= shares[1]:
            low = max(low, float(np.interp(limit, shares[::-1], knots[::-1], left=np.inf)))
    return low, high


def _sizes_text(sizes: Ints) -> str:
    """Class sizes for a message: all of a few, the range of many."""
    if len(sizes) <= 8:
        return ", ".join(map(str, sizes.tolist()))
    return f"{sizes.min()} to {sizes.max()}"


def _up(value: float) -> float:
    """Rounded so that the value in a message is itself reachable."""
    return ceil(value * 1e4 - 1e-9) / 1e4 if np.isfinite(value) else value


def _down(value: float) -> float:
    return floor(value * 1e4 + 1e-9) / 1e4 if np.isfinite(value) else value
