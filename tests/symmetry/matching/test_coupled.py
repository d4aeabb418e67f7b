"""A group on both axes of a tensor: values, gradients and gains against loops and autograd; steps that never lower."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gnnmc.symmetry.matching.assignment import assign
from gnnmc.symmetry.matching.coupled import Coupled, Order, _assigned, _frank_wolfe, raised


def problem(seed, size=5, pairs=2, rest=3, *, signed=False, dtype=torch.float64, noise=1.0):
    """Random numbers; noise: of B, beside an A that is planted in another order."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    hidden = torch.rand(size, generator=generator).argsort()
    made = []
    for _ in range(pairs):
        a = normal(rest, size, size)
        made.append((a.to(dtype), (a[:, hidden][:, :, hidden] + noise * normal(rest, size, size)).to(dtype)))
    return Coupled(normal(size, size), made, signed)


def order(seed, size=5, *, signed=False):
    generator = torch.Generator().manual_seed(1000 + seed)
    units = torch.rand(size, generator=generator).argsort()
    signs = torch.randint(0, 2, (size,), generator=generator).double() * 2 - 1
    return Order(units, signs) if signed else Order.plain(units)


def by_loops(problem, matrix):
    """Σ over everything, one number at a time."""
    size = len(matrix)
    total = sum(float(problem.linear[i, j] * matrix[i, j]) for i in range(size) for j in range(size))
    for a, b in problem.pairs:
        for r, i, k in itertools.product(range(len(a)), range(size), range(size)):
            inner = sum(float(matrix[i, j] * matrix[k, m] * b[r, j, m]) for j in range(size) for m in range(size))
            total += float(a[r, i, k]) * inner
    return total


@pytest.mark.parametrize("signed", [False, True])
def test_the_value_is_the_sum(signed):
    one, at = problem(0, 4, signed=signed), order(0, 4, signed=signed)
    assert one.value(at) == pytest.approx(by_loops(one, at.matrix()))
    assert one.relaxed(at.matrix()) == pytest.approx(one.value(at))
    anywhere = torch.rand(4, 4, dtype=torch.float64)
    assert one.relaxed(anywhere) == pytest.approx(by_loops(one, anywhere))


def test_the_gradient_is_that_of_autograd():
    one = problem(1)
    matrix = torch.randn(5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    total = (one.linear * matrix).sum()
    for a, b in one.pairs:
        total = total + torch.einsum("rik,ij,km,rjm->", a, matrix, matrix, b)
    total.backward()
    assert torch.allclose(one.gradient(matrix.detach()), matrix.grad)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_gains_of_swaps_are_those_of_swapping(seed, signed):
    one, at = problem(seed, signed=signed), order(seed, signed=signed)
    gains = one.swap_gains(at)
    for i, j in itertools.product(range(5), range(5)):
        units, signs = at.units.clone(), at.signs.clone()
        units[[i, j]], signs[[i, j]] = units[[j, i]], signs[[j, i]]
        assert float(gains[i, j]) == pytest.approx(one.value(Order(units, signs)) - one.value(at), abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_gains_of_signs_are_those_of_changing_them(seed):
    one, at = problem(seed, signed=True), order(seed, signed=True)
    for i, gain in enumerate(one.flip_gains(at).tolist()):
        signs = at.signs.clone()
        signs[i] = -signs[i]
        assert gain == pytest.approx(one.value(Order(at.units, signs)) - one.value(at), abs=1e-9)


@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(0, 3), st.booleans(), st.sampled_from([0.1, 1.0, 10.0]))
def test_what_is_found_is_never_lower_and_no_swap_is_left(seed, size, pairs, signed, noise):
    one = problem(seed, size, pairs, rest=2, signed=signed, noise=noise)
    start = Order.plain(torch.arange(size))
    found = raised(one)
    assert sorted(found.units.tolist()) == list(range(size))
    assert signed or bool((found.signs == 1).all())
    least = 1e-9 * max(1.0, abs(one.value(found)))
    assert one.value(found) >= one.value(start) - least
    assert float(one.swap_gains(found).max()) <= least
    assert not signed or float(one.flip_gains(found).max()) <= least


@given(st.integers(0, 10_000))
def test_without_pairs_it_is_the_best(seed):
    one = problem(seed, 5, pairs=0)
    best = max(one.value(Order.plain(torch.tensor(p))) for p in itertools.permutations(range(5)))
    assert one.value(raised(one)) == pytest.approx(best)


def test_it_is_nearly_always_the_best_of_all_orders():
    ends = []
    for seed in range(30):
        one = problem(seed, 5, noise=0.5)
        best = max(one.value(Order.plain(torch.tensor(p))) for p in itertools.permutations(range(5)))
        ends.append(one.value(raised(one)) >= best - 1e-9)
    assert sum(ends) >= 27


def test_a_plain_assignment_lowers_the_objective_of_a_residual_layer_and_what_is_found_does_not():
    # The case of science 3: the gradient's assignment, taken as it is, goes down.
    lowered = 0
    for seed in range(20):
        one, start = problem(seed, 8, pairs=3, noise=2.0), Order.plain(torch.arange(8))
        at = start
        for _ in range(4):
            plain = _assigned(one, at)
            lowered += one.value(plain) < one.value(at) - 1e-9
            at = plain
        assert one.value(raised(one)) >= one.value(start)
        assert one.value(raised(one)) >= one.value(at) - 1e-9 or one.value(at) > one.value(start)
    assert lowered >= 10


def test_frank_wolfe_helps_where_the_assignment_does_not():
    stuck, helped = 0, 0
    for seed in range(40):
        one, at = problem(seed, 16, pairs=3, noise=2.0), Order.plain(torch.arange(16))
        if one.value(_assigned(one, at)) <= one.value(at):
            stuck += 1
            helped += one.value(_frank_wolfe(one, at)) > one.value(at)
    assert stuck >= 5 and helped >= 0.8 * stuck


def test_single_precision_and_views_of_weights_are_taken_as_they_are():
    exact = problem(3, 12, noise=0.2)
    rough = Coupled(exact.linear, [(a.float().mT, b.float().mT) for a, b in exact.pairs])
    turned = Coupled(exact.linear, [(a.mT, b.mT) for a, b in exact.pairs])
    assert torch.equal(raised(rough).units, raised(turned).units)
    assert rough.value(order(0, 12)) == pytest.approx(turned.value(order(0, 12)), rel=1e-6)


def test_assignment_takes_the_largest_sum():
    gains = torch.tensor([[1.0, 5.0, 0.0], [4.0, 6.0, 0.0], [0.0, 0.0, 1.0]])
    assert assign(gains).tolist() == [1, 0, 2]
