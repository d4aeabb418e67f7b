"""What must hold of graph statistics on any graph (Hypothesis)."""

import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch_geometric.data import Data

from gnnmc.graphstats import STATISTICS, graph_stats
from gnnmc.seeding import numpy_generator

# A probe is fitted five times for each value: a test of its own with fewer graphs.
QUICK = [name for name in STATISTICS if name != "separability_linear_probe"]

directions = st.booleans()


@st.composite
def graphs(draw):
    """Up to 12 nodes, any edges (loops, repeats, none), labels with gaps and unlabeled nodes, small features."""
    n = draw(st.integers(1, 12))
    ends = st.integers(0, n - 1)
    pairs = draw(st.lists(st.tuples(ends, ends), max_size=30))
    y = draw(st.lists(st.integers(-1, 3), min_size=n, max_size=n))
    x = draw(hnp.arrays(np.float32, (n, 2), elements=st.integers(-8, 8)))
    edges = torch.tensor(pairs, dtype=torch.long).reshape(-1, 2).T.contiguous()
    return Data(x=torch.tensor(x), edge_index=edges, y=torch.tensor(y), num_nodes=n)


def values(data, directed=False, names=QUICK):
    return graph_stats(data, directed, names=names).to_dict()


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name in first:
        assert first[name] == pytest.approx(second[name], abs=1e-9, nan_ok=True), name


@given(graphs(), directions)
def test_every_value_is_in_its_range_and_nothing_warns(data, directed):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stats = values(data, directed)
    for name, value in stats.items():
        entry = STATISTICS[name]
        assert math.isnan(value) or entry.low - 1e-12 <= value <= entry.high + 1e-12, (name, value)


@given(graphs(), directions, st.randoms(use_true_random=False))
def test_renumbering_the_nodes_changes_nothing(data, directed, random):
    order = torch.tensor(random.sample(range(data.num_nodes), data.num_nodes))  # new number of each old node
    old = torch.argsort(order)
    renumbered = Data(x=data.x[old], edge_index=order[data.edge_index], y=data.y[old], num_nodes=data.num_nodes)
    assert_same(values(data, directed), values(renumbered, directed))


@given(graphs(), directions, st.permutations([0, 1, 2, 3]), st.integers(0, 1000))
def test_renumbering_the_labels_changes_nothing(data, directed, names, shift):
    renamed = data.clone()
    renamed.y = torch.where(data.y >= 0, torch.tensor(names)[data.y] * 3 + shift, data.y)
    assert_same(values(data, directed), values(renamed, directed))


@given(graphs(), st.data())
def test_multi_edges_self_loops_and_direction_do_not_matter(data, draws):
    edges = data.edge_index
    count = edges.shape[1]
    flips = torch.tensor(draws.draw(st.lists(st.booleans(), min_size=count, max_size=count)), dtype=torch.bool)
    repeats = torch.tensor(draws.draw(st.lists(st.integers(1, 3), min_size=count, max_size=count)), dtype=torch.long)
    loops = torch.tensor(draws.draw(st.lists(st.integers(0, data.num_nodes - 1), max_size=3)), dtype=torch.long)
    turned = torch.where(flips, edges.flip(0), edges).repeat_interleave(repeats, dim=1)
    other = data.clone()
    other.edge_index = torch.cat([turned.flip(1), loops.expand(2, -1)], dim=1)
    assert_same(values(data), values(other))


@given(graphs(), directions)
def test_inputs_are_unchanged(data, directed):
    before = data.clone()
    graph_stats(data, directed, names=QUICK)
    assert data.keys() == before.keys()
    for name in ("x", "edge_index", "y"):
        assert torch.equal(data[name], before[name])


@given(graphs(), st.floats(0.1, 10), st.floats(-5, 5))
def test_separability_ignores_shift_and_scale(data, scale, shift):
    moved = data.clone()
    moved.x = data.x.double() * scale + shift
    names = ["separability_fisher"]
    assert list(values(moved, names=names).values()) == pytest.approx(
        list(values(data, names=names).values()), rel=1e-6, abs=1e-9, nan_ok=True
    )


@given(graphs(), st.floats(0.1, 10))
def test_the_unit_of_the_features_does_not_matter(data, scale):
    scaled = data.clone()
    scaled.x = data.x.double() * scale
    names = [name for name in QUICK if name.startswith(("feature", "separability"))]
    assert_same(values(data, names=names), values(scaled, names=names))


@given(graphs())
def test_the_modulus_gap_is_never_the_larger_and_a_disjoint_copy_changes_no_gap(data):
    names = ["gap_algebraic", "gap_modulus", "transitivity", "clustering_average", "degree_assortativity"]
    stats = values(data, names=names)
    assert math.isnan(stats["gap_modulus"]) or stats["gap_modulus"] <= stats["gap_algebraic"]
    edges = torch.cat([data.edge_index, data.edge_index + data.num_nodes], dim=1)
    assert_same(values(Data(edge_index=edges, num_nodes=2 * data.num_nodes), names=names), stats)


@settings(max_examples=10)
@given(graphs(), st.randoms(use_true_random=False), st.permutations([0, 1, 2, 3]))
def test_the_probe_depends_on_features_and_labels_only(data, random, names):
    def probe(data):
        return graph_stats(data, names=["separability_linear_probe"]).separability_linear_probe

    value = probe(data)
    assert math.isnan(value) or 0 <= value <= 1
    old = torch.tensor(random.sample(range(data.num_nodes), data.num_nodes))
    assert probe(Data(x=data.x[old], edge_index=data.edge_index, y=data.y[old])) == pytest.approx(value, nan_ok=True)
    assert probe(Data(x=data.x.to_sparse(), edge_index=data.edge_index, y=data.y)) == pytest.approx(value, nan_ok=True)
    # nodes of equal features and different classes have no order of their own: names of classes decide there
    data.x = data.x + torch.arange(data.num_nodes)[:, None] / 97
    renamed = data.clone()
    renamed.y = torch.where(data.y >= 0, torch.tensor(names)[data.y], data.y)
    assert probe(renamed) == pytest.approx(probe(data), nan_ok=True)


@given(graphs())
def test_sparse_features_give_what_dense_ones_give(data):
    sparse = data.clone()
    sparse.x = data.x.to_sparse()
    assert_same(values(data), values(sparse))


@pytest.mark.parametrize("proportions", [[0.5, 0.5], [0.8, 0.1, 0.1], [0.2] * 5])
def test_shuffled_labels_have_no_adjusted_homophily_and_no_informativeness(proportions):
    rng = numpy_generator("shuffled labels", len(proportions))
    n, m = 20_000, 100_000
    y = np.sort(rng.choice(len(proportions), n, p=proportions))
    # neighbors are near in number, so sorted labels are homophilous and shuffled ones are not
    source = rng.integers(0, n, m)
    edges = torch.tensor(np.stack([source, (source + rng.integers(1, 50, m)) % n]))
    names = [name for name in STATISTICS if name.startswith(("homophily", "label"))]
    sorted_stats = graph_stats(Data(edge_index=edges, y=torch.tensor(y), num_nodes=n), names=names)
    stats = graph_stats(Data(edge_index=edges, y=torch.tensor(rng.permutation(y)), num_nodes=n), names=names)
    assert sorted_stats.homophily_adjusted > 0.9
    # standard error of a share over 100,000 edges: .0016 at most; of 20,000 nodes: .0035
    assert abs(stats.homophily_adjusted) < 0.015
    assert abs(stats.label_informativeness) < 1e-3
    assert abs(stats.label_informativeness_node) < 1e-3
    assert stats.homophily_insensitive < 0.015
    # plain edge homophily does not know: it is the chance of equal labels
    assert stats.homophily_edge == pytest.approx(np.square(np.bincount(y) / n).sum(), abs=0.01)
