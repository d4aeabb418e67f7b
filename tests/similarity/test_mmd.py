"""Squared MMD against double loops, its gradient against finite differences, its bandwidths, blocks and p-value."""

import itertools
import math
import subprocess
import sys

import pytest
import torch

from gnnmc.errors import InputError
from gnnmc.similarity import kernel_sums, median_bandwidths, mmd, mmd_permutation_test, squared_mmd


def samples(n=13, m=9, features=3, shift=0.5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    first = torch.randn(n, features, generator=generator, dtype=torch.float64)
    return first, torch.randn(m, features, generator=generator, dtype=torch.float64) + shift


def slow(first, second, bandwidths, unbiased):
    """The definition, item by item."""

    def kernel(x, y):
        distance = math.dist(x, y)
        return sum(math.exp(-(distance**2) / (2 * sigma**2)) for sigma in bandwidths)

    a, b = first.tolist(), second.tolist()

    def within(rows):
        pairs = [(i, j) for i in range(len(rows)) for j in range(len(rows)) if i != j or not unbiased]
        return sum(kernel(rows[i], rows[j]) for i, j in pairs) / len(pairs)

    return within(a) + within(b) - 2 * sum(kernel(x, y) for x in a for y in b) / (len(a) * len(b))


@pytest.mark.parametrize("unbiased", [True, False])
@pytest.mark.parametrize("block", [10**6, 20, 1])
@pytest.mark.parametrize("gradient", [True, False])
def test_it_is_the_definition_in_blocks_of_any_size(monkeypatch, unbiased, block, gradient):
    monkeypatch.setattr(kernel_sums, "BLOCK", block)
    first, second = samples()
    first.requires_grad_(gradient)
    found = squared_mmd(first, second, bandwidths=[0.3, 1.0, 2.5], unbiased=unbiased)
    assert found.value.item() == pytest.approx(slow(first, second, [0.3, 1.0, 2.5], unbiased), abs=1e-12)
    assert found.bandwidths == (0.3, 1.0, 2.5) and found.unbiased is unbiased


@pytest.mark.parametrize("block", [10**6, 20])
def test_its_gradient_is_that_of_finite_differences(monkeypatch, block):
    monkeypatch.setattr(kernel_sums, "BLOCK", block)
    first, second = (rows.requires_grad_() for rows in samples(6, 5))
    assert torch.autograd.gradcheck(lambda a, b: squared_mmd(a, b, bandwidths=[0.5, 2.0]).value, (first, second))


@pytest.mark.parametrize("block", [10**6, 10])
def test_it_can_be_a_loss_under_transforms(monkeypatch, block):
    monkeypatch.setattr(kernel_sums, "BLOCK", block)
    first, second = samples(6, 5)
    found = torch.func.grad(lambda a: squared_mmd(a, second, bandwidths=1.0).value)(first)
    leaf = first.clone().requires_grad_()
    squared_mmd(leaf, second, bandwidths=1.0).value.backward()
    torch.testing.assert_close(found, leaf.grad)


def test_going_down_the_gradient_brings_samples_together():
    first, second = samples(30, 30, shift=2.0)
    first.requires_grad_()
    before = squared_mmd(first, second)
    optimizer = torch.optim.Adam([first], lr=0.1)
    for _ in range(50):
        optimizer.zero_grad()
        squared_mmd(first, second, bandwidths=before.bandwidths).value.backward()
        optimizer.step()
    assert squared_mmd(first, second, bandwidths=before.bandwidths).value < 0.1 * before.value


def test_bandwidths_are_multiples_of_the_median_distance():
    first, second = samples()
    pooled = torch.cat([first, second]).tolist()
    distances = sorted(math.dist(x, y) for x, y in itertools.combinations(pooled, 2))
    middle = distances[(len(distances) - 1) // 2]
    expected = [middle * scale for scale in (0.25, 0.5, 1, 2, 4)]
    assert median_bandwidths(first, second) == pytest.approx(expected)
    assert squared_mmd(first, second).bandwidths == pytest.approx(expected)


def test_the_median_of_many_items_is_of_some_of_them(monkeypatch):
    first, second = samples(300, 300)
    everything = median_bandwidths(first, second)
    monkeypatch.setattr(mmd, "MEDIAN_ROWS", 200)
    drawn = median_bandwidths(first, second)
    assert drawn != everything and drawn == pytest.approx(everything, rel=0.1)
    assert drawn == median_bandwidths(first, second) != median_bandwidths(first, second, seed=1)


def test_items_that_are_mostly_equal_have_bandwidths_too():
    first = torch.zeros(20, 2)
    second = torch.cat([torch.zeros(19, 2), torch.ones(1, 2)])
    assert min(median_bandwidths(first, second)) > 0
    assert squared_mmd(first, second, unbiased=False).value > 0
    assert squared_mmd(first, first).value == 0


def test_equal_distributions_give_about_nothing_and_different_ones_more():
    first, second = samples(400, 300, shift=0.0)
    assert abs(squared_mmd(first, second).value) < 0.01
    assert squared_mmd(first, second + 0.5).value > 0.05
    assert squared_mmd(first, second, unbiased=False).value > 0


def test_far_from_the_origin_nothing_changes():
    first, second = (rows.float() for rows in samples(50, 40))
    near, far = (squared_mmd(first + shift, second + shift, bandwidths=1.0).value for shift in (0.0, 1000.0))
    assert far == pytest.approx(near.item(), rel=1e-3)


def test_p_values_of_equal_distributions_are_uniform():
    found = [
        mmd_permutation_test(*samples(12, 8, shift=0.0, seed=seed), permutations=99).p_value for seed in range(200)
    ]
    # The standard deviation of a share of 200 is below .036.
    for level in (0.1, 0.5, 0.9):
        assert sum(p <= level for p in found) / 200 == pytest.approx(level, abs=0.11)


@pytest.mark.parametrize("block", [10**6, 50])
def test_the_test_finds_a_difference_and_repeats(monkeypatch, block):
    monkeypatch.setattr(kernel_sums, "BLOCK", block)
    first, second = samples(40, 30, shift=1.0)
    found = mmd_permutation_test(first, second, permutations=99, seed=3)
    assert found.p_value == 0.01
    assert found.value == pytest.approx(squared_mmd(first, second).value.item(), abs=1e-12)
    assert found == mmd_permutation_test(first, second, permutations=99, seed=3)


def test_exchanged_values_are_those_of_exchanged_samples(monkeypatch):
    # With two items in each sample there are three partitions: p is the rank among them.
    first, second = torch.tensor([[0.0], [1.0]]), torch.tensor([[0.1], [1.2]])
    pooled = torch.cat([first, second])
    values = [
        squared_mmd(pooled[[0, other]], pooled[[k for k in (1, 2, 3) if k != other]], bandwidths=0.5).value.item()
        for other in (1, 2, 3)
    ]
    share = sum(value >= values[0] - 1e-9 for value in values) / 3
    found = mmd_permutation_test(first, second, permutations=3000, bandwidths=0.5)
    assert found.p_value == pytest.approx(share, abs=0.04)


@pytest.mark.parametrize(
    ("first", "second", "options", "message"),
    [
        (torch.zeros(3), torch.zeros(3, 2), {}, r"has shape \(3,\)"),
        (torch.zeros(3, 1), torch.zeros(3, 2), {}, "1 and 2 features"),
        (torch.zeros(1, 2), torch.zeros(3, 2), {}, "1 rows: at least 2"),
        ([[0.0]], torch.zeros(3, 2), {}, "is a list"),
        (torch.zeros(3, 2).to_sparse(), torch.zeros(3, 2), {}, "to_dense"),
        (torch.zeros(3, 2), torch.zeros(3, 2), {"bandwidths": []}, "bandwidths="),
        (torch.zeros(3, 2), torch.zeros(3, 2), {"bandwidths": [1.0, 0.0]}, "bandwidth=0"),
    ],
)
def test_wrong_use_is_told(first, second, options, message):
    with pytest.raises(InputError, match=message):
        squared_mmd(first, second, **options)


@pytest.mark.slow
@pytest.mark.parametrize("gradient", [False, True])
def test_twenty_thousand_items_take_less_than_a_gibibyte(gradient):
    code = (
        "import resource, torch; from gnnmc.similarity import squared_mmd\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20\n"
        "squared_mmd(torch.randn(50, 16), torch.randn(50, 16)); before = peak()\n"
        f"a, b = (torch.randn(20_000, 16, requires_grad={gradient}) for _ in range(2))\n"
        "value = squared_mmd(a, b).value\n"
        f"value.backward() if {gradient} else None\n"
        "print(peak() - before)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(run.stdout) < 1.0
