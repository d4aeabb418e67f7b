"""Double-edge swaps, many at once: (a, b), (c, d) become (a, c), (b, d), so every node keeps its degree."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Edges:
    """The edges of a simple undirected graph whose nodes have classes; nothing in it is written to.

    Shapes:
        codes: (E,) ascending codes i·N + j with i < j
        classes: (N,) class of every node that has an edge
    """

    codes: Ints
    classes: Ints

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def ends(self) -> tuple[Ints, Ints]:
        """The nodes i < j of every edge, (E,) each."""
        return np.divmod(self.codes, max(len(self.classes), 1))

    @cached_property
    def end_classes(self) -> tuple[Ints, Ints]:
        """The classes of the two ends, (E,) each."""
        i, j = self.ends
        return self.classes[i], self.classes[j]

    @cached_property
    def same(self) -> Bools:
        """Whether both ends are of one class, (E,)."""
        a, b = self.end_classes
        return a == b

    @cached_property
    def num_same(self) -> int:
        """Edges inside classes."""
        return int(np.count_nonzero(self.same))


@dataclass(frozen=True, eq=False)
class Swaps:
    """Proposed swaps of disjoint pairs of edges.

    Shapes:
        first, second: (P,) places of the two edges in `Edges.codes`; no edge is in two swaps
        new: (2, P) codes of what they become
        loop: (P,) whether one of these joins a node with itself
    """

    first: Ints
    second: Ints
    new: Ints
    loop: Bools

    def __len__(self) -> int:
        return len(self.first)

    def some(self, most: int, rng: np.random.Generator) -> "Swaps":
        """At most `most` of them, at random."""
        if len(self) <= most:
            return self
        kept = rng.permutation(len(self))[:most]
        return Swaps(self.first[kept], self.second[kept], self.new[:, kept], self.loop[kept])


def propose(edges: Edges, first: Ints, second: Ints, gain: int, rng: np.random.Generator) -> Swaps:
    """The swaps of these pairs of edges that change the number of edges inside classes by `gain`.

    Two edges can be swapped in two ways: one of those with this gain, at random where both have it.

    Shapes:
        first, second: (P,) places in `edges.codes`, all different
    """
    i, j = edges.ends
    a, b, c, d = i[first], j[first], i[second], j[second]
    turned = rng.random(len(first)) < 0.5
    c, d = np.where(turned, d, c), np.where(turned, c, d)
    classes = edges.classes
    of_a, of_b, of_c, of_d = (classes[end] for end in (a, b, c, d))
    wanted = (of_a == of_b).astype(np.int8) + (of_c == of_d) + np.int8(gain)
    straight = (of_a == of_c).astype(np.int8) + (of_b == of_d) == wanted
    other = ~straight & ((of_a == of_d).astype(np.int8) + (of_b == of_c) == wanted)
    c, d = np.where(other, d, c), np.where(other, c, d)
    kept = np.flatnonzero(straight | other)
    a, b, c, d = a[kept], b[kept], c[kept], d[kept]
    num_nodes = len(classes)
    new = np.stack(
        [np.minimum(a, c) * num_nodes + np.maximum(a, c), np.minimum(b, d) * num_nodes + np.maximum(b, d)],
    )
    return Swaps(first[kept], second[kept], new, (a == c) | (b == d))


def carry_out(edges: Edges, swaps: Swaps) -> tuple[Edges, int]:
    """The graph after those swaps that get in nobody's way, and their number.

    A swap is left out when it makes a loop, an edge that is there already (also one that another swap takes away), an
    edge that another proposal makes too, or when its own old edge is what another proposal makes. Under exactly these
    rules the same proposals, turned round, lead back: batches of random pairs are a symmetric chain.
    """
    if not len(swaps):
        return edges, 0
    place = np.minimum(np.searchsorted(edges.codes, swaps.new), len(edges) - 1)
    there = edges.codes[place] == swaps.new
    claimed = np.zeros(len(edges), dtype=bool)
    claimed[place[there]] = True
    out = swaps.loop | there.any(axis=0) | claimed[swaps.first] | claimed[swaps.second]
    made = np.sort(swaps.new, axis=None)
    twice = made[1:][made[1:] == made[:-1]]
    if len(twice):
        near = np.minimum(np.searchsorted(twice, swaps.new), len(twice) - 1)
        out |= (twice[near] == swaps.new).any(axis=0)
    done = np.flatnonzero(~out)
    if not len(done):
        return edges, 0
    codes = edges.codes.copy()
    codes[swaps.first[done]], codes[swaps.second[done]] = swaps.new[:, done]
    return Edges(np.sort(codes), edges.classes), len(done)


def mix(edges: Edges, least: int, rng: np.random.Generator) -> tuple[Edges, int]:
    """At least `least` random swaps that leave the number of edges inside classes as it is, and how many they were.

    Every round pairs all edges at random. The chain is symmetric (see `carry_out`), so it tends to the uniform law over
    the simple graphs with these degrees and this number that swaps lead to. To stop at the moment after a swap would
    favor the graphs that swaps reach easily: whether to stop is asked every ten rounds only, and ten more follow. It
    gives up, with fewer swaps, where hardly any graph but this one has these degrees: a star, a complete graph.
    """
    half = len(edges) // 2
    made = tried = fruitless = 0
    while made < least and half and fruitless < max(1000, 20 * len(edges)) and tried < 1000 * max(least, 100):
        edges, accepted = _ten_rounds(edges, rng)
        made += accepted
        tried += 10 * half
        fruitless = 0 if accepted else fruitless + 10 * half
    if least and half:
        edges, accepted = _ten_rounds(edges, rng)
        made += accepted
    return edges, made


def _ten_rounds(edges: Edges, rng: np.random.Generator) -> tuple[Edges, int]:
    """Ten times all edges in random pairs, and the number of swaps that were carried out."""
    half, made = len(edges) // 2, 0
    for _ in range(10):
        order = rng.permutation(len(edges))
        edges, accepted = carry_out(edges, propose(edges, order[:half], order[half : 2 * half], 0, rng))
        made += accepted
    return edges, made
