"""Features with many zeros: how much faster the first linear map is on a sparse matrix than on a dense one.

    python benchmarks/sparse_features.py

One row per size and share of nonzeros: the median ratio of times, dense over sparse, alternating in one run on one
thread, evaluating and training with dropout. `gnnmc.models.features` takes its threshold from it.
"""

import statistics
import time

import torch

from gnnmc.models.dropout import dropout
from gnnmc.sparse import SparseMatrix, linear

SIZES = ((20000, 500, 64), (2700, 1433, 64), (3000, 1000, 512), (8000, 745, 256))
SHARES = (0.01, 0.05, 0.1, 0.15, 0.2, 0.3)
REPEATS = 7


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    print("nodes  features  outputs  nonzeros  evaluating  training")
    for nodes, features, outputs in SIZES:
        for share in SHARES:
            x = torch.rand(nodes, features) * (torch.rand(nodes, features) < share)
            weight = torch.randn(outputs, features, requires_grad=True)
            sparse = SparseMatrix.of(x.to_sparse_csr())
            ratios = [
                statistics.median(
                    _seconds(x, weight, training) / _seconds(sparse, weight, training) for _ in range(REPEATS)
                )
                for training in (False, True)
            ]
            print(
                f"{nodes:5d}  {features:8d}  {outputs:7d}  {share:8.2f}  {ratios[0]:9.1f}×  {ratios[1]:7.1f}×",
                flush=True,
            )


def _seconds(x: torch.Tensor | SparseMatrix, weight: torch.Tensor, training: bool) -> float:
    start = time.perf_counter()
    if training:
        linear(dropout(x, 0.5, True), weight).sum().backward()
    else:
        with torch.no_grad():
            linear(x, weight)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
