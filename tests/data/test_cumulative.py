"""The guide table finds what a binary search finds."""

import numpy as np
import pytest

from gnnmc.data.cumulative import Cumulative
from gnnmc.seeding import numpy_generator


@pytest.mark.parametrize(
    "weights",
    [
        [3.0],
        [1.0] * 1000,
        (np.arange(5000) + 0.5) ** -0.9,
        (np.arange(5000)[::-1] + 0.5) ** -0.9,
        [1e-13, 1.0, 1e12, 1.0, 1e-9] * 20,
        numpy_generator("weights").pareto(1.05, 3000) + 1,
    ],
    ids=["one", "equal", "falling", "rising", "far apart", "heavy tail"],
)
def test_places_are_those_of_a_binary_search(weights):
    ends = np.cumsum(weights)
    borders = np.concatenate([ends, np.nextafter(ends, 0), np.nextafter(ends, np.inf), [0.0]])
    find = Cumulative(ends)
    begins = np.arange(find.cells) / find.per_unit
    inside = numpy_generator("numbers").random(20_000) * ends[-1]
    at = np.concatenate([borders, begins, np.nextafter(begins, 0), np.nextafter(begins, np.inf), inside])
    expected = np.minimum(np.searchsorted(ends, at, side="right"), len(ends) - 1)
    assert np.array_equal(find(np.abs(at)), expected)
