"""The spectral gaps against closed forms, by all eigenvalues and by Lanczos steps; the ways out of slow convergence."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from torch_geometric.data import Data

from gnnmc.graphstats import graph_stats, spectrum
from gnnmc.seeding import numpy_generator


def gaps(edges, num_nodes):
    data = Data(edge_index=torch.as_tensor(np.asarray(edges)), num_nodes=num_nodes)
    stats = graph_stats(data, names=["gap_algebraic", "gap_modulus"])
    return stats.gap_algebraic, stats.gap_modulus


def complete(n):
    return np.stack(np.triu_indices(n, 1)), n


def cycle(n):
    return np.stack([np.arange(n), (np.arange(n) + 1) % n]), n


def star(leaves):
    return np.stack([np.zeros(leaves, dtype=int), np.arange(1, leaves + 1)]), leaves + 1


def path(n):
    return np.stack([np.arange(n - 1), np.arange(1, n)]), n


def bipartite(m):
    """Complete, m nodes on either side."""
    return np.stack(np.meshgrid(np.arange(m), np.arange(m, 2 * m))).reshape(2, -1), 2 * m


def random_graph(n, edges, seed=0):
    return numpy_generator("spectral gap test", seed).integers(0, n, (2, edges)), n


# closed forms: below DENSE_NODES all eigenvalues are computed, above Lanczos steps are taken


@pytest.mark.parametrize("n", [2, 3, 10, 400])
def test_a_complete_graph_mixes_at_once(n):
    # Â = 11ᵀ/n has the eigenvalues 1 and 0
    assert gaps(*complete(n)) == pytest.approx((1.0, 1.0), abs=1e-12)


@pytest.mark.parametrize("n", [3, 4, 9, 100, 1000, 20_001])
def test_a_cycle(n):
    # (1 + 2cos(2πk/n))/3, and 1/3 less 2/3 at the other end; 1 - cos x = 2sin²(x/2) keeps the digits of a tiny gap
    expected = 4 * math.sin(math.pi / n) ** 2 / 3
    assert gaps(*cycle(n)) == pytest.approx((expected, expected), rel=1e-6)


@pytest.mark.parametrize("leaves", [2, 5, 80, 1000])
def test_a_star(leaves):
    # ½ (leaves - 1 times) and, from the trace, 1/(leaves + 1) - ½
    assert gaps(*star(leaves)) == pytest.approx((0.5, 0.5), abs=1e-9)


@pytest.mark.parametrize("m", [1, 2, 7, 100, 200])
def test_a_complete_bipartite_graph_tells_the_two_gaps_apart(m):
    # λ₂ = 1/(m+1), or 0 when m = 1, and λ_n = (1-m)/(m+1)
    algebraic = m / (m + 1) if m > 1 else 1.0
    assert gaps(*bipartite(m)) == pytest.approx((algebraic, min(algebraic, 2 / (m + 1))), rel=1e-6)


@pytest.mark.parametrize("n", [3, 10, 200, 300, 20_000, 100_000])
def test_a_path_has_its_tiny_gap(n):
    # inside, x_j = sin((j-c)θ) about the middle c solves the equation with 1-λ = ⅔(1-cos θ); the first row, where d̃ is
    # 2 and not 3, holds when x_0 = λx_1
    middle = (n + 1) / 2

    def first_row(theta):
        gap = 4 / 3 * math.sin(theta / 2) ** 2
        return math.sin(middle * theta) - (1 - gap) * math.sin((middle - 1) * theta)

    theta = brentq(first_row, 0.5 * math.pi / n, 1.4 * math.pi / n, xtol=1e-16, rtol=1e-14)
    expected = 4 / 3 * math.sin(theta / 2) ** 2
    assert gaps(*path(n)) == pytest.approx((expected, expected), rel=1e-6)


# which component


def test_the_gap_is_that_of_the_largest_component():
    edges, n = cycle(30)
    with_others = np.concatenate([edges, path(20)[0] + n, complete(25)[0] + n + 20], axis=1)
    assert gaps(with_others, n + 50) == pytest.approx(gaps(edges, n), rel=1e-12)


@pytest.mark.parametrize("n", [12, 300])
def test_of_several_largest_components_the_least_gap_counts(n):
    parts = [complete(n)[0], path(n)[0] + n, cycle(n)[0] + 2 * n]
    least = gaps(*path(n))
    assert gaps(np.concatenate(parts, axis=1), 3 * n) == pytest.approx(least, rel=1e-6)
    assert gaps(np.concatenate([parts[0], parts[2]], axis=1), 3 * n) == pytest.approx(gaps(*cycle(n)), rel=1e-6)


def test_many_small_components_are_done_in_batches():
    pairs = np.arange(200_000).reshape(2, -1, order="F")
    assert gaps(pairs, 200_000) == pytest.approx((1.0, 1.0))


@pytest.mark.parametrize("n", [1, 4])
def test_without_an_edge_there_is_no_second_eigenvalue(n):
    assert all(map(math.isnan, gaps(np.zeros((2, 0), dtype=int), n)))


# the ways to the eigenvalues agree


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("graph", [random_graph(200, 300), random_graph(200, 2000), bipartite(60), cycle(150)])
def test_lanczos_finds_what_all_eigenvalues_say(monkeypatch, graph, seed):
    edges, n = graph
    # a tail moves the gap, and drops of the graph differ by seed
    edges = np.concatenate([edges, path(10 + seed)[0] + n - 1], axis=1)
    dense = gaps(edges, n + 9 + seed)
    monkeypatch.setattr(spectrum, "DENSE_NODES", 1)
    monkeypatch.setattr(spectrum, "_BAND_WORK", -1)
    assert gaps(edges, n + 9 + seed) == pytest.approx(dense, rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_inverting_a_narrow_graph_finds_what_all_eigenvalues_say(monkeypatch, seed):
    steps = numpy_generator("narrow graph", seed).integers(1, 8, (2, 240))
    edges = np.concatenate([path(250)[0], np.stack([np.arange(240), np.arange(240) + steps[0]])], axis=1)
    dense = gaps(edges, 250)
    monkeypatch.setattr(spectrum, "DENSE_NODES", 1)
    monkeypatch.setattr(spectrum, "_FIRST_STEPS", 20)
    monkeypatch.setattr(spectrum, "_WORK", 0.0)  # no second try
    assert gaps(edges, 250) == pytest.approx(dense, rel=1e-6)


def test_a_gap_that_was_not_reached_is_nan_and_no_wrong_number(monkeypatch):
    edges, n = path(400)
    monkeypatch.setattr(spectrum, "_BAND_WORK", -1)
    monkeypatch.setattr(spectrum, "_WORK", 50.0 * (2 * (n - 1) + 8 * n))
    assert all(map(math.isnan, gaps(edges, n)))


def test_the_same_graph_gives_the_same_bits():
    assert gaps(*random_graph(3000, 9000)) == gaps(*random_graph(3000, 9000))
