"""Of attention: a product per point and head, since each has values of its own at the edges."""

from collections.abc import Callable

from torch import Tensor

from benchmarks.limits.products import Product, by, combination, dense, run
from benchmarks.limits.sizes import Sizes, needed


def gat(sizes: Sizes) -> Callable[[], None]:
    """X·W, the scores of the nodes, the weighted sums over the edges; no softmax."""
    (_, hidden, outputs), matrix = sizes.widths, sizes.adjacency(loops=True)
    last, rows = needed(matrix, sizes.rows)
    over, columns = needed(matrix, rows)
    first = [by(sizes.features(columns), sizes.controls * hidden)]

    def later(points: int) -> list[Product]:
        return [
            combination(points, sizes.controls, len(columns) * hidden),
            dense(points, len(columns), hidden, 2),
            _each(over, hidden // sizes.heads, points * sizes.heads),
            dense(points, len(rows), hidden, outputs),
            dense(points, len(rows), outputs, 2),
            _each(last, outputs, points),
        ]

    return run(sizes.points, first, later)


def _each(matrix: Tensor, columns: int, times: int) -> Product:
    one = by(matrix, columns)

    def go() -> None:
        for _ in range(times):
            one()

    return go
