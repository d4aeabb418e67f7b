"""What attention is made of: rows gathered, the largest of a row, and a softmax over the entries of every row."""

import pytest
import torch
from torch.func import grad, vmap

from gnnmc.sparse import Places, Structure, gathered, row_max, row_starts, softmax_product

ROWS, COLUMNS, ENTRIES = 12, 15, 60


@pytest.fixture
def structure() -> Structure:
    # The last three rows have no entries.
    generator = torch.Generator().manual_seed(0)
    rows = torch.randint(0, ROWS - 3, (ENTRIES,), generator=generator).sort().values
    return Structure(
        row_starts(rows, ROWS), torch.randint(0, COLUMNS, (ENTRIES,), generator=generator), (ROWS, COLUMNS)
    )


@pytest.fixture
def scores() -> torch.Tensor:
    return 5 * torch.randn(2, ENTRIES, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(2, COLUMNS, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))


def row_by_row(structure, scores, x):
    out = x.new_zeros(len(x), ROWS, x.shape[2])
    for row in range(ROWS):
        entries = slice(int(structure.starts[row]), int(structure.starts[row + 1]))
        if entries.stop > entries.start:
            shares = scores[:, entries].softmax(1)
            out[:, row] = (shares[:, :, None] * x[:, structure.columns[entries].long()]).sum(1)
    return out


def test_a_softmax_over_the_entries_of_every_row(structure, scores, x):
    torch.testing.assert_close(softmax_product(structure, scores, x), row_by_row(structure, scores, x))
    scores, x = scores.requires_grad_(), x.requires_grad_()
    given = lambda f: torch.autograd.grad(f(structure, scores, x).square().sum(), (scores, x))  # noqa: E731
    torch.testing.assert_close(given(softmax_product), given(row_by_row))
    small = scores[:1].detach().requires_grad_(), x[:1, :, :1].detach().requires_grad_()
    check = {"check_forward_ad": True}
    assert torch.autograd.gradcheck(lambda s, x: softmax_product(structure, s, x), small, **check)


@pytest.mark.parametrize("shift", [-1e4, 1e4])
def test_scores_of_any_size(structure, scores, x, shift):
    scores, x = scores.float(), x.float()
    shifted = softmax_product(structure, scores + shift, x)
    torch.testing.assert_close(shifted, softmax_product(structure, scores, x), rtol=0.02, atol=0.02)
    lower = scores + shift * torch.arange(2.0)[:, None] + 200 * structure.rows
    assert softmax_product(structure, lower, x).isfinite().all()


def test_many_models_at_once(structure, scores, x):
    many, others = torch.stack([scores, -scores]), torch.stack([x, x + 1])
    expected = torch.stack([row_by_row(structure, *one) for one in zip(many, others, strict=True)])
    torch.testing.assert_close(vmap(lambda s, x: softmax_product(structure, s, x))(many, others), expected)

    def loss(f):
        return lambda scores: f(structure, scores, x).square().sum()

    torch.testing.assert_close(
        vmap(grad(loss(softmax_product)))(many), torch.stack([grad(loss(row_by_row))(one) for one in many])
    )


def test_the_largest_of_every_row(structure, scores):
    expected = torch.full((2, ROWS), float("-inf"), dtype=torch.float64)
    for entry, row in enumerate(structure.rows.tolist()):
        expected[:, row] = torch.maximum(expected[:, row], scores[:, entry])
    assert torch.equal(row_max(structure.starts, scores), expected)
    assert torch.equal(row_max(structure.starts, scores[0]), expected[0])
    generic = torch._C.DispatchKeySet(torch._C.DispatchKey.CompositeExplicitAutograd)
    assert torch.equal(row_max.redispatch(generic, structure.starts, scores), expected)
    assert row_max(structure.starts.to("meta"), scores.to("meta")).shape == (2, ROWS)


def test_the_largest_of_one_entry_in_any_layout():
    values = torch.tensor([[1.0, 2.0, 3.0]], dtype=torch.float64)
    assert torch.equal(row_max(torch.tensor([0, 1]), values.t()), values.t())


def test_rows_gathered_and_their_derivatives():
    index = torch.tensor([3, 0, 3, 3, 1])
    places, x = Places(index, 5), torch.randn(5, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.equal(gathered(places, x), x[index])
    assert torch.autograd.gradcheck(lambda x: gathered(places, x), (x,), check_forward_ad=True)
    assert torch.autograd.gradgradcheck(lambda x: gathered(places, x).square(), (x,))
    last = torch.randn(2, 3, 5, dtype=torch.float64, requires_grad=True)
    assert torch.equal(gathered(places, last, axis=-1), last[..., index])
    assert torch.autograd.gradcheck(lambda x: gathered(places, x, axis=2), (last,), check_forward_ad=True)
    torch.testing.assert_close(vmap(lambda x: gathered(places, x, axis=-1), 1, 1)(last), last[..., index])
    many = torch.randn(5, 3)
    torch.testing.assert_close(vmap(lambda x: gathered(places, x), in_dims=1, out_dims=1)(many), many[index])
    weights = torch.arange(5.0)
    ours = vmap(grad(lambda x: (gathered(places, x) * weights).sum()), in_dims=1, out_dims=1)(many)
    torch.testing.assert_close(ours[:, 0], torch.zeros(5).index_add(0, index, weights))
