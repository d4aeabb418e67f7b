"""Many graphs with one label each: what graph classification and regression start from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor
from torch_geometric.data import Data


@dataclass(frozen=True, eq=False)
class GraphCollection:
    """A set of graphs by name, as `load_graphs` returns it.

    Attributes:
        graphs: one Data each.
        splits: `train`, `val` and `test` → numbers of graphs, or None where the set comes without a split.
        task: "classification" (y is a class), "binary" (one or more yes-or-no questions) or "regression".
        metric: what the field reports: "accuracy", "roc_auc", "average_precision" (higher is better) or
            "rmse" (lower is better): names in `gnnmc.problem.METRICS`.
        features: the treatment of the features, as in `load_graph`.
        cardinalities: for features that are categories, how many there are in each column of x; else None.
        edge_cardinalities: the same for the columns of edge_attr.
        source: `name`, `split`, `files` (raw file → sha256), `sha256` (of all together), `url`, `license`.

    Shapes:
        graphs: x (n, F) float32, or int64 where they are categories; edge_index (2, e); edge_attr (e, K), where the set
            has some; y (1,) int64 for a classification, else (1, T) float32, NaN where unlabeled
        splits: name → (M,) int64
    """

    name: str
    graphs: list[Data]
    splits: Mapping[str, Tensor] | None
    task: str
    metric: str
    features: str
    cardinalities: tuple[int, ...] | None = None
    edge_cardinalities: tuple[int, ...] | None = None
    source: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.graphs)

    def __getitem__(self, index: int) -> Data:
        return self.graphs[index]

    def __iter__(self) -> Iterator[Data]:
        return iter(self.graphs)

    def __repr__(self) -> str:
        return f"GraphCollection({self.name!r}, {len(self)} graphs, task={self.task!r}, metric={self.metric!r})"
