"""Dense products: the numbers of torch's own in every order of memory, with gradients, and done again in place."""

import pytest
import torch

from gnnmc.engine.tracing import Program, Replay, dense, record, rewritten
from gnnmc.engine.tracing.products import sparse_product
from gnnmc.sparse import SparseMatrix

aten = torch.ops.aten


def operands(count, rows, between, columns, *, turned=(False, False)):
    generator = torch.Generator().manual_seed(0)
    made = [torch.randn(count, *shape, generator=generator) for shape in ((rows, between), (between, columns))]
    return [x.transpose(1, 2).contiguous().transpose(1, 2) if turn else x for x, turn in zip(made, turned, strict=True)]


ORDERS = [(a, b) for a in (False, True) for b in (False, True)]
# Of oneDNN, and of BLAS; few columns, and many.
SHAPES = [(3, 400, 64, 90), (1, 400, 64, 90), (2, 1000, 512, 5), (2, 40, 7, 20), (2, 40, 7, 3)]


@pytest.mark.parametrize("turned", ORDERS, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_product_and_its_gradients(shape, turned):
    left, right = operands(*shape, turned=turned)
    exact = [x.double().requires_grad_() for x in (left, right)]
    ours = [x.requires_grad_() for x in (left, right)]
    expected, found = exact[0] @ exact[1], dense.products(*ours)
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-4)
    weights = torch.randn(expected.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    wanted = torch.autograd.grad((expected * weights).sum(), exact)
    for mine, theirs in zip(torch.autograd.grad((found * weights.float()).sum(), ours), wanted, strict=True):
        torch.testing.assert_close(mine.double(), theirs, rtol=1e-4, atol=1e-3)


def test_which_library_multiplies_follows_from_the_shapes(monkeypatch):
    asked = []
    plain = dense._by_onednn
    monkeypatch.setattr(dense, "_by_onednn", lambda *args: asked.append(args) or plain(*args))
    # The few columns of a right factor that lies column by column, as a layer's weights do, are rows of a left one.
    turned = (False, True)
    for shape, calls in zip(SHAPES, (3, 1, 2, 0, 0), strict=True):
        asked.clear()
        dense.products(*operands(*shape, turned=turned))
        assert len(asked) == calls * dense._HAS_ONEDNN
    asked.clear()
    left, right = operands(*SHAPES[0], turned=turned)
    dense.products(torch.cat([left, left], dim=2)[:, :, :64], right)  # a part of a wider matrix
    dense.products(left[:, :1].expand(-1, 400, -1).contiguous()[:, :2], right.repeat(1, 1, 400))
    assert not asked
    asked.clear()
    dense.products(*(x.double() for x in operands(*SHAPES[0])))
    assert not asked


def test_what_is_not_finite_stays_so():
    left, right = operands(1, 400, 64, 90)
    left[0, 3, 5], left[0, 7, 1] = torch.nan, torch.inf
    found = dense.products(left, right)[0]
    assert found[3].isnan().all() and found[7].isinf().all() and found[4].isfinite().all()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_done_again_in_the_same_memory(shape):
    left, right = operands(*shape)
    right.requires_grad_()

    def compute():
        made = dense.products(left, right).relu()
        return [made.detach(), *torch.autograd.grad(made.square().sum(), [right])]

    program = Program(compute, [left, right])
    with torch.no_grad():
        left.mul_(0.7), right.add_(0.1)
    program.run()
    for mine, now in zip(program.results, compute(), strict=True):
        assert torch.equal(mine, now)


@pytest.mark.parametrize(
    ("rows", "between", "columns", "first"), [(3, 6, 6, True), (20, 6, 6, False), (3, 60, 2, False)]
)
def test_few_rows_are_gathered_before_the_product(rows, between, columns, first):
    generator = torch.Generator().manual_seed(0)
    gather = (torch.rand(rows, 20, generator=generator, dtype=torch.float64) < 0.3).double().to_sparse_csr()
    matrix = SparseMatrix.of(gather)
    weights = {
        "x": torch.randn(20, between, generator=generator, dtype=torch.float64),
        "w": torch.randn(between, columns, generator=generator, dtype=torch.float64),
    }

    def forward(given):
        return gather @ (given["x"].relu() @ given["w"])

    trace = rewritten(record(forward, weights, ["x", "w"]))
    kinds = [operation.kind for operation in trace.operations if operation.kind in (sparse_product, aten.mm)]
    assert (kinds == [sparse_product, aten.mm]) is first
    (found,) = Replay(trace)({name: value[None] for name, value in weights.items()})[0]
    torch.testing.assert_close(found, forward(weights))
    assert len(matrix) == rows
