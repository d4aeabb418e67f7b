"""Rewiring against all graphs of the same degrees, listed one by one."""

from collections import Counter
from itertools import combinations

import networkx as nx
import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from gnnmc.data.rewire import reachable_homophily, rewire
from gnnmc.data.rewire_swaps import Edges, mix
from gnnmc.seeding import numpy_generator


def neighbors_by_swap(edges):
    """All graphs that one double-edge swap makes of this one; graphs are frozensets of pairs i < j."""
    for (a, b), (c, d) in combinations(sorted(edges), 2):
        for one, other in (((a, c), (b, d)), ((a, d), (b, c))):
            new = {tuple(sorted(one)), tuple(sorted(other))}
            if len(new) == 2 and all(i != j for i, j in new) and not new & edges:
                yield (edges - {(a, b), (c, d)}) | new


def distances(start):
    """Least number of swaps from `start` to every graph of its degrees (all are connected by swaps, Taylor 1981)."""
    found, layer, steps = {start: 0}, [start], 0
    while layer:
        steps += 1
        layer = [near for edges in layer for near in neighbors_by_swap(edges) if found.setdefault(near, steps) == steps]
        layer = list(dict.fromkeys(layer))
        layer = [edges for edges in layer if found[edges] == steps]
    return found


def homophily_of(edges, labels):
    return sum(labels[i] == labels[j] for i, j in edges) / len(edges)


def small(seed):
    """A start and its labels: 7 nodes, 7 to 9 edges, 2 to 4 classes."""
    rng = np.random.default_rng(seed)
    graph = nx.gnm_random_graph(7, int(rng.integers(7, 10)), seed=seed)
    labels = rng.permutation(np.arange(7) % rng.integers(2, 5))
    return frozenset(tuple(sorted(edge)) for edge in graph.edges), labels


def as_data(edges, labels):
    arcs = torch.tensor(sorted(edges)).T
    return Data(edge_index=torch.cat([arcs, arcs.flip(0)], 1), y=torch.from_numpy(labels), num_nodes=len(labels))


def as_set(data):
    return frozenset((i, j) for i, j in data.edge_index.T.tolist() if i < j)


@pytest.mark.parametrize("seed", range(12))
def test_bounds_hold_every_target_is_reached_and_swaps_are_few(seed):
    start, labels = small(seed)
    steps = distances(start)
    least = {}
    for edges, count in steps.items():
        value = round(homophily_of(edges, labels) * len(start))
        least[value] = min(count, least.get(value, 99))
    low, high = reachable_homophily(as_data(start, labels))
    assert low * len(start) <= min(least) + 1e-9
    assert max(least) <= high * len(start) + 1e-9
    for value, count in least.items():
        data = rewire(as_data(start, labels), value / len(start), seed=seed)
        assert as_set(data) in steps
        assert round(homophily_of(as_set(data), labels) * len(start)) == value
        assert steps[as_set(data)] <= data.rewired["swaps"]
        assert data.rewired["swaps"] <= count + EXTRA


# Of graphs so small that single edges block each other, greedy swaps need a few more than the best choice.
EXTRA = 12


def test_in_most_small_graphs_no_smaller_number_of_swaps_would_do():
    extra = []
    for seed in range(12):
        start, labels = small(seed)
        steps = distances(start)
        values = {round(homophily_of(edges, labels) * len(start)) for edges in steps}
        for value in values:
            data = rewire(as_data(start, labels), value / len(start), seed=seed)
            best = min(n for edges, n in steps.items() if round(homophily_of(edges, labels) * len(start)) == value)
            extra.append(data.rewired["swaps"] - best)
    assert min(extra) >= 0
    assert np.mean(np.array(extra) == 0) > 0.8


def test_resampling_is_uniform_over_the_graphs_of_these_degrees_and_homophily():
    labels = np.array([0, 0, 0, 1, 1, 2])
    start = frozenset({(0, 1), (0, 3), (1, 4), (2, 3), (2, 5), (3, 4)})
    same = sum(labels[i] == labels[j] for i, j in start)
    graphs = {edges for edges in distances(start) if sum(labels[i] == labels[j] for i, j in edges) == same}
    edges = Edges(np.sort([i * 6 + j for i, j in start]), labels)
    rng, seen, rounds = numpy_generator("uniform"), Counter(), 2000
    for _ in range(rounds):
        edges, _ = mix(edges, 5, rng)
        seen[frozenset(divmod(int(code), 6) for code in edges.codes)] += 1
    assert set(seen) <= graphs
    assert len(graphs) > 10
    expected = rounds / len(graphs)
    chi_square = sum((seen[graph] - expected) ** 2 / expected for graph in graphs)
    assert chi_square < len(graphs) - 1 + 5 * np.sqrt(2 * (len(graphs) - 1))
