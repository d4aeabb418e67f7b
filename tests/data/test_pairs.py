"""The law of the drawn pairs, against an enumeration of all orders of drawing."""

from itertools import combinations, permutations

import numpy as np
import pytest
import torch

from gnnmc.data import pairs
from gnnmc.data.blocks import Blocks
from gnnmc.seeding import numpy_generator


def one_class(num_nodes):
    capacity = num_nodes * (num_nodes - 1) // 2
    return Blocks(np.array([0]), np.array([0]), np.array([1.0]), np.array([capacity]))


def inclusion(weights, draws):
    """Probability of every pair to be among `draws` successive draws without replacement."""
    all_pairs = list(combinations(range(len(weights)), 2))
    odds = {pair: weights[pair[0]] * weights[pair[1]] for pair in all_pairs}
    probability = dict.fromkeys(all_pairs, 0.0)
    for order in permutations(all_pairs, draws):
        left, chance = sum(odds.values()), 1.0
        for pair in order:
            chance *= odds[pair] / left
            left -= odds[pair]
        for pair in order:
            probability[pair] += chance
    return np.array(list(probability.values()))


@pytest.mark.parametrize("dense", [0.0, 1.0], ids=["from the list", "by rejection"])
@pytest.mark.parametrize("weights", [None, [4.0, 2.0, 1.0, 1.0]], ids=["uniform", "weighted"])
def test_both_ways_of_drawing_have_the_law_of_successive_draws(monkeypatch, dense, weights):
    monkeypatch.setattr(pairs, "DENSE", dense)
    rng, rounds, draws = numpy_generator("pairs"), 4000, 3
    given = None if weights is None else np.array(weights)
    hits = np.zeros(16)
    for _ in range(rounds):
        hits[pairs.draw_pairs(one_class(4), np.array([draws]), np.array([4]), given, rng)] += 1
    expected = inclusion(weights or [1.0] * 4, draws)
    seen = np.array([hits[i * 4 + j] for i, j in combinations(range(4), 2)]) / rounds
    assert hits.sum() == rounds * draws
    assert np.abs(seen - expected).max() < 4 * np.sqrt(0.25 / rounds)


@pytest.mark.parametrize("weights", [None, np.arange(1, 31.0) ** -1])
@pytest.mark.parametrize("count", [1, 108, 109, 110, 434, 435])
def test_every_count_up_to_all_pairs_is_exact(weights, count):
    codes = pairs.draw_pairs(one_class(30), np.array([count]), np.array([30]), weights, numpy_generator(count))
    i, j = np.divmod(codes, 30)
    assert len(np.unique(codes)) == count
    assert (i < j).all()


def test_extreme_weights_end_by_rejection(monkeypatch):
    monkeypatch.setattr(pairs, "DENSE", 1.0)
    weights = np.arange(1, 61.0) ** -1
    codes = pairs.draw_pairs(one_class(60), np.array([442]), np.array([60]), weights, numpy_generator("heavy"))
    assert len(np.unique(codes)) == 442


@pytest.mark.parametrize("seed", range(5))
def test_both_directions_are_those_of_a_loop(seed):
    rng = numpy_generator("both directions", seed)
    codes = pairs.draw_pairs(one_class(40), np.array([60]), np.array([40]), None, rng)
    named = rng.permutation(40)
    i, j = (named[end] for end in np.divmod(codes, 40))
    edges = pairs.both_directions(i, j, 40)
    assert edges.T.tolist() == sorted([list(arc) for arc in zip([*i, *j], [*j, *i], strict=True)])
    assert edges.dtype == torch.int64
    assert pairs.both_directions(i[:0], j[:0], 0).shape == (2, 0)


@pytest.mark.parametrize("size", [0, 1, 2, 500])
def test_distinct_codes_are_those_of_a_set(size):
    codes = numpy_generator("distinct", size).integers(0, 200, size)
    given = codes.copy()
    assert pairs.sorted_distinct(codes).tolist() == sorted(set(codes.tolist()))
    assert np.array_equal(codes, given)
