"""Structure, smoothness, propagation and the probe against networkx, numpy, PyG, loops and scikit-learn."""

import math
from types import SimpleNamespace

import networkx as nx
import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch_geometric.data import Data
from torch_geometric.nn.conv.gcn_conv import gcn_norm
from torch_geometric.utils import to_undirected

import gnnmc
from gnnmc.graphstats import graph_stats, probe, triangles
from gnnmc.seeding import numpy_generator

SEEDS = range(10)
STRUCTURE = ["clustering_average", "transitivity", "degree_assortativity", "gap_algebraic", "gap_modulus"]
FEATURES = ["feature_homophily_cosine", "feature_dirichlet_energy", "separability_propagated_fisher"]


def messy_graph(seed):
    """Triangles, hubs, multi-edges, self-loops, isolated and unlabeled nodes; some nodes without a feature."""
    rng = numpy_generator("wider graphstats oracle", seed)
    n = int(rng.integers(8, 40))
    ends = np.minimum(rng.geometric(0.15, (2, int(rng.integers(5, 5 * n)))), n - 2)
    edges = np.concatenate([ends, ends[:, ::3], ends[::-1, ::4]], axis=1)
    x = rng.normal(size=(n, 5)) * rng.integers(0, 2, (n, 5)) + rng.integers(0, 2, (n, 1))
    x[rng.random(n) < 0.1] = 0
    y = rng.choice([-1, 0, 2, 5], n, p=[0.2, 0.4, 0.2, 0.2])
    return Data(x=torch.tensor(x), edge_index=torch.tensor(edges), y=torch.tensor(y), num_nodes=n)


def as_networkx(data):
    graph = nx.Graph()
    graph.add_nodes_from(range(data.num_nodes))
    graph.add_edges_from((u, v) for u, v in data.edge_index.T.tolist() if u != v)
    return graph


@pytest.mark.parametrize("seed", SEEDS)
def test_structure_is_that_of_networkx_and_all_eigenvalues(seed):
    data = messy_graph(seed)
    graph = as_networkx(data)
    stats = graph_stats(data, names=STRUCTURE)
    assert stats.clustering_average == pytest.approx(nx.average_clustering(graph), abs=1e-12)
    assert stats.transitivity == pytest.approx(nx.transitivity(graph), abs=1e-12)
    assert stats.degree_assortativity == pytest.approx(nx.degree_assortativity_coefficient(graph), abs=1e-9)
    largest = graph.subgraph(max(nx.connected_components(graph), key=len))
    looped = nx.to_numpy_array(largest) + np.eye(len(largest))
    scale = np.diag(looped.sum(0) ** -0.5)
    eigenvalues = np.sort(np.linalg.eigvalsh(scale @ looped @ scale))
    assert stats.gap_algebraic == pytest.approx(1 - eigenvalues[-2], abs=1e-9)
    assert stats.gap_modulus == pytest.approx(1 - max(abs(eigenvalues[-2]), abs(eigenvalues[0])), abs=1e-9)


@pytest.mark.parametrize("paths", [1, 7, 60])
def test_triangles_are_those_of_networkx_whatever_the_chunks(paths, monkeypatch):
    monkeypatch.setattr(triangles, "_CHUNK_PATHS", paths)
    graphs = [nx.barabasi_albert_graph(60, 4, seed=0), nx.wheel_graph(30), nx.complete_graph(12), nx.star_graph(9)]
    for graph in graphs:
        data = Data(edge_index=torch.tensor(list(graph.edges)).T, num_nodes=len(graph))
        stats = graph_stats(data, names=STRUCTURE[:2])
        assert stats.clustering_average == pytest.approx(nx.average_clustering(graph))
        assert stats.transitivity == pytest.approx(nx.transitivity(graph))


@pytest.mark.parametrize("seed", SEEDS)
def test_assortativity_as_stored_is_that_of_in_degrees_in_networkx(seed):
    data = messy_graph(seed)
    data.edge_index = torch.unique(data.edge_index, dim=1)  # networkx's DiGraph has no multi-edges
    graph = nx.DiGraph((u, v) for u, v in data.edge_index.T.tolist() if u != v)
    expected = nx.degree_pearson_correlation_coefficient(graph, x="in", y="in")
    stats = graph_stats(data, directed=True, names=["degree_assortativity"])
    assert stats.degree_assortativity == pytest.approx(expected, abs=1e-9)


def slow_smoothness(data):
    graph = as_networkx(data)
    x = data.x.numpy()
    cosines, energy = [], 0.0
    for u, v in graph.edges:
        lengths = math.sqrt((x[u] ** 2).sum()) * math.sqrt((x[v] ** 2).sum())
        if lengths > 0:
            cosines.append(float((x[u] * x[v]).sum()) / lengths)
        energy += ((x[u] / math.sqrt(graph.degree(u) + 1) - x[v] / math.sqrt(graph.degree(v) + 1)) ** 2).sum()
    return sum(cosines) / len(cosines), energy / (x**2).sum()


def normalized(data, edges):
    """Â by PyG's own normalization of the edges, loops added."""
    index, weight = gcn_norm(edges, num_nodes=data.num_nodes, add_self_loops=True, dtype=torch.float64)
    matrix = torch.zeros(data.num_nodes, data.num_nodes, dtype=torch.float64)
    return matrix.index_put_((index[1], index[0]), weight, accumulate=True)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_features_on_edges_are_their_slow_loops(seed, sparse, monkeypatch):
    data = messy_graph(seed)
    if seed % 2:
        monkeypatch.setattr("gnnmc.graphstats.smoothness._CHUNK_VALUES", 17)
        monkeypatch.setattr("gnnmc.graphstats.separability.CHUNK_VALUES", 2 * data.num_nodes)
    given = data.clone()
    given.x = data.x.to_sparse() if sparse else data.x
    stats = graph_stats(given, names=FEATURES)
    cosine, energy = slow_smoothness(data)
    assert stats.feature_homophily_cosine == pytest.approx(cosine, abs=1e-12)
    assert stats.feature_dirichlet_energy == pytest.approx(energy, abs=1e-12)
    loopless = data.edge_index[:, data.edge_index[0] != data.edge_index[1]]
    for directed, edges in [(False, to_undirected(loopless, num_nodes=data.num_nodes)), (True, loopless)]:
        step = normalized(data, edges)
        moved = Data(x=step @ (step @ data.x), edge_index=edges, y=data.y, num_nodes=data.num_nodes)
        expected = graph_stats(moved, names=["separability_fisher"]).separability_fisher
        value = graph_stats(given, directed, names=FEATURES[2:]).separability_propagated_fisher
        assert value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_energy_is_the_quadratic_form_of_the_laplacian(seed):
    data = messy_graph(seed)
    edges = to_undirected(data.edge_index[:, data.edge_index[0] != data.edge_index[1]], num_nodes=data.num_nodes)
    form = data.x.T @ (data.x - normalized(data, edges) @ data.x)
    expected = float(torch.trace(form) / data.x.square().sum())
    assert graph_stats(data, names=FEATURES[1:2]).feature_dirichlet_energy == pytest.approx(expected, abs=1e-12)


# the probe


def clouds(n, classes, distance, features=6):
    rng = numpy_generator("probe oracle", n, classes, distance)
    y = rng.integers(0, classes, n)
    x = rng.normal(size=(n, features))
    x[:, :classes] += distance * np.eye(classes)[y]
    return x * rng.uniform(0.01, 100, features) + rng.normal(size=features) * 50, y


def probe_of(x, y):
    data = SimpleNamespace(x=x, y=y, edge_index=np.zeros((2, 0), dtype=int), num_nodes=len(y))
    return graph_stats(data, names=["separability_linear_probe"]).separability_linear_probe


@pytest.mark.parametrize(("classes", "distance"), [(2, 1.0), (4, 2.0), (3, 0.0)])
def test_the_probe_is_cross_validation_by_scikit_learn(classes, distance):
    x, y = clouds(1500, classes, distance)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=1 / x.shape[1], max_iter=1000))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    # other folds of the same nodes: the accuracy varies by about a percent
    assert probe_of(x, y) == pytest.approx(cross_val_score(model, x, y, cv=folds).mean(), abs=0.015)


def test_the_probe_looks_at_no_more_nodes_than_it_says(monkeypatch):
    x, y = clouds(4000, 3, 2.0)
    whole = probe_of(x, y)
    monkeypatch.setattr(probe, "MOST_NODES", 1000)
    assert probe_of(x, y) != whole
    assert probe_of(x, y) == pytest.approx(whole, abs=0.03)  # two standard errors
    assert probe_of(x, y) * 1000 == pytest.approx(round(probe_of(x, y) * 1000))


def test_the_probe_of_hand_made_classes():
    far = np.repeat([[0.0], [10.0]], 20, axis=0) + np.arange(40)[:, None] / 100
    y = np.repeat([0, 1], 20)
    assert probe_of(far, y) == 1.0
    assert probe_of(far, np.arange(40) % 2) < 0.8
    assert probe_of(np.ones((30, 3)), np.arange(30) % 3 > 0) == pytest.approx(2 / 3)  # nothing to see: the larger class
    # a class of one node is never in training when it is tested
    alone = y.copy()
    alone[0] = 2
    assert probe_of(far, alone) == 39 / 40
    assert probe_of(np.array([[0.0], [1.0]]), [0, 1]) == 0.0


def test_the_probe_of_sparse_features_stays_sparse_and_agrees_with_dense(monkeypatch):
    rng = numpy_generator("sparse probe")
    y = rng.integers(0, 3, 600)
    x = (rng.random((600, 300)) < 0.02) + (rng.random((600, 300)) < 0.1) * (np.arange(300) % 3 == y[:, None])
    x = x * (rng.random((600, 300)) < 0.7).astype(float)
    sparse = torch.tensor(x).to_sparse_csr()
    value = probe_of(sparse, y)
    assert value == probe_of(x, y)
    monkeypatch.setattr(probe, "SPARSE_SHARE", 0.0)  # centered and dense: the same probe up to its stopping rule
    assert probe_of(sparse, y) == pytest.approx(value, abs=0.01)


# what the statistics are for


def test_the_generators_knobs_show_where_they_should():
    names = [*FEATURES, "separability_fisher", "separability_linear_probe", "gap_algebraic"]

    def stats(**knobs):
        data = gnnmc.csbm(**{"num_nodes": 1000, "num_classes": 4, "num_features": 16, "seed": 0, **knobs})
        return graph_stats(data, names=names)

    homophilous, neutral, apart = stats(homophily=0.9), stats(homophily=0.25), stats(homophily=0.9, separation=3.0)
    # the graph helps only where it is homophilous
    assert homophilous.separability_propagated_fisher > 2 * homophilous.separability_fisher
    assert neutral.separability_propagated_fisher < neutral.separability_fisher
    assert homophilous.feature_homophily_cosine > neutral.feature_homophily_cosine + 0.02
    assert homophilous.feature_dirichlet_energy < neutral.feature_dirichlet_energy
    # classes that keep to themselves mix slowly
    assert homophilous.gap_algebraic < neutral.gap_algebraic / 2
    assert apart.separability_linear_probe > homophilous.separability_linear_probe + 0.2
