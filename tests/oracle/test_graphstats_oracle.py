"""Graph statistics against slow double loops, networkx, scikit-learn, PyG, the hand check and published values."""

import math
import os
from collections import Counter
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import torch
from sklearn.feature_selection import f_classif
from torch_geometric.data import Data
from torch_geometric.datasets import Planetoid, WebKB
from torch_geometric.utils import homophily, to_undirected

from gnnmc.graphstats import STATISTICS, graph_stats
from gnnmc.seeding import numpy_generator

SEEDS = range(12)


def messy_graph(seed):
    """Few nodes, many multi-edges, self-loops, isolated and unlabeled nodes, labels with gaps."""
    rng = numpy_generator("graphstats oracle", seed)
    n = int(rng.integers(6, 30))
    joined = int(rng.integers(3, n))  # the rest stays isolated
    edges = rng.integers(0, joined, (2, int(rng.integers(1, 3 * n))))
    edges = np.concatenate([edges, edges[:, ::2], edges[::-1, ::3]], axis=1)
    y = rng.choice([-1, 0, 2, 5], n, p=[0.2, 0.4, 0.2, 0.2])
    y[:2] = [0, 2]
    x = rng.normal(size=(n, 4)) * rng.integers(0, 2, (n, 4))
    return Data(x=torch.tensor(x), edge_index=torch.tensor(edges), y=torch.tensor(y), num_nodes=n)


# slow loops, written from the formulas of science 1.7 (undirected) with sets and dictionaries


def neighbor_sets(data):
    neighbors = [set() for _ in range(data.num_nodes)]
    for u, v in data.edge_index.T.tolist():
        if u != v:
            neighbors[u].add(v)
            neighbors[v].add(u)
    return neighbors


def in_neighbor_lists(data):
    neighbors = [[] for _ in range(data.num_nodes)]
    for u, v in data.edge_index.T.tolist():
        if u != v:
            neighbors[v].append(u)
    return neighbors


def plogp(law):
    return sum(p * math.log(p) for p in law.values() if p > 0)


def slow_label_statistics(neighbors, y):
    """For a list of neighbors per node. Undirected |E| and D_k are halves of the arc counts used here."""
    nan = float("nan")
    n = len(y)
    around = [[v for v in neighbors[u] if y[v] >= 0] if y[u] >= 0 else [] for u in range(n)]
    arcs = [(y[u], y[v]) for u in range(n) for v in around[u]]
    classes = sorted({k for k in y if k >= 0})
    names = [name for name in STATISTICS if name.startswith(("homophily", "label_informativeness"))]
    if len(classes) < 2 or not arcs:
        return dict.fromkeys(names, nan)
    into = {k: sum(a == k for a, _ in arcs) for k in classes}
    out_of = {k: sum(b == k for _, b in arcs) for k in classes}
    edge = sum(a == b for a, b in arcs) / len(arcs)
    shares = [sum(y[v] == y[u] for v in around[u]) / len(around[u]) for u in range(n) if around[u]]
    labeled = sum(k >= 0 for k in y)
    insensitive = 0.0
    for k in classes:
        h_k = sum(a == b == k for a, b in arcs) / into[k] if into[k] else 0.0
        insensitive += max(0.0, h_k - sum(label == k for label in y) / labeled)
    expected = sum(into[k] * out_of[k] for k in classes) / len(arcs) ** 2
    joint = {pair: count / len(arcs) for pair, count in Counter(arcs).items()}
    p_to = {k: into[k] / len(arcs) for k in classes}
    p_from = {k: out_of[k] / len(arcs) for k in classes}
    reached = [u for u in range(n) if around[u]]
    p_node = {k: sum(y[u] == k for u in reached) / len(reached) for k in classes}
    p_walk = Counter()
    for u in reached:
        for v in around[u]:
            p_walk[y[u], y[v]] += 1 / (len(reached) * len(around[u]))
    li_node = sum(p * math.log(p / (p_node[a] * p_from[b])) for (a, b), p in p_walk.items())
    return {
        "homophily_edge": edge,
        "homophily_node": sum(shares) / len(shares),
        "homophily_insensitive": insensitive / (len(classes) - 1),
        "homophily_adjusted": (edge - expected) / (1 - expected) if expected < 1 else nan,
        # undirected: p_to = p_from = p-bar, and this is 2 - plogp(joint)/plogp(p-bar)
        "label_informativeness": (plogp(p_to) + plogp(p_from) - plogp(joint)) / plogp(p_to) if plogp(p_to) else nan,
        "label_informativeness_node": -li_node / plogp(p_node) if plogp(p_node) else nan,
    }


def slow_structure(neighbors, data, directed):
    n = data.num_nodes
    degrees = [len(around) for around in neighbors]
    mean = sum(degrees) / n
    touching = [set(around) for around in neighbors]
    for u in range(n):
        for v in neighbors[u]:
            touching[v].add(u)
    unseen, sizes = set(range(n)), []
    while unseen:
        piece, frontier = set(), {min(unseen)}
        while frontier:
            piece |= frontier
            frontier = {v for u in frontier for v in touching[u]} - piece
        unseen -= piece
        sizes.append(len(piece))
    deviation = math.sqrt(sum((d - mean) ** 2 for d in degrees) / n)
    labeled = [k for k in data.y.tolist() if k >= 0]
    return {
        "num_nodes": n,
        "num_edges": sum(degrees) if directed else sum(degrees) // 2,
        "num_classes": len(set(labeled)),
        "num_features": data.x.shape[1],
        "labeled_share": len(labeled) / n,
        "largest_class_share": max(Counter(labeled).values()) / len(labeled),
        "density": sum(degrees) / (n * (n - 1)),
        "degree_mean": mean,
        "degree_min": min(degrees),
        "degree_max": max(degrees),
        "degree_cv": deviation / mean if mean else float("nan"),
        "num_components": len(sizes),
        "largest_component_share": max(sizes) / n,
        "isolated_nodes": sum(not around for around in touching),
    }


def slow_separability(x, y):
    rows = [i for i in range(len(y)) if y[i] >= 0]
    between = within = 0.0
    for j in range(x.shape[1]):
        grand = sum(x[i][j] for i in rows) / len(rows)
        for k in {y[i] for i in rows}:
            members = [x[i][j] for i in rows if y[i] == k]
            mean = sum(members) / len(members)
            between += len(members) * (mean - grand) ** 2
            within += sum((value - mean) ** 2 for value in members)
    return {"separability_fisher": between / within}


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_every_statistic_is_its_slow_loop(seed, directed):
    data = messy_graph(seed)
    y = data.y.tolist()
    neighbors = in_neighbor_lists(data) if directed else neighbor_sets(data)
    slow = {
        **slow_label_statistics(neighbors, y),
        **slow_structure(neighbors, data, directed),
        **slow_separability(data.x.numpy(), y),
    }
    fast = graph_stats(data, directed, names=[name for name in STATISTICS if name in slow]).to_dict()
    assert fast.keys() == slow.keys()
    for name in slow:
        assert fast[name] == pytest.approx(slow[name], abs=1e-12, nan_ok=True), name


# networkx, scikit-learn, PyG


@pytest.mark.parametrize("seed", SEEDS)
def test_structure_is_that_of_networkx(seed):
    data = messy_graph(seed)
    graph = nx.Graph()
    graph.add_nodes_from(range(data.num_nodes))
    graph.add_edges_from(data.edge_index.T.tolist())
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    degrees = np.array([degree for _, degree in graph.degree()])
    stats = graph_stats(data)
    assert stats.num_edges == graph.number_of_edges()
    assert stats.density == pytest.approx(nx.density(graph))
    assert (stats.degree_min, stats.degree_max) == (degrees.min(), degrees.max())
    assert stats.degree_mean == pytest.approx(degrees.mean())
    assert stats.num_components == nx.number_connected_components(graph)
    assert stats.largest_component_share == len(max(nx.connected_components(graph), key=len)) / data.num_nodes
    assert stats.isolated_nodes == nx.number_of_isolates(graph)


@pytest.mark.parametrize("seed", SEEDS)
def test_adjusted_homophily_is_attribute_assortativity_of_networkx(seed):
    # Newman's coefficient (sum e_kk - sum a_k b_k)/(1 - sum a_k b_k) is the same number; self-loops and
    # unlabeled nodes are taken out first, since networkx would count them.
    data = messy_graph(seed)
    graph = nx.Graph()
    graph.add_edges_from((u, v) for u, v in data.edge_index.T.tolist() if u != v)
    nx.set_node_attributes(graph, dict(enumerate(data.y.tolist())), "y")
    graph.remove_nodes_from([u for u in list(graph) if graph.nodes[u]["y"] < 0])
    adjusted = graph_stats(data).homophily_adjusted
    if math.isnan(adjusted):  # no edge left, or all inside one class: networkx divides by zero
        assert len({graph.nodes[u]["y"] for edge in graph.edges for u in edge}) < 2
    else:
        assert adjusted == pytest.approx(nx.attribute_assortativity_coefficient(graph, "y"), abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_separability_is_the_f_test_of_scikit_learn_for_one_feature(seed):
    # F = (S_B/(C-1)) / (S_W/(n-C)): the same scatters, scaled by their degrees of freedom
    data = messy_graph(seed)
    labeled = data.y >= 0
    y = data.y[labeled].numpy()
    x = numpy_generator("separability", seed).normal(size=(data.num_nodes, 1))
    f, _ = f_classif(x[labeled.numpy()], y)
    ratio = f[0] * (len(set(y)) - 1) / (len(y) - len(set(y)))
    data.x = torch.tensor(x)
    assert graph_stats(data).separability_fisher == pytest.approx(ratio)


@pytest.mark.parametrize("seed", SEEDS)
def test_homophily_is_that_of_pyg_where_the_conventions_meet(seed):
    """PyG takes the edges as they come, so it is given the simple undirected graph without unlabeled nodes.

    Two conventions then still differ: its node homophily averages over all nodes, an isolated one counting 0 (science
    1.7 skips it), and it numbers classes up to the largest label (here they are renumbered without gaps). It computes
    in single precision.
    """
    data = messy_graph(seed)
    data = data.subgraph(data.y >= 0)
    edges = data.edge_index[:, data.edge_index[0] != data.edge_index[1]]
    edges = to_undirected(edges, num_nodes=data.num_nodes)  # coalesces too
    data.y = torch.unique(data.y, return_inverse=True)[1]
    stats = graph_stats(data)
    if edges.shape[1] == 0:
        assert math.isnan(stats.homophily_edge)
        return
    share_reached = len(torch.unique(edges)) / data.num_nodes
    assert stats.homophily_edge == pytest.approx(homophily(edges, data.y, method="edge"), abs=1e-6)
    assert stats.homophily_node * share_reached == pytest.approx(homophily(edges, data.y, method="node"), abs=1e-6)
    assert stats.homophily_insensitive == pytest.approx(homophily(edges, data.y, method="edge_insensitive"), abs=1e-6)


def test_as_stored_is_pyg_on_the_stored_edges():
    # the arcs into a node are its neighbors in PyG, too
    data = messy_graph(3)
    data = data.subgraph(data.y >= 0)
    data.y = torch.unique(data.y, return_inverse=True)[1]
    data.edge_index = data.edge_index[:, data.edge_index[0] != data.edge_index[1]]
    stats = graph_stats(data, directed=True)
    share_reached = len(torch.unique(data.edge_index[1])) / data.num_nodes
    assert 0 < share_reached < 1
    assert stats.homophily_edge == pytest.approx(homophily(data.edge_index, data.y, method="edge"), abs=1e-6)
    assert stats.homophily_node * share_reached == pytest.approx(
        homophily(data.edge_index, data.y, method="node"), abs=1e-6
    )
    assert stats.homophily_insensitive == pytest.approx(
        homophily(data.edge_index, data.y, method="edge_insensitive"), abs=1e-6
    )


# hand vectors and published values


def test_the_check_of_the_science_page():
    edges = torch.tensor([[0, 1, 2, 2, 3, 4], [1, 2, 0, 3, 4, 5]])
    stats = graph_stats(Data(edge_index=edges, y=torch.tensor([0, 0, 0, 0, 1, 1]), num_nodes=6))
    assert stats.label_informativeness == pytest.approx(0.251776, abs=5e-7)
    assert stats.label_informativeness_node == pytest.approx(0.338187, abs=5e-7)


def test_label_informativeness_in_closed_form():
    # a complete bipartite graph between two classes: the neighbor's label says everything, and homophily is 0
    left, right = torch.cartesian_prod(torch.arange(4), torch.arange(4, 8)).T
    stats = graph_stats(Data(edge_index=torch.stack([left, right]), y=torch.arange(8) // 4, num_nodes=8))
    assert stats.homophily_edge == 0.0
    assert stats.homophily_adjusted == pytest.approx(-1.0)
    assert stats.label_informativeness == pytest.approx(1.0)
    assert stats.label_informativeness_node == pytest.approx(1.0)
    # a star with its own class at the center: KL of the two joint laws is log 2, so the ratio passes 1
    spokes = torch.stack([torch.zeros(9, dtype=torch.long), torch.arange(1, 10)])
    star = Data(edge_index=spokes, y=(torch.arange(10) > 0).long())
    entropy = -(0.1 * math.log(0.1) + 0.9 * math.log(0.9))
    assert graph_stats(star).label_informativeness_node == pytest.approx(math.log(2) / entropy)


def from_raw(dataset, family, name, folder, tmp_path):
    """A data set of PyG from the read-only raw files under GNNMC_DATA; `processed/` goes to a scratch folder."""
    root = os.environ.get("GNNMC_DATA")
    raw = Path(root, family, folder, "raw").resolve() if root else None
    if raw is None or not raw.is_dir():
        pytest.skip(f"raw files of {name} are not here: GNNMC_DATA is {root!r}")
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "raw").symlink_to(raw)
    return dataset(root=str(tmp_path), name=name)[0]


def test_cora_has_its_published_values(tmp_path):
    data = from_raw(Planetoid, "planetoid", "Cora", "Cora", tmp_path)
    stats = graph_stats(data)
    # science 1.7, after Platonov et al. 2023, table 1
    assert stats.homophily_edge == pytest.approx(0.810, abs=5e-4)
    assert stats.homophily_adjusted == pytest.approx(0.771, abs=5e-4)
    assert stats.label_informativeness == pytest.approx(0.590, abs=5e-4)
    assert (stats.num_nodes, stats.num_edges, stats.num_features, stats.num_classes) == (2708, 5278, 1433, 7)
    assert stats.num_components == 78
    sparse = data.clone()
    sparse.x = data.x.to_sparse()
    assert graph_stats(sparse).separability_fisher == pytest.approx(stats.separability_fisher, rel=1e-9)


def test_citeseer_has_48_isolated_nodes(tmp_path):
    data = from_raw(Planetoid, "planetoid", "CiteSeer", "CiteSeer", tmp_path)
    stats = graph_stats(data)
    assert stats.isolated_nodes == 48
    assert stats.homophily_edge == pytest.approx(0.7355, abs=5e-5)


def test_texas_differs_between_stored_and_undirected(tmp_path):
    data = from_raw(WebKB, "webkb", "Texas", "texas", tmp_path)
    assert graph_stats(data, directed=True).homophily_edge == pytest.approx(0.0615, abs=5e-5)
    assert graph_stats(data).homophily_edge == pytest.approx(0.0609, abs=5e-5)
