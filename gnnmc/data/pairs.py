"""Pairs of nodes: distinct ones, a given number from every block, uniform or in proportion to weights; and as edges."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from gnnmc.data.blocks import Blocks, Ints
from gnnmc.data.cumulative import Cumulative

# A block that is to be filled by more than this share is drawn from the list of all its pairs, which is then at most
# four times as long as the result; emptier ones are drawn by rejection, where few draws hit a pair already taken.
DENSE = 0.25
# Weighted draws made at a time: their arrays stay in the processor's cache.
AT_A_TIME = 2**16


def both_directions(i: Ints, j: Ints, num_nodes: int) -> torch.Tensor:
    """The edges between the nodes i and j as an undirected graph has them: both directions, in row-major order.

    Shapes: i, j (E,) → (2, 2E) int64
    """
    # In place as far as it goes: at millions of edges fresh memory costs as much as the arithmetic.
    arcs = np.concatenate([i * num_nodes + j, j * num_nodes + i])
    arcs.sort()
    edges = np.empty((2, len(arcs)), dtype=np.int64)
    np.floor_divide(arcs, num_nodes, out=edges[0])
    np.multiply(edges[0], num_nodes, out=edges[1])
    np.subtract(arcs, edges[1], out=edges[1])
    return torch.from_numpy(edges)


def sorted_distinct(codes: Ints) -> Ints:
    """np.unique, whose hash table is ten times slower than this sort on millions of codes (numpy 2.4).

    Shapes: codes (M,) → (K,) ascending
    """
    return distinct(np.sort(codes))


def distinct(ascending: Ints) -> Ints:
    """Each value once.

    Shapes: ascending (M,) → (K,)
    """
    return ascending[np.concatenate([np.ones(min(1, len(ascending)), dtype=bool), ascending[1:] != ascending[:-1]])]


def draw_pairs(
    blocks: Blocks, counts: Ints, sizes: Ints, weights: NDArray[np.float64] | None, rng: np.random.Generator
) -> Ints:
    """Draw `counts` distinct pairs without loops from every block, nodes numbered class by class.

    One pair after the other is drawn with odds θ_i·θ_j among the pairs not yet taken (all θ = 1 without weights), so
    the counts are exact and nothing is lost to duplicates. O(nodes + edges), up to sorting.

    Shapes:
        blocks: B blocks of C classes; counts: (B,) at most the capacities
        sizes: (C,); nodes of class 0 come first, then class 1, …
        weights: (N,) positive θ in that order, or None
        returns: (E,) ascending codes i·N + j with i < j
    """
    dense = counts > DENSE * blocks.capacity
    starts = np.concatenate([[0], np.cumsum(sizes)])
    parts = [_from_list(block, blocks, starts, int(counts[block]), weights, rng) for block in np.flatnonzero(dense)]
    rest = _by_rejection(blocks, np.where(dense, 0, counts), sizes, starts, weights, rng)
    return np.sort(np.concatenate([*parts, rest])) if parts else rest


def _from_list(
    block: np.intp,
    blocks: Blocks,
    starts: Ints,
    count: int,
    weights: NDArray[np.float64] | None,
    rng: np.random.Generator,
) -> Ints:
    """The `count` pairs of one block with the smallest exponential keys of rate θ_i·θ_j.

    That is successive weighted sampling without replacement (Efraimidis & Spirakis 2006).
    """
    a, b = blocks.first[block], blocks.second[block]
    if a == b:
        i, j = np.triu_indices(starts[a + 1] - starts[a], k=1)
    else:
        i, j = (index.ravel() for index in np.indices((starts[a + 1] - starts[a], starts[b + 1] - starts[b])))
    i, j = i + starts[a], j + starts[b]
    keys = rng.exponential(size=len(i))
    if weights is not None:
        keys /= weights[i] * weights[j]
    chosen = np.argpartition(keys, count - 1)[:count]
    return i[chosen] * starts[-1] + j[chosen]


def _by_rejection(
    blocks: Blocks,
    counts: Ints,
    sizes: Ints,
    starts: Ints,
    weights: NDArray[np.float64] | None,
    rng: np.random.Generator,
) -> Ints:
    """All blocks at once: draw as many pairs as are missing, keep the new ones, until none is missing."""
    num_nodes = int(starts[-1])
    draw_nodes = _node_sampler(sizes, starts, weights, rng)
    class_of = np.repeat(np.arange(len(sizes)), sizes)
    block_of = np.zeros((len(sizes), len(sizes)), dtype=np.int64)
    block_of[blocks.first, blocks.second] = np.arange(len(counts))

    taken = np.empty(0, dtype=np.int64)
    missing = counts.copy()
    while missing.any():
        drawn = np.repeat(np.arange(len(missing)), missing)
        i, j = draw_nodes(blocks.first[drawn]), draw_nodes(blocks.second[drawn])
        distinct = i != j
        i, j = i[distinct], j[distinct]
        new = sorted_distinct(np.minimum(i, j) * num_nodes + np.maximum(i, j))
        if len(taken):
            at = np.minimum(np.searchsorted(taken, new), len(taken) - 1)
            new = new[taken[at] != new]
        i, j = np.divmod(new, num_nodes)
        missing -= np.bincount(block_of[class_of[i], class_of[j]], minlength=len(missing))
        # Two ascending runs: the stable sort merges them in linear time.
        taken = np.sort(np.concatenate([taken, new]), kind="stable") if len(taken) else new
    return taken


def _node_sampler(
    sizes: Ints, starts: Ints, weights: NDArray[np.float64] | None, rng: np.random.Generator
) -> Callable[[Ints], Ints]:
    """A function from classes (M,) to nodes (M,), one independent draw each."""
    if weights is None:
        return lambda classes: starts[classes] + (rng.random(len(classes)) * sizes[classes]).astype(np.int64)
    # Inverse of the cumulative weights, which run on over the classes.
    ends = np.cumsum(weights)
    below = np.concatenate([[0.0], ends])[starts]
    find = Cumulative(ends)

    def draw(classes: Ints) -> Ints:
        nodes = np.empty(len(classes), dtype=np.int64)
        for start in range(0, len(classes), AT_A_TIME):
            some = classes[start : start + AT_A_TIME]
            at = below[some] + rng.random(len(some)) * (below[some + 1] - below[some])
            # Rounding may put a draw on the border of its class.
            nodes[start : start + AT_A_TIME] = np.clip(find(at), starts[some], starts[some + 1] - 1)
        return nodes

    return draw
