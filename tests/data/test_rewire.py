"""Rewiring: what is kept, what is reached, what is refused."""

import json
import os

import networkx as nx
import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from gnnmc.data import csbm, load_graph
from gnnmc.data.rewire import REWIRINGS, reachable_homophily, rewire
from gnnmc.errors import InputError
from gnnmc.graphstats import graph_stats


@pytest.fixture(scope="module")
def graph():
    return csbm(num_nodes=400, num_classes=4, homophily=0.4, mean_degree=8, num_features=6, degree_exponent=2.5)


def homophily_of(data):
    i, j = data.edge_index
    return float((data.y[i] == data.y[j]).double().mean())


def degrees_of(data):
    return torch.bincount(data.edge_index[0], minlength=data.num_nodes)


def assert_simple(data):
    assert data.is_coalesced()
    assert data.is_undirected()
    assert not data.has_self_loops()


@pytest.mark.parametrize("method", REWIRINGS)
@pytest.mark.parametrize("homophily", [None, 0.0, 0.21, 0.24, 0.4, 0.8, 0.97])
def test_only_the_edges_change(graph, method, homophily):
    before = graph.clone()
    data = rewire(graph, homophily, method=method)
    target = homophily_of(graph) if homophily is None else homophily
    assert abs(homophily_of(data) - target) <= 1 / data.rewired["num_edges"]
    assert_simple(data)
    assert torch.equal(degrees_of(data), degrees_of(graph))
    for kept in ("x", "y", "train_mask", "val_mask", "test_mask"):
        assert torch.equal(data[kept], graph[kept])
        assert data[kept].data_ptr() != graph[kept].data_ptr()
    assert data.csbm == graph.csbm
    for name, value in before.to_dict().items():
        assert torch.equal(graph[name], value) if isinstance(value, torch.Tensor) else graph[name] == value
    assert "rewired" not in graph


def test_asked_and_realized_values_travel_with_the_data(graph):
    record = rewire(graph, 0.7, method="resample", seed=np.int64(3)).rewired
    assert json.loads(json.dumps(record)) == record
    assert record["asked"] == 0.7
    assert record["realized_homophily"] == pytest.approx(0.7, abs=1 / 1600)
    assert record["original_homophily"] == pytest.approx(homophily_of(graph))
    assert record["num_edges"] == record["num_labeled_edges"] == 1600
    assert record["neutral_swaps"] >= 10 * 1600
    assert record["reachable"] == list(reachable_homophily(graph))
    assert record["reached"]
    assert not record["simplified"]
    assert (record["method"], record["seed"]) == ("resample", 3)


@pytest.mark.parametrize("homophily", [0.05, 0.2, 0.6, 0.9])
def test_the_fewest_swaps_leave_most_edges(graph, homophily):
    data = rewire(graph, homophily)
    moved = abs(round((homophily_of(data) - homophily_of(graph)) * 1600))
    assert data.rewired["swaps"] <= 1.02 * moved / 2 + 2  # 2 edges a swap, nearly
    assert data.rewired["neutral_swaps"] == 0
    kept = torch.isin(codes_of(data), codes_of(graph)).double().mean()
    assert kept >= 1 - 2 * data.rewired["swaps"] / 1600


def codes_of(data):
    return data.edge_index[0] * data.num_nodes + data.edge_index[1]


def test_nothing_is_swapped_where_nothing_is_to_change(graph):
    assert torch.equal(rewire(graph).edge_index, graph.edge_index)


def test_a_falling_homophily_spreads_over_all_pairs_of_classes(graph):
    def between(data):
        i, j = data.edge_index
        table = torch.zeros(4, 4).index_put((data.y[i], data.y[j]), torch.tensor(1.0), accumulate=True)
        return table[~torch.eye(4, dtype=torch.bool)]

    counts = torch.stack([between(rewire(graph, 0.0, seed=seed)) for seed in range(5)]).mean(0)
    assert counts.min() > 0.85 * counts.mean()
    assert counts.max() < 1.15 * counts.mean()


def test_resampling_forgets_the_given_edges_and_minimal_does_not():
    caves = nx.connected_caveman_graph(40, 6)
    arcs = torch.tensor(list(caves.to_directed().edges)).T.contiguous()
    data = Data(edge_index=arcs, y=torch.arange(240) % 3, num_nodes=240)
    clustering = graph_clustering(data)
    resampled = rewire(data, method="resample")
    assert clustering > 0.6
    assert homophily_of(resampled) == homophily_of(data)
    assert graph_clustering(resampled) < 0.1
    assert graph_clustering(rewire(data, homophily_of(data) + 0.03)) > 0.5


def graph_clustering(data):
    graph = nx.Graph()
    graph.add_nodes_from(range(data.num_nodes))
    graph.add_edges_from(data.edge_index.T.tolist())
    return nx.average_clustering(graph)


def test_one_seed_is_one_graph_whatever_the_global_generators_do(graph):
    torch.manual_seed(1)
    np_state, state = np.random.get_state()[1].copy(), torch.random.get_rng_state()  # noqa: NPY002
    first = rewire(graph, 0.6, method="resample")
    assert torch.equal(torch.random.get_rng_state(), state)
    assert np.array_equal(np.random.get_state()[1], np_state)  # noqa: NPY002
    assert torch.equal(first.edge_index, rewire(graph, 0.6, method="resample").edge_index)
    assert not torch.equal(first.edge_index, rewire(graph, 0.6, method="resample", seed=1).edge_index)
    assert not torch.equal(rewire(graph, 0.6).edge_index, rewire(graph, 0.6, seed=1).edge_index)


def test_arcs_multi_edges_and_loops_become_a_simple_graph(graph):
    one_way = graph.edge_index[:, graph.edge_index[0] < graph.edge_index[1]]
    messy = graph.clone()
    messy.edge_index = torch.cat([one_way.flip(1), one_way[:, :50], torch.tensor([[3, 5], [3, 5]])], dim=1)
    data = rewire(messy, 0.6)
    assert data.rewired["simplified"]
    assert torch.equal(data.edge_index, rewire(graph, 0.6).edge_index)
    assert torch.equal(rewire(messy).edge_index, graph.edge_index)


def test_a_loop_does_not_make_up_for_an_arc_that_goes_one_way(graph):
    far = next(node for node in range(1, 400) if node not in graph.edge_index[1, graph.edge_index[0] == 0])
    messy = graph.clone()
    messy.edge_index = torch.cat([graph.edge_index, torch.tensor([[7, 0], [7, far]])], dim=1)
    assert rewire(messy, 0.6).rewired["simplified"]


def test_edges_of_unlabeled_nodes_stay(graph):
    some = graph.clone()
    some.y[::5] = -1
    data = rewire(some, 0.8, method="resample")
    assert torch.equal(degrees_of(data), degrees_of(graph))
    assert_simple(data)

    def unlabeled(data):
        return data.edge_index[:, (data.y[data.edge_index] < 0).any(0)]

    assert unlabeled(some).numel() > 0
    assert torch.equal(unlabeled(data), unlabeled(some))
    realized = graph_stats(data, names=["homophily_edge"]).homophily_edge
    assert realized == pytest.approx(0.8, abs=1 / data.rewired["num_labeled_edges"])
    assert data.rewired["num_labeled_edges"] < data.rewired["num_edges"] == 1600


def test_labels_need_not_be_counted_from_zero(graph):
    renamed = graph.clone()
    renamed.y = graph.y * 3 + 7
    assert torch.equal(rewire(renamed, 0.7).edge_index, rewire(graph, 0.7).edge_index)


def test_two_classes_go_in_steps_of_two():
    data = csbm(num_nodes=100, num_classes=2, homophily=0.5, mean_degree=5, train_per_class=5)
    for homophily in (0.301, 0.302, 0.303, 0.304, 0.7):
        rewired = rewire(data, homophily)
        assert abs(homophily_of(rewired) - homophily) <= 1 / 250 + 1e-9
        assert round((rewired.rewired["realized_homophily"] - homophily_of(data)) * 250) % 2 == 0


def star(num_leaves=6):
    arcs = torch.stack([torch.zeros(num_leaves, dtype=torch.long), torch.arange(1, num_leaves + 1)])
    return Data(edge_index=torch.cat([arcs, arcs.flip(0)], 1), y=torch.arange(num_leaves + 1) % 3)


def test_a_graph_that_is_the_only_one_says_so():
    with pytest.raises(InputError, match="only 0 of 60 neutral swaps could be made"):
        rewire(star(), method="resample")
    data = rewire(star(), method="resample", nearest=True)
    assert torch.equal(data.edge_index, star().edge_index)
    assert not data.rewired["reached"]
    assert rewire(star(), method="resample", neutral_per_edge=0).rewired["reached"]


def test_a_target_that_swaps_miss_says_what_was_reached():
    data = Data(edge_index=torch.tensor([[0, 1, 2, 3], [1, 2, 3, 0]]), y=torch.tensor([0, 0, 1, 2]))
    low, high = reachable_homophily(data)
    with pytest.raises(InputError, match=r"out of reach .* allowed are 0 to 0.25"):
        rewire(data, 1.0)
    assert (low, high) == (0, 0.25)
    nearest = rewire(data, 1.0, nearest=True).rewired
    assert nearest["realized_homophily"] == 0.25
    assert not nearest["reached"]


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        ({}, {"homophily": 1.5}, "homophily must be a number from 0 to 1 or None, got 1.5"),
        ({}, {"homophily": float("nan")}, "homophily must be"),
        ({}, {"homophily": "0.3"}, "homophily must be a number from 0 to 1 or None, got '0.3'"),
        ({}, {"homophily": 1.0}, "out of reach .* allowed are 0"),
        ({}, {"method": "minimum"}, "unknown rewiring method 'minimum': did you mean 'minimal'"),
        ({}, {"neutral_per_edge": 3}, "'minimal' makes no neutral swaps"),
        ({}, {"method": "resample", "neutral_per_edge": -1}, "neutral_per_edge must be a number, 0 or more, got -1"),
        ({}, {"seed": 0.5}, "seed must be a whole number"),
        ({"y": None}, {}, "one integer label per node in y, shape .N,., got none"),
        ({"y": torch.rand(400)}, {}, "one integer label per node"),
        ({"y": torch.zeros(400, 2, dtype=torch.long)}, {}, "one integer label per node.*400, 2"),
        ({"y": torch.arange(399) % 4}, {}, "y has 399 labels but x has 400 rows"),
        ({"y": torch.zeros(400, dtype=torch.long)}, {}, "all nodes with labeled neighbors are of class 0"),
        ({"y": torch.full((400,), -1)}, {}, "no edge has both ends labeled"),
        ({"edge_index": torch.zeros(2, 0, dtype=torch.long)}, {}, "no edge has both ends labeled"),
        ({"edge_index": torch.tensor([[0, 400], [1, 2]])}, {}, "node number 400: allowed are 0 to 399"),
        ({"edge_index": torch.tensor([[0, -2], [1, 2]])}, {}, "node number -2"),
        ({"edge_index": None}, {}, "edge_index must be an integer tensor"),
        ({"edge_attr": torch.rand(3200, 2)}, {}, "edge_attr: attributes of edges do not survive"),
        ({"edge_weight": torch.rand(3200)}, {}, "edge_weight: attributes of edges"),
    ],
)
def test_what_cannot_be_had_is_refused_in_one_line(graph, change, arguments, message):
    data = graph.clone()
    for name, value in change.items():
        data[name] = value
    with pytest.raises(InputError, match=message) as caught:
        rewire(data, **arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_a_million_edges():
    data = csbm(num_nodes=100_000, mean_degree=20, homophily=0.6, num_features=4, degree_exponent=2.5)
    rewired = rewire(data, 0.3, method="resample", neutral_per_edge=2)
    assert homophily_of(rewired) == pytest.approx(0.3, abs=1e-6)
    assert torch.equal(degrees_of(rewired), degrees_of(data))
    assert_simple(rewired)


ROOT = os.environ.get("GNNMC_DATA")


@pytest.mark.skipif(not ROOT, reason="GNNMC_DATA does not name a folder of raw data sets")
def test_cora_at_its_own_homophily_loses_its_clustering():
    cora = load_graph("Cora")
    rewired = rewire(cora, method="resample")
    assert homophily_of(rewired) == homophily_of(cora)
    assert torch.equal(degrees_of(rewired), degrees_of(cora))
    assert graph_clustering(cora) == pytest.approx(0.241, abs=0.001)
    assert graph_clustering(rewired) < 0.03


@pytest.mark.skipif(not ROOT, reason="GNNMC_DATA does not name a folder of raw data sets")
@pytest.mark.parametrize(
    ("name", "low", "high"), [("heterophilous-minesweeper", 0.60, 1.0), ("webkb-texas", 0.0, 0.74)]
)
def test_reachable_homophily_of_real_graphs(name, low, high):
    assert reachable_homophily(load_graph(name)) == pytest.approx((low, high), abs=0.005)
