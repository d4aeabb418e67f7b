"""Attention scored by pairs of nodes, against a softmax row by row, with its derivatives, however many rows at once."""

import pytest
import torch
from torch.func import grad, vmap

from gnnmc.sparse import Structure, pairwise_attention, pairwise_rows, row_starts

MODELS, ROWS, COLUMNS, ENTRIES, SLOPE = 2, 12, 15, 60, 0.2


@pytest.fixture
def structure() -> Structure:
    # The first row and the last two have no entries, and some entries are listed twice.
    generator = torch.Generator().manual_seed(0)
    rows = torch.randint(1, ROWS - 2, (ENTRIES,), generator=generator).sort().values
    return Structure(
        row_starts(rows, ROWS), torch.randint(0, COLUMNS, (ENTRIES,), generator=generator), (ROWS, COLUMNS)
    )


def operands(heads=3, width=4, size=1.0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(1)
    shapes = [(MODELS, count, heads, width) for count in (ROWS, COLUMNS, COLUMNS)] + [(MODELS, heads, width)]
    drawn = [torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in shapes]
    return [(size * value if number < 2 else value).to(dtype).requires_grad_() for number, value in enumerate(drawn)]


def row_by_row(structure, of_row, of_column, x, factor):
    out = []
    for row in range(ROWS):
        places = structure.columns[structure.starts[row] : structure.starts[row + 1]].long()
        pairs = torch.nn.functional.leaky_relu(of_row[:, row : row + 1] + of_column[:, places], SLOPE)
        scores = (pairs * factor[:, None]).sum(-1)
        out.append((scores.softmax(1).unsqueeze(-1) * x[:, places]).sum(1))
    return torch.stack(out, 1)


def attended(structure, *given):
    return pairwise_attention(structure, *given, SLOPE)


def with_gradients(f, structure, given):
    out = f(structure, *given)
    return out, *torch.autograd.grad((out * out.detach().cos()).sum(), given)


# Scores near 0, and of more than exp can tell apart.
@pytest.mark.parametrize("size", [1, 300])
@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize("at_once", [1, 100, 2**18])
def test_a_softmax_over_the_entries_of_every_row(structure, size, heads, at_once, monkeypatch):
    monkeypatch.setattr(pairwise_rows, "AT_ONCE", at_once)
    given = operands(heads=heads, size=size)
    found, expected = (with_gradients(f, structure, given) for f in (attended, row_by_row))
    for ours, real in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, real, rtol=1e-9, atol=1e-9)
    with torch.no_grad():
        torch.testing.assert_close(attended(structure, *given), expected[0], rtol=1e-9, atol=1e-9)


def test_single_precision(structure):
    given = operands(dtype=torch.float32)
    exact = [value.detach().double().requires_grad_() for value in given]
    found, expected = with_gradients(attended, structure, given), with_gradients(row_by_row, structure, exact)
    for ours, real in zip(found, expected, strict=True):
        torch.testing.assert_close(ours.double(), real, rtol=1e-4, atol=1e-5)


def test_a_model_that_is_not_finite_leaves_the_others_alone(structure):
    given = [value.detach() for value in operands()]
    expected = with_gradients(attended, structure, [value[1:].clone().requires_grad_() for value in given])
    given[0][0, 1] = float("nan")
    found = with_gradients(attended, structure, [value.clone().requires_grad_() for value in given])
    for ours, alone in zip(found, expected, strict=True):
        torch.testing.assert_close(ours[1:], alone)
    assert not found[0][0].isfinite().all()


def test_second_derivatives_where_one_operand_is_made_of_another(structure):
    _, _, x, factor = operands()

    def second(f):
        made = f(structure, x[:, :ROWS] * 0.5, x * 2, x, factor)
        (first,) = torch.autograd.grad(made.square().sum(), [x], create_graph=True)
        return torch.autograd.grad((first**3).sum(), [x])

    torch.testing.assert_close(second(attended), second(row_by_row))


def test_derivatives_of_every_kind(structure):
    def loss(f):
        return lambda *given: f(structure, *given).square().sum()

    given = operands(heads=1, width=2)
    ours, real = (torch.autograd.grad(loss(f)(*given), given, create_graph=True) for f in (attended, row_by_row))
    again = [torch.autograd.grad(sum((g**3).sum() for g in first), given) for first in (ours, real)]
    torch.testing.assert_close(*again)
    assert torch.autograd.gradcheck(lambda *v: attended(structure, *v), given, check_forward_ad=True)
    many = [torch.stack([value.detach(), value.detach() + 0.1]) for value in given]
    alone = [grad(loss(row_by_row))(*(value[number] for value in many)) for number in range(2)]
    torch.testing.assert_close(vmap(grad(loss(attended)))(*many), torch.stack(alone))


def test_no_entries():
    nothing = torch.zeros(0, dtype=torch.long)
    empty = Structure(row_starts(nothing, ROWS), nothing, (ROWS, COLUMNS))
    given = operands()
    found = with_gradients(attended, empty, given)
    for value in found:
        assert torch.equal(value, torch.zeros_like(value))
