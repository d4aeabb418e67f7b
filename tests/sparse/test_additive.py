"""Attention whose scores are sums, against a softmax row by row: for scores of every size, with its derivatives."""

import pytest
import torch
from torch.func import grad, vmap

from gnnmc.sparse import Structure, additive, additive_attention, additive_blocks, row_starts

ROWS, COLUMNS, ENTRIES, HEADS, WIDTH, SLOPE = 12, 15, 60, 3, 4, 0.2


@pytest.fixture
def structure() -> Structure:
    # The last three rows have no entries, and some entries are listed twice.
    generator = torch.Generator().manual_seed(0)
    rows = torch.randint(0, ROWS - 3, (ENTRIES,), generator=generator).sort().values
    return Structure(
        row_starts(rows, ROWS), torch.randint(0, COLUMNS, (ENTRIES,), generator=generator), (ROWS, COLUMNS)
    )


def operands(*lead, size=1.0, heads=HEADS, dtype=torch.float64):
    generator = torch.Generator().manual_seed(1)
    shapes = ((*lead, ROWS, heads), (*lead, COLUMNS, heads), (*lead, COLUMNS, heads, WIDTH))
    of_row, of_column, x = (torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in shapes)
    return [value.to(dtype).requires_grad_() for value in (size * of_row, size * of_column, x)]


def row_by_row(structure, of_row, of_column, x):
    out = []
    for row in range(ROWS):
        places = structure.columns[structure.starts[row] : structure.starts[row + 1]].long()
        scores = torch.nn.functional.leaky_relu(of_row[..., row : row + 1, :] + of_column[..., places, :], SLOPE)
        out.append((scores.softmax(-2).unsqueeze(-1) * x[..., places, :, :]).sum(-3))
    return torch.stack(out, -3)


def attended(structure, of_row, of_column, x):
    return additive_attention(structure, of_row, of_column, x, SLOPE)


def with_gradients(f, structure, given):
    out = f(structure, *given)
    return out, *torch.autograd.grad((out * out.detach().cos()).sum(), given)


# Scores near 0; of some size; of more than exp can tell apart in one row; far from 0.
@pytest.mark.parametrize("size", [1, 15, 300])
@pytest.mark.parametrize("lead", [(), (2,)], ids=["one", "many"])
@pytest.mark.parametrize("at_once", [1, 3 * ENTRIES, 2**19])
def test_a_softmax_over_the_entries_of_every_row(structure, size, lead, at_once, monkeypatch):
    monkeypatch.setattr(additive_blocks, "AT_ONCE", at_once)
    for heads in (1, HEADS):
        given = operands(*lead, size=size, heads=heads)
        found, expected = (with_gradients(f, structure, given) for f in (attended, row_by_row))
        for ours, real in zip(found, expected, strict=True):
            torch.testing.assert_close(ours, real, rtol=1e-10, atol=1e-12)
        with torch.no_grad():
            torch.testing.assert_close(attended(structure, *given), expected[0], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("shift", [-1e3, 30, 45, 1e3])
def test_scores_far_from_zero_in_single_precision(structure, shift):
    of_row, of_column, x = operands(dtype=torch.float32)
    of_row = (of_row + shift).detach().requires_grad_()
    exact = [value.detach().double().requires_grad_() for value in (of_row, of_column, x)]
    found = with_gradients(attended, structure, [of_row, of_column, x])
    for ours, real in zip(found, with_gradients(row_by_row, structure, exact), strict=True):
        torch.testing.assert_close(ours.double(), real, rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_model_that_is_not_finite_leaves_the_others_alone(structure, value):
    of_row, of_column, x = (given.detach() for given in operands(2))
    expected = with_gradients(attended, structure, [v[1:].clone().requires_grad_() for v in (of_row, of_column, x)])
    of_row[0, 0, 0] = value
    found = with_gradients(attended, structure, [v.clone().requires_grad_() for v in (of_row, of_column, x)])
    for ours, alone in zip(found, expected, strict=True):
        torch.testing.assert_close(ours[1:], alone)
    assert not found[0][0].isfinite().all()


def test_derivatives_of_every_kind(structure):
    def loss(f):
        return lambda *given: f(structure, *given).square().sum()

    given = operands(heads=1)
    ours, real = (torch.autograd.grad(loss(f)(*given), given, create_graph=True) for f in (attended, row_by_row))
    again = [torch.autograd.grad(sum((g**3).sum() for g in first), given) for first in (ours, real)]
    torch.testing.assert_close(*again)
    assert torch.autograd.gradcheck(lambda *v: attended(structure, *v), given, check_forward_ad=True)
    many = [value.detach() for value in operands(3)]
    alone = [grad(loss(row_by_row))(*(value[number] for value in many)) for number in range(3)]
    torch.testing.assert_close(vmap(grad(loss(attended)))(*many), torch.stack(alone))


def test_second_derivatives_where_one_operand_is_made_of_another(structure):
    # As in GAT, whose scores are products of the very values that they weigh.
    _, _, x = operands()
    source, target = torch.randn(2, HEADS, WIDTH, dtype=torch.float64, generator=torch.Generator().manual_seed(2))

    def second(f):
        made = f(structure, (x[:ROWS] * target).sum(-1), (x * source).sum(-1), x)
        (first,) = torch.autograd.grad(made.square().sum(), [x], create_graph=True)
        return torch.autograd.grad((first**3).sum(), [x])

    torch.testing.assert_close(second(attended), second(row_by_row))


def test_only_what_is_asked_for(structure):
    of_row, of_column, x = operands()
    whole = torch.autograd.grad(attended(structure, of_row, of_column, x).square().sum(), [of_row, of_column, x])
    for place in range(3):
        given = [v.detach().requires_grad_(number == place) for number, v in enumerate((of_row, of_column, x))]
        (found,) = torch.autograd.grad(attended(structure, *given).square().sum(), [given[place]])
        torch.testing.assert_close(found, whole[place])


def test_no_entries_and_no_models():
    nothing = torch.zeros(0, dtype=torch.long)
    empty = Structure(row_starts(nothing, 3), nothing, (3, 2))
    out = additive_attention(empty, torch.ones(3, 1), torch.ones(2, 1), torch.ones(2, 1, 4), SLOPE)
    assert torch.equal(out, torch.zeros(3, 1, 4))


def test_one_operation_whoever_watches(structure):
    of_row, of_column, x = (value.detach() for value in operands())
    operator = torch.ops.gnnmc.additive_attention
    # Of tensors alone: nobody holds a structure of them.
    starts, columns = structure.starts.clone(), structure.columns.clone()
    found = operator(starts, columns, of_row, of_column, x, SLOPE)
    torch.testing.assert_close(found, attended(structure, of_row, of_column, x))
    torch.testing.assert_close(operator(starts, columns, of_row, of_column, x, SLOPE), found)
    shapes = [value.to("meta") for value in (starts, columns, of_row, of_column, x)]
    assert operator(*shapes, SLOPE).shape == found.shape


def test_devices_and_slopes_without_the_operation(structure):
    given = operands()
    torch.testing.assert_close(additive._by_entries(structure, *given, SLOPE), row_by_row(structure, *given))
    steep = [additive_attention(structure, *given, 3.0), additive._by_entries(structure, *given, 3.0)]
    torch.testing.assert_close(*steep)
