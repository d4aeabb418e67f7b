"""W₁ against the area between distribution functions and a transport solved as a linear program."""

import numpy as np
import pytest
import torch
from scipy.optimize import linprog

from gnnmc.errors import InputError
from gnnmc.seeding import numpy_generator
from gnnmc.similarity import wasserstein


def transport(a, b, p, q):
    """The least cost of moving the mass p at a onto the mass q at b."""
    cost = np.abs(np.subtract.outer(a, b)).ravel()
    rows = [np.repeat(np.eye(len(a))[i], len(b)) for i in range(len(a))]
    columns = [np.tile(np.eye(len(b))[j], len(a)) for j in range(len(b))]
    found = linprog(cost, A_eq=np.array(rows + columns), b_eq=np.concatenate([p / p.sum(), q / q.sum()]))
    return found.fun


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("weighted", [False, True])
def test_it_is_the_least_cost_of_moving_the_mass(seed, weighted):
    rng = numpy_generator("wasserstein", seed)
    a, b = rng.normal(size=6), rng.normal(1.0, size=9).round(1)
    p, q = (rng.random(len(x)) * (rng.random(len(x)) > 0.2) + 1e-3 if weighted else np.ones(len(x)) for x in (a, b))
    weights = {"first_weights": p, "second_weights": torch.tensor(q)} if weighted else {}
    assert wasserstein(torch.tensor(a), b, **weights) == pytest.approx(transport(a, b, p, q), abs=1e-9)


def test_a_shift_is_its_size_and_order_does_not_matter():
    values = [3.0, 1.0, 2.0]
    assert wasserstein(values, [6.0, 4.0, 5.0]) == pytest.approx(3.0)
    assert wasserstein(values, [1, 2, 3, 1, 2, 3]) == 0
    assert wasserstein(torch.ones(2, requires_grad=True), [2]) == 1


@pytest.mark.parametrize(
    ("first", "options", "message"),
    [
        ([], {}, "at least one number"),
        ([[1.0]], {}, r"shape \(1, 1\)"),
        ([float("nan")], {}, "1 values that are not finite"),
        (["a"], {}, "is a list"),
        ([1.0], {"first_weights": [1.0, 2.0]}, "1 items and 2 weights"),
        ([1.0, 2.0], {"first_weights": [1.0, -2.0]}, "negative"),
        ([1.0, 2.0], {"first_weights": [0.0, 0.0]}, "all 0"),
    ],
)
def test_wrong_use_is_told(first, options, message):
    with pytest.raises(InputError, match=message):
        wasserstein(first, [1.0], **options)
