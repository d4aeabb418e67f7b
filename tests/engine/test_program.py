"""Recorded computations run again: the numbers of the computation itself, bit by bit."""

import logging

import pytest
import torch
from torch.nn import functional

from gnnmc.engine import NotTraceable, Repeated
from gnnmc.engine.tracing import Program
from gnnmc.sparse import SparseMatrix, product


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def assert_same(compute, x, generators=()):
    """Recorded at some numbers, it gives at others what computing there gives."""
    program = Program(compute, [x])
    for seed in (1, 2):
        with torch.no_grad():
            x.copy_(normal(*x.shape, seed=seed))
        states = [generator.get_state() for generator in generators]
        expected = [value.detach() for value in compute()]
        for generator, state in zip(generators, states, strict=True):
            generator.set_state(state)
        program.run()
        for value, real in zip(program.results, expected, strict=True):
            assert torch.equal(value, real) and value.stride() == real.stride()
    return program


W, SPARSE = normal(6, 4, seed=5), SparseMatrix.of((normal(5, 5, seed=6) > 0.5).float().to_sparse_csr())


def in_place(x):
    total = torch.zeros(5, 6)
    total.index_add_(0, torch.tensor([0, 0, 3]), x[:3])
    return [total.add_(1), total * 2]


def through_views(x):
    y = x * 3
    y[1:3].mul_(2)
    return [y.t()[2], y.view(-1)[3:9].sum()]


def many_values(x):
    """What is still needed must not be written over by what comes between."""
    values = [x * k for k in range(12)]
    return [sum(values[::-1]), values[3] - values[11]]


COMPUTATIONS = {
    "products": lambda x: [(x @ W).relu(), torch.addmm(torch.ones(4), x, W)],
    "softmax": lambda x: [functional.log_softmax(x, 1), x.softmax(0).sum(1)],
    "sparse": lambda x: [product(SPARSE, x), product(SPARSE, x.t().contiguous().t())],
    "batch norm": lambda x: [functional.batch_norm(x, None, None, training=True)],
    # Whose columns are apart: torch's own way to write the results into given memory does not write them there.
    "batch norm of columns": lambda x: [functional.batch_norm(x.t().contiguous().t(), None, None, training=True)],
    "layer norm": lambda x: [functional.layer_norm(x, (6,))],
    "type": lambda x: [x.double().mean(), (x > 0).long().sum()],
    "gather": lambda x: [x[torch.tensor([3, 3, 0])], x.gather(1, torch.zeros(5, 2, dtype=torch.long))],
    "in place": in_place,
    "views": through_views,
    "many": many_values,
    "a result twice": lambda x: [x + 1] * 2,
    "an input": lambda x: [x, x.t()],
    "constant": lambda x: [torch.ones(3), x.sum()],
}


@pytest.mark.parametrize("name", list(COMPUTATIONS))
def test_the_same_numbers(name):
    x = normal(5, 6)
    assert_same(lambda: COMPUTATIONS[name](x), x)


@pytest.mark.parametrize("name", list(COMPUTATIONS))
def test_the_same_gradients(name):
    x = normal(5, 6).requires_grad_()
    if name in ("an input", "type", "in place"):
        pytest.skip("not all of it has gradients")

    def compute():
        value = sum(made.square().sum() for made in COMPUTATIONS[name](x))
        return [value, *torch.autograd.grad(value, [x])]

    assert_same(compute, x)


def test_random_numbers_are_drawn_anew():
    x, generator = normal(5, 6), torch.Generator().manual_seed(3)

    def compute():
        return [x * torch.empty(5, 6).bernoulli_(0.5, generator=generator), torch.randn(3, generator=generator)]

    program = assert_same(compute, x, [generator])
    before = program.results[1].clone()
    program.run()
    assert not torch.equal(program.results[1], before)


def test_what_nobody_reads_is_not_done_again_but_drawn():
    x, generator = normal(5, 6), torch.Generator().manual_seed(3)

    def compute():
        torch.randn(4, generator=generator)
        x.exp().log()
        constant = W.exp() @ W.t()
        return [x @ constant, torch.rand(2, generator=generator)]

    assert len(assert_same(compute, x, [generator])._steps) == 3


def test_memory_is_used_again():
    x = normal(100, 100)

    def compute():
        y = x
        for _ in range(20):
            y = (y @ x).tanh()
        return [y]

    program = assert_same(compute, x)
    held = {t.untyped_storage().data_ptr() for step in program._steps for t in step.keywords.values()}
    assert len(held) <= 4


def into_numpy(x):
    return [x * float(x.numpy().sum())]


@pytest.mark.parametrize(
    ("compute", "why"),
    [
        (lambda x: [x * x.sum().item()], "a value decides"),
        (lambda x: [x[x > 0].sum()], "a value decides"),
        (lambda x: [x.to_sparse().to_dense()], "not dense|a value decides"),
        (lambda x: [KEPT.add_(x)], "writes into a tensor that it keeps"),
    ],
)
def test_what_cannot_be_done_again(compute, why):
    x = normal(5, 6)
    with pytest.raises(NotTraceable, match=why):
        Program(lambda: compute(x), [x])


KEPT = torch.zeros(5, 6)


@pytest.mark.parametrize("compute", [into_numpy, lambda x: [x * x.sum().item()]])
def test_repeated_gives_the_numbers_of_the_computation_whatever_it_is(compute, caplog):
    caplog.set_level(logging.DEBUG, logger="gnnmc")
    x, calls = normal(5, 6), []
    repeated = Repeated(lambda: calls.append(1) or compute(x), [x])
    for seed in range(1, 5):
        x.copy_(normal(5, 6, seed=seed))
        assert torch.equal(repeated()[0], compute(x)[0])
    assert len(calls) >= 4 and "computed anew" in caplog.text


def test_repeated_computes_twice_and_then_runs_the_record():
    x, generator, calls = normal(5, 6), torch.Generator().manual_seed(0), []
    other = torch.Generator().manual_seed(0)

    def compute(draws):
        return [x.exp() * torch.randn(6, generator=draws)]

    repeated = Repeated(lambda: calls.append(1) or compute(generator), [x], [generator])
    for seed in range(1, 6):
        x.copy_(normal(5, 6, seed=seed))
        assert torch.equal(repeated()[0], compute(other)[0])
    assert len(calls) == 2


def test_errors_of_the_computation_are_its_own():
    x = normal(5, 6)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        Repeated(lambda: [x @ x], [x])()
