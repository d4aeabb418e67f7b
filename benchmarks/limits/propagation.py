"""Of layers that multiply by one matrix over the edges: GCN, GraphSAGE, GIN."""

from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks.limits.products import Product, by, combination, dense, fastest, run
from benchmarks.limits.sizes import SPARSE_BELOW, Sizes, needed


def gcn(sizes: Sizes, last: int | None = None) -> Callable[[], None]:
    """Â·(X·W) layer by layer; last: the width of a linear map after them."""
    widths, rows = sizes.widths, sizes.rows
    matrix = sizes.adjacency(loops=True)
    # From the outputs back: what of each layer is needed, and by which matrix the next one multiplies it.
    over: list[Tensor] = []
    for _ in widths[2:]:
        part, rows = needed(matrix, rows)
        over.insert(0, part)
    first = _first(sizes, matrix, rows, widths[1])

    def later(points: int) -> list[Product]:
        products = [combination(points, sizes.controls, len(rows) * widths[1])]
        for part, before, after in zip(over, widths[1:], widths[2:], strict=False):
            # A matrix over the edges is applied where the values are narrower, or the rows fewer.
            if after < before:
                products += [dense(points, part.shape[1], before, after), by(part, points * after)]
            else:
                products += [by(part, points * before), dense(points, part.shape[0], before, after)]
        return [*products, *([] if last is None else [dense(points, len(sizes.rows), widths[-1], last)])]

    return run(sizes.points, first, later)


def sage(sizes: Sizes) -> Callable[[], None]:
    """A·(X·W) + X·W′."""
    (_, hidden, outputs), matrix = sizes.widths, sizes.adjacency(loops=False)
    over, columns = needed(matrix, sizes.rows)
    rows = torch.cat([columns, sizes.rows]).unique()
    first = [*_first(sizes, matrix, rows, hidden), by(sizes.features(rows), sizes.controls * hidden)]

    def later(points: int) -> list[Product]:
        return [
            combination(points, sizes.controls, len(rows) * hidden),
            dense(points, len(columns), hidden, outputs),
            by(over, points * outputs),
            dense(points, len(sizes.rows), hidden, outputs),
        ]

    return run(sizes.points, first, later)


def gin(sizes: Sizes) -> Callable[[], None]:
    """((A + I)·X·W → ReLU)·W′ in every layer."""
    (_, hidden, outputs), matrix = sizes.widths, sizes.adjacency(loops=True)
    over, rows = needed(matrix, sizes.rows)
    first = _first(sizes, matrix, rows, hidden)

    def later(points: int) -> list[Product]:
        return [
            combination(points, sizes.controls, len(rows) * hidden),
            dense(points, len(rows), hidden, hidden),
            dense(points, len(rows), hidden, outputs),
            by(over, points * outputs),
            dense(points, len(sizes.rows), outputs, outputs),
        ]

    return run(sizes.points, first, later)


def _first(sizes: Sizes, matrix: Tensor, rows: Tensor, width: int) -> list[Product]:
    """The first layer's products for the control points: (A·X)·W, with A·X known, or A·(X·W)."""
    over, columns = needed(matrix, rows)
    x = sizes.x[columns]
    ways: list[Product] = []
    if torch.count_nonzero(x) < SPARSE_BELOW * x.numel():
        sparse = x.to_sparse_csr()
        known = over @ sparse
        ways.append(by(known, sizes.controls * width))
        mapped, propagated = by(sparse, sizes.controls * width), by(over, sizes.controls * width)
        ways.append(lambda: (mapped(), propagated()))
    else:
        ways.append(by(over @ x, sizes.controls * width))
    return [fastest(*ways)]
