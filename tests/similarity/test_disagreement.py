"""Disagreement and softmax distances against loops over items."""

import math

import pytest
import torch

from gnnmc.errors import InputError
from gnnmc.similarity import disagreement, softmax_distance


def outputs(seed, n=25, classes=4):
    return torch.randn(n, classes, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def softmax(row):
    exponentials = [math.exp(value) for value in row]
    return [value / sum(exponentials) for value in exponentials]


def test_it_counts_items_with_another_class():
    first, second = outputs(0), outputs(1)
    differ = [a.index(max(a)) != b.index(max(b)) for a, b in zip(first.tolist(), second.tolist())]
    assert disagreement(first, second) == sum(differ) / 25
    assert disagreement(first.argmax(1), second.argmax(1)) == sum(differ) / 25
    assert disagreement(first, first * 3 + 1) == 0


def test_what_is_no_number_disagrees():
    first = outputs(0)
    broken = first.clone()
    broken[3, 2] = float("nan")
    assert disagreement(broken, broken) == disagreement(first, broken) == 1 / 25
    assert math.isnan(disagreement(first[:0], first[:0]))


@pytest.mark.parametrize("order", [1, 2])
def test_softmax_distances_are_means_over_items(order):
    first, second = outputs(0), outputs(1)
    expected = [
        sum(abs(p - q) ** order for p, q in zip(softmax(a), softmax(b))) ** (1 / order)
        for a, b in zip(first.tolist(), second.tolist())
    ]
    assert softmax_distance(first, second, order=order).item() == pytest.approx(sum(expected) / 25, abs=1e-12)
    assert softmax_distance(first, first + 5, order=order).item() == pytest.approx(0, abs=1e-12)
    leaf = first.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda a: softmax_distance(a, second, order=order), (leaf,))
    softmax_distance(leaf, leaf.detach(), order=order).backward()
    assert leaf.grad.isfinite().all()


def test_the_largest_distances():
    first, second = torch.tensor([[100.0, 0.0]]), torch.tensor([[0.0, 100.0]])
    assert softmax_distance(first, second).item() == pytest.approx(2)
    assert softmax_distance(first, second, order=2).item() == pytest.approx(math.sqrt(2))


def test_wrong_use_is_told():
    with pytest.raises(InputError, match=r"\(25, 4\) and \(24, 4\)"):
        disagreement(outputs(0), outputs(1)[1:])
    with pytest.raises(InputError, match="one column"):
        disagreement(outputs(0)[:, :1], outputs(1)[:, :1])
    with pytest.raises(InputError, match="unknown order 3"):
        softmax_distance(outputs(0), outputs(1), order=3)
    with pytest.raises(InputError, match="before the softmax"):
        softmax_distance(outputs(0)[:, 0], outputs(1)[:, 0])
