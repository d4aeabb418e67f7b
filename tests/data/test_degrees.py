"""One-hot degrees: which column a degree has, and which edges count."""

import itertools
import math

import torch

from gnnmc.data.degrees import COLUMNS, degree_features


def star(leaves):
    return torch.stack([torch.zeros(leaves, dtype=torch.long), torch.arange(1, leaves + 1)])


def column(leaves):
    row = degree_features(star(leaves), leaves + 1)[0]
    assert float(row.sum()) == 1
    return int(row.argmax())


def slow_column(degree):
    if degree < 32:
        return degree
    degree = min(degree, 4095)
    octave = math.floor(math.log2(degree + 0.5))
    return 32 + 8 * (octave - 5) + math.floor(8 * (degree / 2**octave - 1))


def test_columns_are_exact_below_32_and_eight_an_octave_above():
    degrees = [1, 2, 31, 32, 35, 36, 63, 64, 71, 72, 127, 128, 1000, 2047, 2048, 4095, 4096, 5000]
    columns = [column(degree) for degree in degrees]
    assert columns == [slow_column(degree) for degree in degrees]
    assert columns[:6] == [1, 2, 31, 32, 32, 33]
    assert columns[-3:] == [COLUMNS - 1] * 3
    assert all(low <= high for low, high in itertools.pairwise(columns))


def test_directions_loops_and_repetitions_do_not_count():
    edges = torch.tensor([[0, 1, 1, 2, 2, 0], [1, 0, 2, 1, 2, 1]])
    assert degree_features(edges, 4).argmax(1).tolist() == [1, 2, 1, 0]


def test_nothing_is_nothing():
    assert degree_features(torch.zeros(2, 0, dtype=torch.long), 0).shape == (0, COLUMNS)
    assert degree_features(torch.zeros(2, 0, dtype=torch.long), 3).argmax(1).tolist() == [0, 0, 0]
