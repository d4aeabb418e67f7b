"""Graphs of ten million edges: how long they take to draw and to describe, and networkx beside at a size it can do."""

import time
from collections.abc import Callable
from typing import Any

import networkx as nx

import gnnmc
from gnnmc.graphstats import STATISTICS

NODES, EDGES, CLASSES = 1_000_000, 10_000_000, 5
SMALL_NODES, SMALL_EDGES = 20_000, 200_000
HOMOPHILY = 0.7


def generators(quick: bool, keep: Callable[[str, dict[str, Any]], None]) -> None:
    """One record per act: seconds, and at how many nodes and edges."""
    scale = 100 if quick else 1
    large = _drawn(NODES // scale, EDGES // scale, keep)
    linear = [name for name in STATISTICS if STATISTICS[name].cost == "linear"]
    what = f"graph_stats, the {len(linear)} of linear cost"
    _timed(what, large, keep, lambda: gnnmc.graph_stats(large, names=linear))
    small = _drawn(SMALL_NODES // scale, SMALL_EDGES // scale, keep)
    sizes, probabilities = _blocks(SMALL_NODES // scale, SMALL_EDGES // scale)
    _timed(
        "networkx.stochastic_block_model",
        small,
        keep,
        lambda: nx.stochastic_block_model(sizes, probabilities, sparse=True, seed=0),
    )


def _drawn(nodes: int, edges: int, keep: Callable[[str, dict[str, Any]], None]) -> Any:
    start = time.perf_counter()
    data = gnnmc.csbm(nodes, CLASSES, HOMOPHILY, 2 * edges / nodes, seed=0)
    _keep(f"csbm, {data.x.shape[1]} features", data, time.perf_counter() - start, keep)
    return data


def _timed(what: str, data: Any, keep: Callable[[str, dict[str, Any]], None], act: Callable[[], object]) -> None:
    start = time.perf_counter()
    act()
    _keep(what, data, time.perf_counter() - start, keep)


def _keep(what: str, data: Any, seconds: float, keep: Callable[[str, dict[str, Any]], None]) -> None:
    nodes, edges = len(data.y), data.edge_index.shape[1] // 2
    keep(f"{what}, {nodes:,} nodes", {"what": what, "nodes": nodes, "edges": edges, "seconds": seconds})
    print(f"{what}: {nodes:,} nodes, {edges:,} edges: {seconds:.2f} s", flush=True)


def _blocks(nodes: int, edges: int) -> tuple[list[int], list[list[float]]]:
    """Equal classes; probabilities that give as many edges, of which a share HOMOPHILY is inside classes."""
    each = nodes // CLASSES
    inside = HOMOPHILY * edges / (CLASSES * each * (each - 1) / 2)
    across = (1 - HOMOPHILY) * edges / (CLASSES * (CLASSES - 1) / 2 * each**2)
    return [each] * CLASSES, [[inside if a == b else across for b in range(CLASSES)] for a in range(CLASSES)]
