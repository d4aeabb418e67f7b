"""Which graphs may exchange places, how p-values count, and Holm's correction."""

from math import comb

import numpy as np
import pytest

from gnnmc.analysis.holm import holm
from gnnmc.analysis.resampling import arrangements, cluster_counts, count_arrangements, permutation_p_value


def test_all_arrangements_of_few_clusters_are_listed_once() -> None:
    moved, exact = arrangements(np.arange(4), 24, np.random.default_rng(0))
    assert exact and len({tuple(row) for row in moved}) == 24


def test_clusters_exchange_places_only_with_equals_and_stay_whole() -> None:
    clusters = np.array([0, 1, 1, 2, 3, 3, 4, 4, 4])
    assert count_arrangements(clusters) == 2 * 2
    moved, exact = arrangements(clusters, 4, np.random.default_rng(0))
    assert exact
    assert sorted(map(tuple, moved)) == [
        (0, 1, 2, 3, 4, 5, 6, 7, 8),
        (0, 4, 5, 3, 1, 2, 6, 7, 8),
        (3, 1, 2, 0, 4, 5, 6, 7, 8),
        (3, 4, 5, 0, 1, 2, 6, 7, 8),
    ]


def test_random_arrangements_are_permutations_and_uniform() -> None:
    moved, exact = arrangements(np.arange(4), 23, np.random.default_rng(0))
    assert not exact and moved.shape == (23, 4)
    many, _ = arrangements(np.arange(10), 5000, np.random.default_rng(0))
    assert (np.sort(many, axis=1) == np.arange(10)).all()
    # Mean place of every graph: 4.5 with a standard error of .04.
    assert np.abs(many.mean(axis=0) - 4.5).max() < 0.2


def test_resamples_draw_whole_clusters() -> None:
    clusters = np.array([0, 0, 1, 2, 2, 2])
    counts = cluster_counts(clusters, 3000, np.random.default_rng(0))
    assert (counts[:, 0] == counts[:, 1]).all() and (counts[:, 3] == counts[:, 5]).all()
    assert (counts[:, [0, 2, 3]].sum(axis=1) == 3).all()
    # One cluster is drawn 0, 1, 2 or 3 times with binomial probabilities.
    shares = [(counts[:, 0] == k).mean() for k in range(4)]
    assert shares == pytest.approx([comb(3, k) * 2 ** (3 - k) / 27 for k in range(4)], abs=0.03)


def test_a_p_value_counts_the_observed_arrangement_once() -> None:
    permuted = np.array([0.5, -0.5, 0.1, -0.9])
    assert permutation_p_value(-0.5, permuted, exact=True) == 3 / 4
    assert permutation_p_value(-0.5, permuted, exact=False) == 4 / 5
    assert permutation_p_value(0.95, permuted, exact=False) == 1 / 5


def test_holm_by_hand() -> None:
    assert holm(np.array([0.04, 0.01, np.nan, 0.03])) == pytest.approx([0.06, 0.03, np.nan, 0.06], nan_ok=True)
    assert holm(np.array([0.9, 0.8])).tolist() == [1.0, 1.0]
    assert holm(np.array([])).size == 0
