"""The graph that every statistic is of: prepared once from a user's data, shared by all statistics."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from gnnmc.graphstats.reading import read_edges, read_features, read_labels, read_num_nodes
from gnnmc.graphstats.spectrum import spectral_gaps
from gnnmc.graphstats.triangles import count_triangles

Array: TypeAlias = np.ndarray


@dataclass(frozen=True, eq=False)
class SimpleGraph:
    """Arcs, labels and features of one graph; nothing in it may be written to (features are the user's own memory).

    An undirected edge is two arcs, one each way; self-loops are gone. With `directed` the arcs are those that were
    stored, multiplicity included. The neighbors of a node are the *sources* of the arcs into it, as in a PyG layer,
    so that its degree is the number of messages it receives.

    Shapes:
        source, target: (A,) node numbers; A = 2|E|, or the stored edges without self-loops with `directed`.
        labels: (N,) class numbers 0 … C-1 in order of the user's labels, -1 where unlabeled.
        features: (N, F), dense or sparse rows, or None.
    """

    num_nodes: int
    source: Array
    target: Array
    labels: Array
    num_classes: int
    features: "Array | sp.csr_array | None"
    directed: bool = False

    @property
    def num_edges(self) -> int:
        """Undirected edges, each counted once; arcs with `directed`."""
        return len(self.source) if self.directed else len(self.source) // 2

    @cached_property
    def degrees(self) -> Array:
        """Neighbors of each node, (N,)."""
        return np.bincount(self.target, minlength=self.num_nodes)

    @cached_property
    def adjacency(self) -> sp.csr_array:
        """Arc counts, row = target, column = source, (N, N)."""
        ones = np.ones(len(self.source))
        return sp.csr_array((ones, (self.target, self.source)), shape=(self.num_nodes, self.num_nodes))

    @cached_property
    def propagation(self) -> sp.csr_array:
        """Â = D̃^-½(A+I)D̃^-½, row = receiver, (N, N): what a GCN layer multiplies by (Kipf & Welling 2017)."""
        scale = sp.diags_array(1.0 / np.sqrt(self.degrees + 1.0))
        return (scale @ (self.adjacency + sp.eye_array(self.num_nodes, format="csr")) @ scale).tocsr()

    @cached_property
    def components(self) -> Array:
        """Number of the connected component of each node, directions forgotten, (N,)."""
        if self.num_nodes == 0:
            return np.zeros(0, dtype=np.int64)
        return connected_components(self.adjacency, directed=self.directed, connection="weak")[1]

    @cached_property
    def gaps(self) -> tuple[float, float]:
        """Both spectral gaps, 1-λ₂ and 1-max(|λ₂|, |λ_n|), of Â on the largest component."""
        return spectral_gaps(self.adjacency, self.components)

    @cached_property
    def triangles(self) -> Array:
        """Triangles through each node, (N,). Of a simple undirected graph only."""
        return count_triangles(self.adjacency)

    @cached_property
    def class_sizes(self) -> Array:
        """Labeled nodes of each class, (C,); never 0."""
        return np.bincount(self.labels[self.labels >= 0], minlength=self.num_classes)

    @cached_property
    def label_arcs(self) -> "LabelArcs":
        """What the label statistics see: the arcs whose two ends are labeled."""
        return LabelArcs.of(self)


@dataclass(frozen=True, eq=False)
class LabelArcs:
    """The arcs whose two ends are labeled: an unlabeled end leaves an edge out of |E| and of D_k (science 1.7).

    Shapes:
        receiver: (A',) target nodes; to_class, from_class: (A',) class of the target and of the source.
    """

    num_nodes: int
    num_classes: int
    receiver: Array
    to_class: Array
    from_class: Array

    @classmethod
    def of(cls, graph: SimpleGraph) -> "LabelArcs":
        """The label arcs of `graph`."""
        from_class, to_class = graph.labels[graph.source], graph.labels[graph.target]
        kept = (from_class >= 0) & (to_class >= 0)
        return cls(graph.num_nodes, graph.num_classes, graph.target[kept], to_class[kept], from_class[kept])

    def __len__(self) -> int:
        return len(self.receiver)

    @cached_property
    def same(self) -> Array:
        """True where both ends are of one class, (A',)."""
        return self.to_class == self.from_class

    @cached_property
    def degrees(self) -> Array:
        """Labeled neighbors of each node, (N,)."""
        return np.bincount(self.receiver, minlength=self.num_nodes)

    @cached_property
    def to_totals(self) -> Array:
        """D_k: arcs into each class, (C,)."""
        return np.bincount(self.to_class, minlength=self.num_classes)

    @cached_property
    def from_totals(self) -> Array:
        """Arcs out of each class, (C,); equal to `to_totals` in an undirected graph."""
        return np.bincount(self.from_class, minlength=self.num_classes)

    def joint(self, weights: Array | None = None) -> tuple[Array, Array, Array]:
        """Pairs (c1, c2) of receiver's and sender's class that occur, with their summed weight (default: counts).

        Sparse, so that a label per node costs no C × C table.
        """
        values = np.ones(len(self)) if weights is None else weights
        shape = (self.num_classes, self.num_classes)
        table = sp.coo_array((values, (self.to_class, self.from_class)), shape=shape).tocsr().tocoo()
        return table.coords[0], table.coords[1], table.data


def prepare(data: object, directed: bool = False) -> SimpleGraph:
    """Read `x`, `edge_index`, `y`, `num_nodes` of `data` by attribute and make the graph simple.

    Symmetrizes, merges multi-edges and drops self-loops; with `directed` only the self-loops go (the convention of
    the values published for graphs as stored). `data` is not changed.

    Raises InputError: no or malformed `edge_index`, a node number out of range, `y` that is not one integer per node,
    `x` that is not (N, F), `num_nodes` that disagrees with them.
    """
    edges = read_edges(data)
    num_nodes = read_num_nodes(data, edges)
    labels, num_classes = read_labels(data, num_nodes)
    source, target = edges[:, edges[0] != edges[1]]
    if not directed:
        source, target = _symmetrized(source, target, num_nodes)
    return SimpleGraph(num_nodes, source, target, labels, num_classes, read_features(data, num_nodes), directed)


def _symmetrized(source: Array, target: Array, num_nodes: int) -> tuple[Array, Array]:
    """Each unordered pair once, then both its arcs."""
    # sorted by hand: np.unique hashes whole numbers (numpy 2.3 on) and takes 70 times as long for a million
    pairs = np.sort(np.minimum(source, target) * num_nodes + np.maximum(source, target))
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]
    low, high = np.divmod(pairs, max(num_nodes, 1))
    return np.concatenate([low, high]), np.concatenate([high, low])
