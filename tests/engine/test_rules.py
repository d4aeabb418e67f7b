"""Every batching rule against the operation on one value after another, values and gradients, wherever the batch is."""

import pytest
import torch

from gnnmc.engine.tracing.batched import Batched, run
from gnnmc.engine.tracing.products import sparse_product
from gnnmc.engine.tracing.replay import RULES
from gnnmc.sparse import SparseMatrix, row_max

aten = torch.ops.aten
PLACES = torch.tensor([2, 0, 2, 3, 1])
STARTS = torch.tensor([0, 2, 2, 5])
ZEROS = torch.zeros(4, 3, dtype=torch.float64)


def wide(index, *shape):
    return index.reshape(-1, *[1] * (len(shape) - 1)).expand(shape)


# (operation, shapes of what is batched, further arguments): tuples of numbers stand for values that are batched.
CASES = {
    "transpose": (aten.transpose.int, [(4, 3, 2)], (0, -1)),
    "permute": (aten.permute.default, [(4, 3, 2)], ([2, 0, 1],)),
    "squeeze": (aten.squeeze.dim, [(4, 1, 2)], (1,)),
    "squeeze none": (aten.squeeze.dim, [(4, 3, 2)], (1,)),
    "expand": (aten.expand.default, [(4, 1)], ([2, -1, 3],)),
    "embedding": (aten.embedding.default, [(4, 3)], (torch.tensor([[0, 2], [3, 2]]),)),
    "index_select rows": (aten.index_select.default, [(4, 3)], (0, PLACES)),
    "index_select columns": (aten.index_select.default, [(2, 4, 3)], (1, PLACES)),
    "index_select last": (aten.index_select.default, [(3, 4)], (-1, PLACES)),
    "softmax": (aten._softmax.default, [(4, 3)], (0, False)),
    "log_softmax": (aten._log_softmax.default, [(4, 3)], (-1, False)),
    "clamp": (aten.clamp.default, [(4, 3)], (-0.5, 0.5)),
    "clamp_min": (aten.clamp_min.default, [(4, 3)], (0.1,)),
    "pow": (aten.pow.Tensor_Scalar, [(4, 3)], (2,)),
    "maximum": (aten.maximum.default, [(4, 3), (3,)], ()),
    "addmm": (aten.addmm.default, [(3,), (4, 2), (2, 3)], ()),
    "bmm": (aten.bmm.default, [(2, 4, 3), (2, 3, 2)], ()),
    "layer norm": (aten.native_layer_norm.default, [(4, 3), (3,), (3,)], ()),
    "convolution": (aten.convolution.default, [(5, 2, 4, 4), (3, 2, 3, 3), (3,)], ()),
    "attention": (
        aten._scaled_dot_product_flash_attention_for_cpu.default,
        [(2, 2, 4, 8), (2, 2, 4, 8), (2, 2, 4, 8)],
        (),
    ),
    "max pooling": (aten.max_pool2d_with_indices.default, [(5, 2, 4, 4)], ([2, 2], [2, 2])),
    "scatter heads": (aten.scatter_add.default, [(5, 3)], ()),
}


def arguments(name, values, rest):
    """As an operation is recorded: what is not batched stands among the rest."""
    if name == "layer norm":
        x, weight, bias = values
        return CASES[name][0], [x, [3], weight, bias, 1e-5]
    if name == "convolution":
        return CASES[name][0], [*values, [1, 1], [1, 1], [1, 1], False, [0, 0], 1]
    if name == "scatter heads":
        return CASES[name][0], [ZEROS, 0, wide(PLACES % 4, 5, 3), *values]
    return CASES[name][0], [*values, *rest]


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("name", list(CASES))
def test_the_same_as_one_after_another(name, axis):
    _, shapes, rest = CASES[name]
    generator = torch.Generator().manual_seed(3)
    stacked = [torch.randn(3, *shape, generator=generator, dtype=torch.float64).requires_grad_() for shape in shapes]
    values = [Batched(value.movedim(0, axis).contiguous(), axis) for value in stacked]
    function, args = arguments(name, values, rest)
    found = run(RULES, function.overloadpacket, function, args, {})[0].at(0)

    def alone(which):
        function, args = arguments(name, [value[which] for value in stacked], rest)
        result = function(*args)
        return result[0] if isinstance(result, tuple) else result

    expected = torch.stack([alone(which) for which in range(3)])
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    weights = torch.randn(found.shape, generator=generator, dtype=torch.float64)
    ours = torch.autograd.grad((found * weights).sum(), stacked)
    theirs = torch.autograd.grad((expected * weights).sum(), stacked)
    for mine, real in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, real, rtol=1e-9, atol=1e-9)


def test_attention_to_rows_that_do_not_lie_side_by_side_in_memory():
    generator = torch.Generator().manual_seed(1)
    given = [torch.randn(3, 2, 2, 16, 3, dtype=torch.float64, generator=generator) for _ in range(3)]
    turned = [Batched(each.transpose(-1, -2).contiguous().transpose(-1, -2), 0) for each in given]
    function = aten._scaled_dot_product_flash_attention_for_cpu
    found = run(RULES, function, function.default, turned, {})[0].at(0)
    expected = torch.stack([torch.nn.functional.scaled_dot_product_attention(*one) for one in zip(*given, strict=True)])
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("width", [1, 3, 40])
def test_products_with_sparse_matrices(width, axis):
    matrix = SparseMatrix.of(torch.eye(4, 5, dtype=torch.float64).flip(0).to_sparse_csr())
    x = torch.randn(3, 5, width, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    found = run(RULES, sparse_product, sparse_product, [matrix, Batched(x.movedim(0, axis).contiguous(), axis)], {})
    torch.testing.assert_close(found[0].at(0), torch.stack([sparse_product(matrix, one) for one in x]))


@pytest.mark.parametrize("given, axis", [((2,), 0), ((2,), 1), ((4, 2), 1), ((4, 2), 2)])
def test_the_same_bits_as_another_type(given, axis):
    x = torch.randint(0, 2**62, (3, *given), generator=torch.Generator().manual_seed(1))
    found = run(RULES, aten.view, aten.view.dtype, [Batched(x.movedim(0, axis).contiguous(), axis), torch.uint8], {})
    assert torch.equal(found[0].at(0), torch.stack([one.view(torch.uint8) for one in x]))


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("dim", [0, 1, 2, -1, -2])
def test_a_new_axis(axis, dim):
    x = torch.arange(24).reshape(3, 4, 2)
    found = run(RULES, aten.unsqueeze, aten.unsqueeze.default, [Batched(x.movedim(0, axis), axis), dim], {})
    assert torch.equal(found[0].at(0), torch.stack([one.unsqueeze(dim) for one in x]))


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("kind", [aten.cat, aten.stack])
def test_values_side_by_side_with_a_constant(kind, axis):
    x = torch.randn(3, 4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    constant = torch.ones(4, 2, dtype=torch.float64)
    for dim in (0, 1, -1):
        one = Batched(x.movedim(0, axis), axis)
        found = run(RULES, kind, kind.default, [[one, constant, Batched(2 * x, 0)], dim], {})[0].at(0)
        expected = torch.stack([kind.default([each, constant, 2 * each], dim) for each in x])
        torch.testing.assert_close(found, expected)


def test_the_largest_of_each_row():
    x = torch.randn(3, 5, generator=torch.Generator().manual_seed(1))
    found = run(RULES, torch.ops.gnnmc.row_max, row_max, [STARTS, Batched(x.t(), 1)], {})[0].at(0)
    torch.testing.assert_close(found, torch.stack([row_max(STARTS, each) for each in x]))


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 2, 2)], ids=["rows", "images"])
def test_batch_norm_in_evaluation_and_without_statistics(shape, axis):
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(3, *shape, generator=generator, dtype=torch.float64)
    weight, bias, mean = (torch.randn(3, 3, generator=generator, dtype=torch.float64) for _ in range(3))
    variance = torch.rand(3, 3, generator=generator, dtype=torch.float64) + 0.1
    kind = aten.native_batch_norm
    for known in (True, False):
        each = (weight, bias, mean, variance) if known else (weight, bias)
        absent = [] if known else [None, None]
        how = [not known, 0.1, 1e-5]
        batched = [Batched(x.movedim(0, axis), axis), *(Batched(value, 0) for value in each)]
        found = run(RULES, kind, kind.default, [*batched, *absent, *how], {})[0].at(0)
        expected = [kind.default(one, *rest, *absent, *how)[0] for one, *rest in zip(x, *each, strict=True)]
        torch.testing.assert_close(found, torch.stack(expected), rtol=1e-10, atol=1e-10)
