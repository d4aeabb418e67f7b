"""The contextual stochastic block model: graphs whose homophily, degrees and feature separation are chosen."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch_geometric.data import Data

from gnnmc.data.blocks import Blocks, Ints, edge_counts, reachable_blocks
from gnnmc.data.pairs import draw_pairs
from gnnmc.data.splits import random_split, set_masks
from gnnmc.errors import InputError
from gnnmc.seeding import numpy_generator


def csbm(
    num_nodes: int = 2000,
    num_classes: int = 5,
    homophily: float = 0.3,
    mean_degree: float = 10.0,
    num_features: int = 64,
    separation: float = 1.0,
    class_proportions: Sequence[float] | None = None,
    degree_exponent: float | None = None,
    train_per_class: int = 20,
    train_fraction: float | None = None,
    seed: int = 0,
) -> Data:
    """Draw a graph from the contextual stochastic block model (Li et al. 2025, arXiv 2502.12608; science 1.2).

    The graph is simple and undirected, with exactly round(num_nodes·mean_degree/2) edges; the number of edges inside
    classes is Binomial(edges, homophily), so `homophily` is the expected edge homophily. Classes have equal mean
    degree, whatever their sizes. Features are N(μ_y, I): the class means are the corners of a regular simplex around 0,
    randomly rotated, each of norm `separation` (in units of the noise's standard deviation σ = 1).

    Labels, graph, degree weights, features, rotation and split have streams of their own, named by `seed` alone:
    another homophily leaves labels, features and split as they are, another separation leaves the graph. So graphs that
    are to count as independent need different seeds, also when they differ in homophily.

    Args:
        homophily: in [max(0, 2·π_max − 1), 1] for the largest class proportion π_max.
        mean_degree: edges per node, both ends counted, in (0, num_nodes − 1].
        num_features: at least num_classes − 1, the dimension of the simplex.
        class_proportions: C positive numbers of sum 1 (default: equal); class sizes are rounded by largest remainder.
        degree_exponent: γ > 2 draws both ends of an edge in proportion to weights with the power-law density ∝ θ^−γ,
            θ ≥ 1 (degree-corrected); nodes of very large weight saturate, since an edge is drawn only once. Default: no
            weights.
        train_per_class, train_fraction: see `random_split`; the fraction wins when given.

    Shapes:
        x: (N, F) float32; y: (N,) int64; edge_index: (2, 2E) int64, both directions, coalesced
        train_mask, val_mask, test_mask: (N,) bool
        csbm: dict of every argument, and of `num_edges` (E), `realized_homophily`, `realized_mean_degree`,
            `class_sizes`, `class_mean_degrees`

    Raises:
        InputError: an argument out of range, or a homophily or mean degree that these classes cannot reach (the message
            says what they can).
    """
    asked, sizes, num_edges, blocks = check_csbm(dict(locals()))

    labels = numpy_generator(asked["seed"], "csbm", "labels").permutation(np.repeat(np.arange(num_classes), sizes))
    graph_rng = numpy_generator(asked["seed"], "csbm", "graph")
    counts = edge_counts(blocks, homophily, num_edges, graph_rng)
    weights = _degree_weights(sizes, degree_exponent, numpy_generator(asked["seed"], "csbm", "degrees"))
    codes = draw_pairs(blocks, counts, sizes, weights, graph_rng)

    y = torch.from_numpy(labels)
    data = Data(x=_features(labels, asked), y=y, edge_index=_edge_index(codes, labels))
    set_masks(data, random_split(y, train_per_class, train_fraction, seed=asked["seed"]))
    ends = np.bincount(blocks.first, counts, num_classes) + np.bincount(blocks.second, counts, num_classes)
    data.csbm = {
        **asked,
        "num_edges": num_edges,
        "realized_homophily": float(counts[blocks.inside].sum() / num_edges),
        "realized_mean_degree": 2 * num_edges / num_nodes,
        "class_sizes": sizes.tolist(),
        "class_mean_degrees": (ends / sizes).tolist(),
    }
    return data


def check_csbm(asked: dict[str, Any]) -> tuple[dict[str, Any], Ints, int, Blocks]:
    """The arguments of `csbm` checked without drawing anything; arguments, class sizes (C,), edges and blocks.

    Raises InputError as `csbm` does: a plan can refuse an unreachable graph before any work is done.
    """
    asked = _checked(asked)
    sizes = _class_sizes(asked["num_nodes"], asked["num_classes"], asked["class_proportions"])
    num_edges = round(asked["num_nodes"] * asked["mean_degree"] / 2)
    if num_edges < 1:
        raise InputError(
            f"mean_degree {asked['mean_degree']:g} on {asked['num_nodes']} nodes gives no edge: "
            "homophily is then undefined"
        )
    return asked, sizes, num_edges, reachable_blocks(sizes, asked["homophily"], num_edges)


def _checked(asked: dict[str, Any]) -> dict[str, Any]:
    """The arguments as plain Python numbers, their ranges checked as far as they do not depend on the class sizes."""
    asked = {name: value.item() if isinstance(value, np.generic) else value for name, value in asked.items()}
    for name, least in (("num_nodes", 2), ("num_classes", 2), ("num_features", None), ("seed", 0)):
        least = asked["num_classes"] - 1 if least is None else least
        if type(asked[name]) is not int or asked[name] < least:
            raise InputError(f"{name} must be a whole number, at least {least}, got {asked[name]!r}")
    highest_degree = asked["num_nodes"] - 1
    for name, high in (("homophily", 1), ("mean_degree", highest_degree), ("separation", float("inf"))):
        if type(asked[name]) not in (int, float) or not (isfinite(asked[name]) and 0 <= asked[name] <= high):
            raise InputError(f"{name} must be a number from 0 to {high}, got {asked[name]!r}")
        asked[name] = float(asked[name])
    exponent = asked["degree_exponent"]
    if exponent is not None and not (type(exponent) in (int, float) and isfinite(exponent) and exponent > 2):
        raise InputError(f"degree_exponent must be greater than 2 (a finite mean degree) or None, got {exponent!r}")
    if asked["class_proportions"] is not None:
        asked["class_proportions"] = [float(share) for share in asked["class_proportions"]]
    return asked


def _class_sizes(num_nodes: int, num_classes: int, proportions: Sequence[float] | None) -> Ints:
    """Nodes per class, rounded by largest remainder; (C,)."""
    given = np.full(num_classes, 1 / num_classes) if proportions is None else np.asarray(proportions, dtype=float)
    if given.shape != (num_classes,) or not np.all(given > 0) or abs(given.sum() - 1) > 1e-6:
        raise InputError(
            f"class_proportions must be {num_classes} positive numbers (num_classes) of sum 1, got {given.tolist()}"
        )
    exact = num_nodes * given / given.sum()
    sizes = np.floor(exact).astype(np.int64)
    by_remainder = np.argsort(sizes - exact, kind="stable")
    sizes[by_remainder[: num_nodes - sizes.sum()]] += 1
    if sizes.min() < 1:
        empty = int(sizes.argmin())
        raise InputError(f"class {empty} with proportion {given[empty]:g} of {num_nodes} nodes is empty: add nodes")
    return sizes


def _degree_weights(sizes: Ints, exponent: float | None, rng: np.random.Generator) -> NDArray[np.float64] | None:
    """Weights θ (N,), class by class: evenly spaced quantiles of the density ∝ θ^−γ, θ ≥ 1, in random order.

    Quantiles instead of draws: every class and every seed has the same degree law, so classes keep equal mean degrees.
    """
    if exponent is None:
        return None
    upper_tail = [(rng.permutation(size) + 0.5) / size for size in sizes]
    return np.concatenate(upper_tail) ** (-1 / (exponent - 1))


def _edge_index(codes: Ints, labels: Ints) -> torch.Tensor:
    """(2, 2E), both directions in row-major order, from codes of nodes numbered class by class."""
    num_nodes = len(labels)
    node_of = np.argsort(labels, kind="stable")
    i, j = (node_of[position] for position in np.divmod(codes, num_nodes))
    both = np.sort(np.concatenate([i * num_nodes + j, j * num_nodes + i]))
    return torch.from_numpy(np.stack(np.divmod(both, num_nodes)))


def _features(labels: Ints, asked: dict[str, Any]) -> torch.Tensor:
    """Class mean plus standard normal noise; (N, F) float32."""
    noise = numpy_generator(asked["seed"], "csbm", "features")
    x = noise.standard_normal((asked["num_nodes"], asked["num_features"]), dtype=np.float32)
    rotation = numpy_generator(asked["seed"], "csbm", "rotation")
    means = asked["separation"] * _simplex(asked["num_classes"], asked["num_features"], rotation)
    x += means.astype(np.float32)[labels]
    return torch.from_numpy(x)


def _simplex(corners: int, dimension: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Unit vectors with pairwise inner product −1/(C − 1), randomly rotated; (C, F)."""
    centered = np.eye(corners) - 1 / corners
    basis = np.linalg.svd(centered)[0][:, : corners - 1]  # of the hyperplane that holds the corners
    coordinates = np.sqrt(corners / (corners - 1)) * centered @ basis
    # Orthonormal columns, uniformly distributed once the signs of R are taken out (Mezzadri 2007).
    q, r = np.linalg.qr(rng.standard_normal((dimension, corners - 1)))
    return coordinates @ (q * np.sign(np.diag(r))).T
