"""All statistics of one graph: `graph_stats` and what it returns."""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from gnnmc.graphstats.simple_graph import prepare
from gnnmc.graphstats.statistic import COSTS, STATISTICS, Cost, Statistic
from gnnmc.registry import unknown_name


@dataclass(frozen=True)
class GraphStats:
    """Statistics of one graph, each an attribute: `stats.homophily_edge`. NaN means undefined for this graph.

    `items` holds (name, value) in the order of STATISTICS; counts are ints, the rest floats. `directed` tells whether
    they are of the graph as stored.
    """

    items: tuple[tuple[str, float], ...]
    directed: bool = False

    def __getattr__(self, name: str) -> float:
        if name == "items":  # not there yet while unpickling
            raise AttributeError(name)
        for known, value in self.items:
            if known == name:
                return value
        raise AttributeError(str(unknown_name("graph statistic", name, (known for known, _ in self.items))))

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(name for name, _ in self.items)]

    def to_dict(self) -> dict[str, float]:
        """Name → value."""
        return dict(self.items)

    def frame(self) -> pd.DataFrame:
        """One row, one column per statistic."""
        return pd.DataFrame([self.to_dict()])

    def describe(self) -> pd.DataFrame:
        """One row per statistic: `statistic, value, meaning, unit, low, high, source, cost`."""
        table = describe_statistics(name for name, _ in self.items)
        table.insert(1, "value", [float(value) for _, value in self.items])
        return table


def graph_stats(
    data: object, directed: bool = False, names: Iterable[str] | None = None, cost: Cost | None = None
) -> GraphStats:
    """Statistics of a graph (science 1.7).

    They are of the *simple undirected* graph: symmetrized, multi-edges merged, self-loops dropped. Label statistics
    also leave out edges with an unlabeled end (y < 0), and are NaN when the labeled nodes have fewer than two classes.

    `data` is anything with `edge_index` and, where it has them, `x`, `y`, `num_nodes` (a PyG Data is one); it is not
    changed. With `directed` the statistics are of the arcs as stored, self-loops left out: the neighbors of a node are
    the sources of the arcs into it, components forget directions. `names` chooses among STATISTICS (default: all),
    `cost` those of that cost only: "linear" for graphs of millions of edges.

    Shapes:
        data.edge_index: (2, E) integers in [0, N); data.x: (N, F), dense or sparse; data.y: (N,) integers

    Units: see `describe_statistics()`. Time and memory of those of cost "linear" are linear in nodes + edges, but for
    sorting the edges once; of the three that look at features, in (nodes + edges)·(features of a node). Those of cost
    "heavy" take more: triangles up to |E|·√(2|E|) operations, the spectral gaps some hundred products with the
    adjacency at most (or NaN), propagated separability two products for every feature, the probe five fits on at most
    5,000 nodes. At 10⁶ nodes, 10⁷ edges and 16 features all of the linear ones together take seconds, and so does each
    of the heavy ones, except triangles, which take tens of seconds (`python -m benchmarks.scale` in a checkout). The
    spectral gaps, clustering and `feature_dirichlet_energy` are of undirected graphs: NaN with `directed`.

    Raises InputError: no or malformed `edge_index`, node numbers out of range, `y` that is not one integer per node,
    `x` that is not (N, F), an unknown name or cost. Features that are not finite raise nothing: the statistics that
    look at them are NaN.
    """
    chosen = _chosen(names, cost)
    graph = prepare(data, directed)
    return GraphStats(tuple((entry.name, entry.function(graph)) for entry in chosen), directed)


def describe_statistics(names: Iterable[str] | None = None, cost: Cost | None = None) -> pd.DataFrame:
    """What each statistic says: `statistic, meaning, unit, low, high, source, cost`, one row each (default: all).

    `names` and `cost` choose as in `graph_stats`. Raises InputError for an unknown name or cost.
    """
    columns = ["meaning", "unit", "low", "high", "source", "cost"]
    rows = [(entry.name, *(getattr(entry, column) for column in columns)) for entry in _chosen(names, cost)]
    return pd.DataFrame(rows, columns=["statistic", *columns])


def _chosen(names: Iterable[str] | None, cost: Cost | None) -> list[Statistic]:
    chosen = [STATISTICS[name] for name in (STATISTICS.names() if names is None else names)]
    if cost is not None and cost not in COSTS:
        raise unknown_name("cost of statistics", cost, COSTS)
    return [entry for entry in chosen if cost is None or entry.cost == cost]
