"""Products with their operands and a place for the result ready, and how they are run one after another."""

import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Product = Callable[[], object]
# Points that go together are tried in these numbers, and all at once.
TOGETHER = (1, 2, 4, 8, 16)


def by(matrix: Tensor, columns: int) -> Product:
    """A matrix of the data, sparse or dense, times so many columns."""
    x, out = torch.rand(matrix.shape[1], columns), torch.empty(matrix.shape[0], columns)
    return lambda: torch.mm(matrix, x, out=out)


def combination(points: int, controls: int, values: int) -> Product:
    """Σ_j c_j(t)·P_j of so many values each."""
    coefficients, given = torch.rand(points, controls), torch.rand(controls, values)
    out = torch.empty(points, values)

    def lines() -> None:
        for row in range(points):
            torch.lerp(given[0], given[1], 0.5, out=out[row])

    matrix: Product = lambda: torch.mm(coefficients, given, out=out)  # noqa: E731
    return fastest(matrix, lines) if controls == 2 else matrix


def dense(points: int, rows: int, width_in: int, width_out: int) -> Product:
    """A product for every point: together or one by one, rows or features first in memory, by MKL or by oneDNN."""
    a, b = torch.rand(points, rows, width_in), torch.rand(points, width_in, width_out)
    features_first, turned = (x.transpose(1, 2).contiguous() for x in (a, b))
    out, across = torch.empty(points, rows, width_out), torch.empty(points, width_out, rows)

    def one_by_one() -> None:
        for point in range(points):
            torch.mm(turned[point], features_first[point], out=across[point])

    def by_onednn() -> None:
        for point in range(points):
            torch.ops.mkldnn._linear_pointwise(a[point], turned[point], None, "none", [], "")

    ways = [
        lambda: torch.bmm(a, b, out=out),
        lambda: torch.bmm(turned, a.transpose(1, 2), out=across),
        one_by_one,
    ]
    return fastest(*ways, *([by_onednn] if torch.backends.mkldnn.is_available() else []))


def run(points: int, first: Sequence[Product], later: Callable[[int], Sequence[Product]]) -> Callable[[], None]:
    """The first products once, then those of a number of points until all are done; the fastest number."""

    def whole(together: int) -> Callable[[], None]:
        full, rest = divmod(points, together)
        chunk, last = later(together), later(rest) if rest else []

        def go() -> None:
            for product in first:
                product()
            for _ in range(full):
                for product in chunk:
                    product()
            for product in last:
                product()

        return go

    return fastest(*(whole(together) for together in sorted({min(points, number) for number in TOGETHER})))


def fastest(*ways: Callable[[], object]) -> Callable[[], None]:
    """The one that takes least, of three tries each."""

    def spent(way: Callable[[], object]) -> float:
        start = time.perf_counter()
        way()
        return time.perf_counter() - start

    chosen = min(ways, key=lambda way: min(spent(way) for _ in range(3)))

    def go() -> None:
        chosen()

    return go
