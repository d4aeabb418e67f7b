"""Sparse products against the same sums by a dense matrix: values, every kind of derivative, many models at once."""

import pytest
import torch
from torch.func import grad, jvp, vmap

from gnnmc.sparse import SparseMatrix, Structure, product, row_starts, sparse_mm, valued, valued_product

ROWS, COLUMNS = 30, 40


@pytest.fixture
def structure() -> Structure:
    # Entries listed twice, and rows and columns without any (the last five).
    generator = torch.Generator().manual_seed(0)
    rows = torch.randint(0, ROWS - 5, (150,), generator=generator).sort().values
    columns = torch.randint(0, COLUMNS - 5, (150,), generator=generator)
    return Structure(row_starts(rows, ROWS), columns, (ROWS, COLUMNS))


@pytest.fixture
def values() -> torch.Tensor:
    return torch.rand(150, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(COLUMNS, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(2))


def dense(structure, values):
    places = structure.rows.long(), structure.columns.long()
    return values.new_zeros(structure.shape).index_put(places, values, accumulate=True)


def test_the_transposed_structure_has_the_same_entries(structure, values):
    matrix = SparseMatrix(structure, values)
    assert torch.equal(matrix.tensor.to_dense(), dense(structure, values))
    assert torch.equal(matrix.transposed.tensor.to_dense(), dense(structure, values).t())
    assert torch.equal(SparseMatrix.of(matrix.tensor).values, values)
    assert {structure.starts.dtype, structure.columns.dtype} == {torch.int32}


def test_a_product_and_its_derivatives(structure, values, x):
    matrix = SparseMatrix(structure, values)
    torch.testing.assert_close(product(matrix, x), dense(structure, values) @ x)
    x = x[:, :2].clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: product(matrix, x), (x,), check_forward_ad=True)
    assert torch.autograd.gradgradcheck(lambda x: product(matrix, x).square(), (x,))


def test_a_product_with_values_that_have_gradients(structure, values, x):
    torch.testing.assert_close(valued_product(structure, values, x), dense(structure, values) @ x)
    x, values = x[:, :1].clone().requires_grad_(), values.requires_grad_()
    check = {"check_forward_ad": True}
    assert torch.autograd.gradcheck(lambda v, x: valued_product(structure, v, x), (values, x), **check)
    assert torch.autograd.gradgradcheck(lambda v, x: valued_product(structure, v, x), (values, x))


def test_more_entries_than_places(x):
    rows = torch.arange(3).repeat_interleave(15)
    columns = torch.randint(0, 3, (45,), generator=torch.Generator().manual_seed(0))
    structure = Structure(row_starts(rows, 3), columns, (3, 3))
    values = torch.rand(45, dtype=torch.float64)
    torch.testing.assert_close(valued_product(structure, values, x[:3]), dense(structure, values) @ x[:3])
    given = values.requires_grad_(), x[:3].clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda values, x: valued_product(structure, values, x), given)


def test_many_models_at_once_are_the_models_one_by_one(structure, values, x):
    matrix = SparseMatrix(structure, values)
    many, weights = torch.stack([x, 2 * x, x - 1]), torch.stack([values, values + 1, -values])
    expected = torch.stack([product(matrix, one) for one in many])
    torch.testing.assert_close(vmap(lambda x: product(matrix, x))(many), expected)
    along = vmap(lambda x: product(matrix, x), in_dims=2, out_dims=2)(many.movedim(0, 2))
    torch.testing.assert_close(along, expected.movedim(0, 2))
    for in_dims in ((0, 0), (0, None), (None, 0)):
        given = [given if axis == 0 else given[0] for given, axis in zip((weights, many), in_dims)]
        ones = [given if axis == 0 else given.expand(3, *given.shape) for given, axis in zip(given, in_dims)]
        expected = torch.stack([valued_product(structure, v, one) for v, one in zip(*ones)])
        torch.testing.assert_close(vmap(lambda v, x: valued_product(structure, v, x), in_dims)(*given), expected)


@pytest.mark.parametrize("turned", [False, True])
def test_a_product_with_several_after_one_another(structure, values, x, turned):
    matrix, many = SparseMatrix(structure, values), torch.stack([x, 2 * x, x - 1])
    if turned:
        many = many.transpose(1, 2).contiguous().transpose(1, 2)
    torch.testing.assert_close(product(matrix, many), torch.stack([product(matrix, one) for one in many]))
    given = (many[:2, :, :1].clone().requires_grad_(),)
    assert torch.autograd.gradcheck(lambda x: product(matrix, x), given, check_forward_ad=True)
    twice = vmap(lambda x: product(matrix, x))(torch.stack([many, -many]))
    torch.testing.assert_close(twice, torch.stack([product(matrix, many), -product(matrix, many)]))


@pytest.mark.parametrize("together", [1, 2, 100])
def test_many_sets_of_values_at_once_are_those_one_by_one(structure, values, x, together, monkeypatch):
    monkeypatch.setattr(valued, "_TOGETHER", together * 150)
    many, weights = torch.stack([x, 2 * x, x - 1]), torch.stack([values, values + 1, -values])
    expected = torch.stack([valued_product(structure, v, one) for v, one in zip(weights, many)])
    for _ in range(2):  # what is kept of a larger number serves a smaller one
        torch.testing.assert_close(valued_product(structure, weights, many), expected)
        torch.testing.assert_close(valued_product(structure, weights[:2], many[:2]), expected[:2])
    given = weights[:2].clone().requires_grad_(), many[:2, :, :1].clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda v, x: valued_product(structure, v, x), given, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(lambda v, x: valued_product(structure, v, x), given)
    twice = vmap(lambda v, x: valued_product(structure, v, x))(
        torch.stack([weights, -weights]), torch.stack([many] * 2)
    )
    torch.testing.assert_close(twice, torch.stack([expected, -expected]))


def test_transforms_of_transforms(structure, values, x):
    def loss(multiply):
        return lambda values, x: multiply(values, x).square().sum()

    matrix, many = SparseMatrix(structure, values), torch.stack([x, 2 * x])
    for ours, theirs in (
        (loss(lambda v, x: product(matrix, x)), loss(lambda v, x: dense(structure, values) @ x)),
        (loss(lambda v, x: valued_product(structure, v, x)), loss(lambda v, x: dense(structure, v) @ x)),
    ):
        for transformed in (
            lambda f: vmap(grad(f, argnums=1), (None, 0))(values, many),
            lambda f: jvp(lambda x: grad(f, argnums=1)(values, x), (x,), (x - 1,))[1],
            lambda f: jvp(lambda v: f(v, x), (values,), (values - 1,))[1],
            lambda f: vmap(lambda x: grad(f)(values, x))(many),
        ):
            torch.testing.assert_close(transformed(ours), transformed(theirs))


def test_any_strides(structure, values, x):
    wide = torch.stack([values, values + 1], dim=1)
    expected = dense(structure, wide[:, 1].contiguous()) @ x
    for given in (x, x.t().contiguous().t(), torch.stack([x, x], dim=2)[..., 0]):
        torch.testing.assert_close(valued_product(structure, wide[:, 1], given), expected)


@pytest.mark.parametrize("shape, entries", [((0, 4), 0), ((3, 0), 0), ((3, 4), 0), ((2, 2), 3)])
@pytest.mark.parametrize("width", [0, 1, 3])
def test_nothing_to_multiply(shape, entries, width):
    structure = Structure(row_starts(torch.zeros(entries, dtype=torch.long), shape[0]), torch.zeros(entries), shape)
    x, values = torch.ones(shape[1], width, requires_grad=True), torch.ones(entries, requires_grad=True)
    out = valued_product(structure, values, x)
    expected = torch.zeros(shape[0], width)
    expected[:1] = entries
    torch.testing.assert_close(out.detach(), expected)
    out.sum().backward()
    assert torch.equal(values.grad, torch.full((entries,), float(width)))


def test_devices_without_sparse_layouts_multiply_by_gathering(structure, values, x):
    """The kernel of every backend that has none of its own, on a CPU."""
    expected = dense(structure, values) @ x
    arguments = structure.starts, structure.columns, values, COLUMNS, x
    keys = torch._C.DispatchKeySet(torch._C.DispatchKey.CompositeExplicitAutograd)
    torch.testing.assert_close(sparse_mm.redispatch(keys, *arguments), expected)
    twice = sparse_mm.redispatch(keys, *arguments[:4], torch.stack([x, -x]))
    torch.testing.assert_close(twice, torch.stack([expected, -expected]))
    half = sparse_mm(*arguments[:2], values.half(), COLUMNS, x.half())
    torch.testing.assert_close(half, expected.half(), rtol=2e-2, atol=2e-2)
    with pytest.raises(RuntimeError, match=r"expected x \(40, F\) of torch.float64, got \(39, 6\)"):
        sparse_mm.redispatch(keys, *arguments[:4], x[:-1])


def test_shapes_alone(structure, values, x):
    out = sparse_mm(
        *(given.to("meta") for given in (structure.starts, structure.columns, values)), COLUMNS, x.to("meta")
    )
    assert out.shape == (ROWS, 6)
    many = sparse_mm(
        *(given.to("meta") for given in (structure.starts, structure.columns, values)),
        COLUMNS,
        x.expand(2, *x.shape).to("meta"),
    )
    assert many.shape == (2, ROWS, 6)
    assert out.dtype == torch.float64
    assert out.device.type == "meta"
