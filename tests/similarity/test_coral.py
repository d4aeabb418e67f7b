"""CORAL against numpy's covariance, dense, sparse and in blocks of columns."""

import sys

import numpy as np
import pytest
import torch

from gnnmc.errors import InputError
from gnnmc.similarity import coral


def samples(n=20, m=31, features=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    first = torch.randn(n, features, generator=generator, dtype=torch.float64)
    second = torch.randn(m, features, generator=generator, dtype=torch.float64) * 1.5 + 4.0
    return first * (first > 0), second * (second > 4)


def slow(first, second):
    """Sun and Saenko 2016, entry by entry."""
    one, other = (np.cov(rows.numpy(), rowvar=False) for rows in (first, second))
    size = len(one)
    return sum((one[i, j] - other[i, j]) ** 2 for i in range(size) for j in range(size)) / (4 * size**2)


@pytest.mark.parametrize("block", [10**6, 5, 11])
def test_it_is_the_definition(monkeypatch, block):
    # The function hides the module of its name.
    monkeypatch.setattr(sys.modules["gnnmc.similarity.coral"], "_BLOCK", block)
    first, second = samples()
    assert coral(first, second).item() == pytest.approx(slow(first, second), rel=1e-12)


def test_sparse_samples_give_the_same():
    first, second = samples()
    for one, other in ((first.to_sparse(), second.to_sparse()), (first, second.to_sparse())):
        assert coral(one, other).item() == pytest.approx(slow(first, second), rel=1e-10)


def test_a_mean_alone_makes_no_distance():
    first, _ = samples()
    assert coral(first, first + 3.0).item() == pytest.approx(0.0, abs=1e-24)
    assert coral(first.to_sparse(), (first + 3.0).to_sparse()).item() == pytest.approx(0.0, abs=1e-10)


def test_its_gradient_is_that_of_finite_differences():
    first, second = (rows.requires_grad_() for rows in samples(6, 7, 3))
    assert torch.autograd.gradcheck(coral, (first, second))


def test_wrong_use_is_told():
    with pytest.raises(InputError, match="at least 2"):
        coral(torch.zeros(1, 2), torch.zeros(3, 2))
    with pytest.raises(InputError, match="2 and 3 features"):
        coral(torch.zeros(2, 2), torch.zeros(3, 3))
