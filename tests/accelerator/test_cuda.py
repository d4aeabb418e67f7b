"""The same on a real accelerator, where there is one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.func import vmap

import gnnmc
from gnnmc.engine import ENGINES, Combinations, ModelFunction
from gnnmc.seeding import forked
from gnnmc.sparse import Places, SparseMatrix, Structure, gathered, product, row_starts, softmax_product, valued_product
from gnnmc.weights import digest

DEVICE = "cuda"

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device, and there is none"),
]


@pytest.fixture
def structure() -> Structure:
    """Entries listed twice, and rows and columns without any."""
    generator = torch.Generator().manual_seed(0)
    rows = torch.randint(0, 25, (150,), generator=generator).sort().values
    columns = torch.randint(0, 35, (150,), generator=generator)
    return Structure(row_starts(rows, 30).to(DEVICE), columns.to(DEVICE), (30, 40))


def drawn(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(len(shape))
    return torch.rand(*shape, dtype=torch.float64, generator=generator).to(DEVICE)


def dense(structure, values):
    places = structure.rows.long(), structure.columns.long()
    return values.new_zeros(structure.shape).index_put(places, values, accumulate=True)


@pytest.mark.parametrize("asked", [False, True])
def test_sparse_products_and_their_derivatives(structure, asked):
    """By cuSPARSE, and by the deterministic kernel."""
    values, x = drawn(150), drawn(40, 2)
    matrix = SparseMatrix(structure, values)
    before = torch.are_deterministic_algorithms_enabled()
    try:
        torch.use_deterministic_algorithms(asked, warn_only=True)
        torch.testing.assert_close(product(matrix, x), dense(structure, values) @ x)
        torch.testing.assert_close(valued_product(structure, values, x), dense(structure, values) @ x)
        many = drawn(3, 40, 2)
        expected = torch.stack([dense(structure, values) @ one for one in many])
        torch.testing.assert_close(vmap(lambda x: product(matrix, x))(many), expected)
        each = torch.stack([values, values + 1, -values])
        expected = torch.stack([dense(structure, v) @ one for v, one in zip(each, many, strict=True)])
        torch.testing.assert_close(valued_product(structure, each, many), expected)
        torch.testing.assert_close(vmap(lambda v, x: valued_product(structure, v, x))(each, many), expected)
        x, values = x.requires_grad_(), values.requires_grad_()
        given = torch.autograd.grad(valued_product(structure, values, x).square().sum(), (values, x))
        wanted = torch.autograd.grad((dense(structure, values) @ x).square().sum(), (values, x))
        torch.testing.assert_close(given, wanted)
        tolerance = {"nondet_tol": 1e-10}
        assert torch.autograd.gradcheck(lambda x: product(matrix, x), (x,), **tolerance)
        assert torch.autograd.gradgradcheck(lambda x: product(matrix, x).square(), (x,), **tolerance)
        assert torch.autograd.gradgradcheck(lambda v, x: valued_product(structure, v, x), (values, x), **tolerance)
    finally:
        torch.use_deterministic_algorithms(before)


def test_attention_and_what_it_is_made_of(structure):
    scores, x = (10 * drawn(2, 150)).requires_grad_(), drawn(2, 40, 3).requires_grad_()
    ours = softmax_product(structure, scores, x)
    exps = (scores - scores.max()).exp()
    matrices = [dense(structure, one) for one in exps]
    # A row without entries gives nothing.
    theirs = torch.stack(
        [m @ one / m.sum(1, keepdim=True).clamp(min=1e-300) for m, one in zip(matrices, x, strict=True)]
    )
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(
        torch.autograd.grad(ours.square().sum(), (scores, x)), torch.autograd.grad(theirs.square().sum(), (scores, x))
    )
    index, rows = structure.columns, drawn(40, 3).requires_grad_()
    taken = gathered(Places(index, 40), rows)
    assert torch.equal(taken, rows[index.long()])
    (ours,) = torch.autograd.grad(taken.square().sum(), rows)
    (theirs,) = torch.autograd.grad(rows[index.long()].square().sum(), rows)
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("engine", list(ENGINES))
@pytest.mark.parametrize("name, norm", [("gcn", "none"), ("gat", "layer"), ("gatv2", "none"), ("mlp", "none")])
def test_every_result_equals_that_of_the_cpu(toy_problem, name, norm, engine):
    found = {}
    for device in ("cpu", DEVICE):
        where = {"device": device, "engine": engine}
        model = gnnmc.build_model(name, toy_problem, norm=norm, dropout=0.0)
        modes = gnnmc.train(model, toy_problem, seeds=[0, 1], epochs=8, **where)
        curve = gnnmc.fit_path(model, toy_problem, *modes, steps=8, **where)
        paths = (gnnmc.LinearPath(*modes), curve)
        found[device] = [gnnmc.profile(model, toy_problem, path, points=5, **where).values for path in paths]
        found[device].append(gnnmc.plane(model, toy_problem, *modes, curve, points=3, **where).values)
    for ours, theirs in zip(found["cpu"], found[DEVICE], strict=True):
        torch.testing.assert_close(torch.tensor(ours), torch.tensor(theirs), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["gcn", "gat", "transformer"])
def test_many_points_are_many_at_once_there_too(toy_problem, name):
    function = ModelFunction(gnnmc.build_model(name, toy_problem), toy_problem, DEVICE)
    points = [{k: v + shift * v.is_floating_point() for k, v in function.reference.items()} for shift in (0, 0.01)]
    assert Combinations(function).measure(points, torch.tensor([[0.5, 0.5]])) is not None


def test_less_memory_gives_the_same_in_smaller_steps(toy_problem):
    model = gnnmc.build_model("gcn", toy_problem)
    modes = gnnmc.train(model, toy_problem, seeds=[0, 1], epochs=3, device=DEVICE)
    path = gnnmc.LinearPath(*modes)
    wide, narrow = (
        torch.tensor(gnnmc.profile(model, toy_problem, path, points=25, device=DEVICE, memory=memory).values)
        for memory in (2**31, 2**16)
    )
    torch.testing.assert_close(wide, narrow, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["gcn", "gat", "gatv2"])
def test_two_runs_by_deterministic_kernels_give_the_same_bits(name):
    script = Path(__file__).with_name("repeated.py")
    ran = subprocess.run(
        [sys.executable, str(script), name, DEVICE],
        env=os.environ | {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"},
        capture_output=True,
        text=True,
        timeout=600,
        cwd=Path(__file__).parents[2],
    )
    assert ran.returncode == 0, ran.stderr
    loop, loop_again, stacked, stacked_again = ran.stdout.split()
    assert loop == loop_again
    assert stacked == stacked_again


def test_the_devices_generator_is_forked_and_restored():
    before = torch.cuda.get_rng_state()
    draws = []
    for _ in range(2):
        with forked("probe", device="cuda:0"):
            draws.append(torch.rand(4, device="cuda"))
    assert torch.equal(*draws)
    assert torch.equal(before, torch.cuda.get_rng_state())


def test_dropout_on_the_device_repeats_by_seed(toy_problem):
    model = gnnmc.build_model("mlp", toy_problem, dropout=0.5)
    first, again = (gnnmc.train(model, toy_problem, seeds=[0], epochs=3, device=DEVICE)[0] for _ in range(2))
    assert digest(first.last) == digest(again.last)
