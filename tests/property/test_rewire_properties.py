"""What holds for every rewired graph."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.data import Data

from gnnmc.data.rewire import REWIRINGS, reachable_homophily, rewire
from gnnmc.errors import InputError


@st.composite
def graphs(draw):
    """Any arcs on a few nodes, loops, multi-edges and unlabeled nodes among them; sparse to complete."""
    num_nodes = draw(st.integers(2, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    arcs = rng.integers(0, num_nodes, (2, draw(st.integers(1, 4 * num_nodes))))
    if draw(st.booleans()):  # hubs
        arcs = (arcs**2 // num_nodes) % num_nodes
    labels = rng.integers(-1 if draw(st.booleans()) else 0, draw(st.integers(2, 6)), num_nodes)
    return Data(
        edge_index=torch.from_numpy(arcs),
        y=torch.from_numpy(labels),
        num_nodes=num_nodes,
        marks=torch.arange(num_nodes),
    )


def simple_edges(data):
    """The set of pairs i < j, by a loop."""
    return {(min(i, j), max(i, j)) for i, j in data.edge_index.T.tolist() if i != j}


def degrees(edges, num_nodes):
    count = [0] * num_nodes
    for i, j in edges:
        count[i] += 1
        count[j] += 1
    return count


@settings(max_examples=150)
@given(graphs(), st.sampled_from(REWIRINGS.names()), st.floats(0, 1), st.integers(0, 99))
def test_degrees_labels_and_unlabeled_edges_are_kept_and_the_target_is_met_or_refused(data, method, position, seed):
    before = data.clone()
    labels = data.y.tolist()
    given_edges = simple_edges(data)
    counted = {(i, j) for i, j in given_edges if min(labels[i], labels[j]) >= 0}
    try:
        low, high = reachable_homophily(data)
    except InputError as error:
        assert any(words in str(error) for words in ("no edge has both", "are of class"))
        return
    own = sum(labels[i] == labels[j] for i, j in counted) / len(counted)
    assert low - 1e-9 <= own <= high + 1e-9

    target = low + position * (high - low)
    try:
        result = rewire(data, target, method=method, seed=seed)
    except InputError as error:
        assert any(words in str(error) for words in ("is not reached", "neutral swaps could be made"))
        result = rewire(data, target, method=method, seed=seed, nearest=True)
        assert not result.rewired["reached"]
    edges = simple_edges(result)
    assert result.edge_index.shape[1] == 2 * len(edges)
    assert degrees(edges, len(labels)) == degrees(given_edges, len(labels))
    assert torch.equal(result.y, data.y)
    assert torch.equal(result.marks, data.marks)
    assert torch.equal(data.edge_index, before.edge_index)
    fixed = {(i, j) for i, j in edges if min(labels[i], labels[j]) < 0}
    assert fixed == given_edges - counted
    realized = sum(labels[i] == labels[j] for i, j in edges - fixed) / len(counted)
    assert realized == result.rewired["realized_homophily"]
    if result.rewired["reached"]:
        assert abs(realized - target) <= 1 / len(counted) + 1e-9
    else:
        assert abs(realized - target) <= max(abs(own - target), 1 / len(counted)) + 1e-9
