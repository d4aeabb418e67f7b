"""Spectral distances against all eigenvalues by networkx, closed forms, and estimates against exact ones."""

import networkx as nx
import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance
from torch_geometric.data import Data
from torch_geometric.utils import from_networkx

from gnnmc import csbm
from gnnmc.errors import InputError
from gnnmc.graphstats import graph_stats, laplacian_spectrum, spectral_distance
from gnnmc.seeding import numpy_generator


def data_of(graph):
    return Data(edge_index=from_networkx(graph).edge_index, num_nodes=graph.number_of_nodes())


def eigenvalues(graph):
    return np.linalg.eigvalsh(nx.normalized_laplacian_matrix(graph).toarray())


GRAPHS = {
    "parts and isolated nodes": nx.disjoint_union_all(
        [nx.gnp_random_graph(60, 0.02, seed=1), nx.path_graph(5), nx.path_graph(5), nx.empty_graph(3)]
    ),
    "dense": nx.gnp_random_graph(80, 0.2, seed=2),
    "tree": nx.random_labeled_tree(150, seed=3),
    "hubs": nx.barabasi_albert_graph(300, 2, seed=4),
    "grid": nx.convert_node_labels_to_integers(nx.grid_2d_graph(15, 20)),
    "empty": nx.empty_graph(4),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_all_eigenvalues_are_those_of_networkx(name):
    spectrum = laplacian_spectrum(data_of(GRAPHS[name]))
    assert spectrum.exact and spectrum.error == 0
    assert np.sort(spectrum.values) == pytest.approx(eigenvalues(GRAPHS[name]), abs=1e-12)
    assert spectrum.weights == pytest.approx(1 / len(GRAPHS[name]))


@pytest.mark.parametrize("name", GRAPHS)
def test_the_estimate_is_within_its_stated_error(name):
    graph = GRAPHS[name]
    spectrum = laplacian_spectrum(data_of(graph), exact_nodes=4)
    assert spectrum.weights.sum() == pytest.approx(1)
    off = wasserstein_distance(spectrum.values, eigenvalues(graph), spectrum.weights)
    assert off <= spectrum.error + 1e-9 and off < 0.05


def test_more_probes_come_closer():
    graph = GRAPHS["hubs"]
    exact = eigenvalues(graph)

    def off(probes):
        found = [laplacian_spectrum(data_of(graph), exact_nodes=1, probes=probes, seed=seed) for seed in range(8)]
        return np.mean([wasserstein_distance(one.values, exact, one.weights) for one in found])

    # The error falls as one over the root of their number.
    assert off(64) < 0.7 * off(8)


def test_the_defaults_are_as_close_as_stated():
    graph = csbm(num_nodes=2500, num_classes=4, homophily=0.7, mean_degree=6, num_features=8, separation=1.0, seed=0)
    estimated, exact = laplacian_spectrum(graph), laplacian_spectrum(graph, exact_nodes=3000)
    assert exact.exact and not estimated.exact
    assert estimated.distance(exact) <= min(0.004, estimated.error)


def test_two_complete_graphs_have_the_distance_of_the_closed_form():
    # K_n: 0 once and n/(n−1) else.
    small, large = (data_of(nx.complete_graph(n)) for n in (3, 5))
    expected = (1 / 3 - 1 / 5) * 5 / 4 + (2 / 3) * (3 / 2 - 5 / 4)
    assert spectral_distance(small, large).value == pytest.approx(expected)


def test_a_graph_has_no_distance_to_itself_and_little_to_itself_renumbered():
    graph = GRAPHS["hubs"]
    order = numpy_generator("renumbered").permutation(300)
    other = data_of(nx.relabel_nodes(graph, dict(enumerate(order.tolist()))))
    for most in (1, 1000):
        assert spectral_distance(data_of(graph), data_of(graph), exact_nodes=most).value == 0
        found = spectral_distance(data_of(graph), other, exact_nodes=most)
        assert found.value <= found.error + 1e-12
    far = spectral_distance(data_of(graph), data_of(GRAPHS["grid"]), exact_nodes=1)
    assert far.value > 1.2 * far.error


def test_seeds_name_the_probes():
    one, again, other = (laplacian_spectrum(data_of(GRAPHS["tree"]), exact_nodes=1, seed=seed) for seed in (0, 0, 1))
    assert (one.values == again.values).all() and not (one.values == other.values).all()


def test_wrong_use_is_told():
    graph = data_of(GRAPHS["dense"])
    with pytest.raises(InputError, match="no nodes"):
        laplacian_spectrum(Data(edge_index=torch.zeros(2, 0, dtype=torch.long), num_nodes=0))
    for name in ("probes", "steps"):
        with pytest.raises(InputError, match=f"{name}=1: at least 2"):
            spectral_distance(graph, graph, **{name: 1})


def test_local_homophily_is_what_node_homophily_averages():
    from gnnmc.graphstats import degree_distribution, local_homophily_distribution

    # 0-1, 1-2 twice, 2-3, 4 unlabeled beside 3, 5 alone.
    edges = torch.tensor([[0, 1, 2, 2, 3], [1, 2, 1, 3, 4]])
    data = Data(edge_index=edges, y=torch.tensor([0, 0, 1, 1, -1, 0]), num_nodes=6)
    assert degree_distribution(data).tolist() == [1, 2, 2, 2, 1, 0]
    assert local_homophily_distribution(data).tolist() == [1.0, 0.5, 0.5, 1.0]
    assert graph_stats(data, names=["homophily_node"]).homophily_node == 0.75
    assert len(local_homophily_distribution(Data(edge_index=edges, num_nodes=5))) == 0
