"""Shares of edges by class pair."""

import numpy as np
import pytest

from gnnmc.data.mixing import minimum_homophily, mixing_matrix


def test_balanced_classes_give_the_planted_partition():
    mixing = mixing_matrix(np.full(4, 0.25), 0.1)
    assert np.allclose(np.diag(mixing), 0.1 / 4)
    assert np.allclose(mixing[~np.eye(4, dtype=bool)], 0.9 / 12)


def test_structureless_edges_ignore_the_classes():
    proportions = np.array([0.5, 0.3, 0.2])
    mixing = mixing_matrix(proportions, float((proportions**2).sum()))
    assert np.allclose(mixing, np.outer(proportions, proportions))


def test_above_structureless_the_weight_of_pure_classes_is_the_adjusted_homophily():
    proportions = np.array([0.5, 0.3, 0.2])
    neutral = float((proportions**2).sum())
    mixing = mixing_matrix(proportions, 0.8)
    adjusted = (0.8 - neutral) / (1 - neutral)
    assert np.allclose(mixing[0, 1], (1 - adjusted) * 0.5 * 0.3)


@pytest.mark.parametrize("proportions", [[0.7, 0.2, 0.1], [0.5, 0.5], [0.5, 0.3, 0.2]])
def test_a_dominant_class_takes_all_edges_of_the_others_at_the_minimum(proportions):
    mixing = mixing_matrix(np.array(proportions), minimum_homophily(np.array(proportions)))
    assert np.allclose(mixing[1:, 1:], 0)
    assert np.allclose(mixing[0, 1:], proportions[1:])


@pytest.mark.parametrize("largest", [0.2, 0.3, 0.45, 0.49, 0.4999999])
def test_below_half_no_edge_needs_to_stay_inside(largest):
    proportions = np.array([largest, *np.full(5, (1 - largest) / 5)])
    mixing = mixing_matrix(proportions, 0.0)
    assert np.allclose(np.diag(mixing), 0)
    assert np.allclose(mixing.sum(axis=1), proportions, rtol=1e-7)
    assert mixing.min() >= 0
