"""The contextual stochastic block model: graphs whose homophily, degrees and feature separation are chosen."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch_geometric.data import Data

from gnnmc.data.blocks import Blocks, Ints, compatible_blocks, edge_counts, reachable_blocks
from gnnmc.data.pairs import both_directions, draw_pairs
from gnnmc.data.splits import random_split, set_masks
from gnnmc.errors import InputError
from gnnmc.seeding import numpy_generator

# Codes of node pairs are 64-bit; ten times as many edges fill the memory of any machine.
MOST_NODES = 10**8
# Features are 32-bit: what is added up over some hundred of them, squared, must stay finite.
FARTHEST = 1e15

HOMOPHILY = 0.3  # what `csbm` takes when nothing is said


def csbm(
    num_nodes: int = 2000,
    num_classes: int = 5,
    homophily: float = HOMOPHILY,
    mean_degree: float = 10.0,
    num_features: int = 64,
    separation: float = 1.0,
    class_proportions: Sequence[float] | None = None,
    degree_exponent: float | None = None,
    train_per_class: int = 20,
    train_fraction: float | None = None,
    seed: int = 0,
    compatibility: Sequence[Sequence[float]] | None = None,
    noise_by_class: Sequence[float] | None = None,
    rotation_seed: int | None = None,
    feature_shift: float = 0.0,
) -> Data:
    """Draw a graph from the contextual stochastic block model (Li et al. 2025, arXiv 2502.12608; science 1.2).

    The graph is simple and undirected, with exactly round(num_nodes·mean_degree/2) edges; the number of edges inside
    classes is Binomial(edges, homophily), so `homophily` is the expected edge homophily. Classes have equal mean
    degree, whatever their sizes, unless `compatibility` says otherwise. Features are N(μ_y, σ_y²·I), σ_y = 1 by
    default: the class means are the corners of a regular simplex around 0, randomly rotated, each of norm `separation`
    (in units of σ = 1, whatever `noise_by_class` is).

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
        compatibility: (C, C) symmetric masses, 0 or more, of the edges by the classes of their ends, up to a factor:
            entry (k, k) is the mass inside class k, entries (k, l) and (l, k) together that between k and l. It takes
            the place of `homophily`, which becomes its trace over its sum; the mean degree of class k is its row's
            share of all edge ends over its share of nodes, times `mean_degree`. A mass of 0 is no edge at all.
        noise_by_class: C standard deviations σ_c of the features around the class means, 0 or more (default: all 1).
        rotation_seed: names the stream of the rotation in the place of `seed`: graphs with one have their class means
            in the same directions, and so one feature space, however else they are drawn.
        feature_shift: distance by which all features are moved, in one direction on the rotation's stream (units of
            σ = 1).
        train_per_class, train_fraction: see `random_split`; the fraction wins when given.

    Shapes:
        x: (N, F) float32; y: (N,) int64; edge_index: (2, 2E) int64, both directions, coalesced
        train_mask, val_mask, test_mask: (N,) bool
        csbm: dict of every argument, and of `num_edges` (E), `realized_homophily`, `realized_mean_degree`,
            `class_sizes`, `class_mean_degrees`; `homophily` and `compatibility` as used, the latter of sum 1; with
            `noise_by_class` also `realized_noise_by_class`, the features' root mean square distance per dimension from
            their class's mean

    Raises:
        InputError: an argument out of range, or a homophily or mean degree that these classes cannot reach (the message
            says what they can).
    """
    asked, sizes, num_edges, blocks = check_csbm(dict(locals()))

    labels = numpy_generator(asked["seed"], "csbm", "labels").permutation(np.repeat(np.arange(num_classes), sizes))
    graph_rng = numpy_generator(asked["seed"], "csbm", "graph")
    counts = edge_counts(blocks, asked["homophily"], num_edges, graph_rng)
    weights = _degree_weights(sizes, degree_exponent, numpy_generator(asked["seed"], "csbm", "degrees"))
    codes = draw_pairs(blocks, counts, sizes, weights, graph_rng)

    y = torch.from_numpy(labels)
    x, realized_noise = _features(labels, asked)
    data = Data(x=x, y=y, edge_index=_edge_index(codes, labels))
    set_masks(data, random_split(y, train_per_class, train_fraction, seed=asked["seed"]))
    ends = np.bincount(blocks.first, counts, num_classes) + np.bincount(blocks.second, counts, num_classes)
    data.csbm = {
        **asked,
        "num_edges": num_edges,
        "realized_homophily": float(counts[blocks.inside].sum() / num_edges),
        "realized_mean_degree": 2 * num_edges / num_nodes,
        "class_sizes": sizes.tolist(),
        "class_mean_degrees": (ends / sizes).tolist(),
        **realized_noise,
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
    if asked["compatibility"] is not None:
        return asked, sizes, num_edges, compatible_blocks(sizes, np.array(asked["compatibility"]), num_edges)
    return asked, sizes, num_edges, reachable_blocks(sizes, asked["homophily"], num_edges)


def _checked(asked: dict[str, Any]) -> dict[str, Any]:
    """The arguments as plain Python numbers, their ranges checked as far as they do not depend on the class sizes."""
    asked = {name: value.item() if isinstance(value, np.generic) else value for name, value in asked.items()}
    for name, least in (("num_nodes", 2), ("num_classes", 2), ("num_features", None), ("seed", 0)):
        least = asked["num_classes"] - 1 if least is None else least
        if type(asked[name]) is not int or asked[name] < least:
            raise InputError(f"{name} must be a whole number, at least {least}, got {asked[name]!r}")
    if asked["num_nodes"] > MOST_NODES:
        raise InputError(f"num_nodes must be at most {MOST_NODES}, got {asked['num_nodes']}")
    highest_degree = asked["num_nodes"] - 1
    numbers = ("homophily", 1), ("mean_degree", highest_degree), ("separation", FARTHEST), ("feature_shift", FARTHEST)
    for name, high in numbers:
        # Compared before it is made a float, which a whole number may be too large for; a NaN compares to nothing.
        if type(asked[name]) not in (int, float) or not 0 <= asked[name] <= high:
            raise InputError(f"{name} must be a number from 0 to {high}, got {asked[name]!r}")
        asked[name] = float(asked[name])
    if asked["rotation_seed"] is not None and (type(asked["rotation_seed"]) is not int or asked["rotation_seed"] < 0):
        raise InputError(f"rotation_seed must be a whole number, at least 0, or None, got {asked['rotation_seed']!r}")
    exponent = asked["degree_exponent"]
    if exponent is not None and not (type(exponent) in (int, float) and isfinite(exponent) and exponent > 2):
        raise InputError(f"degree_exponent must be greater than 2 (a finite mean degree) or None, got {exponent!r}")
    if asked["class_proportions"] is not None:
        asked["class_proportions"] = _proportions(asked["class_proportions"], asked["num_classes"])
    if asked["compatibility"] is not None:
        asked["compatibility"], asked["homophily"] = _compatibility(asked)
    if asked["noise_by_class"] is not None:
        asked["noise_by_class"] = _noise_by_class(asked["noise_by_class"], asked["num_classes"])
    return asked


def _proportions(given: Any, num_classes: int) -> list[float]:
    shares = _numbers(given)
    if (
        shares is None
        or shares.shape != (num_classes,)
        or shares.min() <= 0
        or shares.max() > 1
        or abs(shares.sum() - 1) > 1e-6
    ):
        raise InputError(
            f"class_proportions must be {num_classes} positive numbers (num_classes) of sum 1, got {given!r}"
        )
    values: list[float] = shares.tolist()
    return values


def _compatibility(asked: dict[str, Any]) -> tuple[list[list[float]], float]:
    """The masses scaled to sum 1, and their trace; a homophily given beside them must be that trace."""
    size = asked["num_classes"]
    masses = _numbers(asked["compatibility"])
    if masses is None or masses.shape != (size, size) or masses.min() < 0 or not 0 < masses.max() < 1e200:
        raise InputError(
            f"compatibility must be {size} rows of {size} numbers (num_classes), 0 or more and not all 0, "
            f"got {asked['compatibility']!r} (at most 1e200)"
        )
    if not np.allclose(masses, masses.T, rtol=1e-9, atol=0):
        a, b = np.unravel_index(np.abs(masses - masses.T).argmax(), masses.shape)
        raise InputError(
            f"compatibility must be symmetric: entry ({a}, {b}) is {masses[a, b]:g} and ({b}, {a}) is {masses[b, a]:g}"
        )
    masses = (masses + masses.T) / (2 * masses.sum())
    homophily = min(1.0, float(np.trace(masses)))
    if asked["homophily"] != HOMOPHILY and abs(asked["homophily"] - homophily) > 1e-6:
        raise InputError(
            f"compatibility sets the homophily to {homophily:g} (its trace over its sum), got homophily "
            f"{asked['homophily']:g} beside it: leave one of them out"
        )
    return masses.tolist(), homophily


def _noise_by_class(given: Any, num_classes: int) -> list[float]:
    noise = _numbers(given)
    if noise is None or noise.shape != (num_classes,) or noise.min() < 0 or noise.max() > FARTHEST:
        raise InputError(
            f"noise_by_class must be {num_classes} standard deviations (num_classes), 0 or more, got {given!r} "
            f"(at most {FARTHEST:g})"
        )
    values: list[float] = noise.tolist()
    return values


def _numbers(given: Any) -> NDArray[np.float64] | None:
    """An array of finite numbers, or None where it is not one."""
    try:
        values = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        return None
    return values if values.size and np.isfinite(values).all() else None


def _class_sizes(num_nodes: int, num_classes: int, proportions: Sequence[float] | None) -> Ints:
    """Nodes per class, rounded by largest remainder; (C,)."""
    given = np.full(num_classes, 1 / num_classes) if proportions is None else np.asarray(proportions, dtype=float)
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
    node_of = np.argsort(labels, kind="stable")
    i, j = (node_of[position] for position in np.divmod(codes, len(labels)))
    return both_directions(i, j, len(labels))


def _features(labels: Ints, asked: dict[str, Any]) -> tuple[torch.Tensor, dict[str, list[float]]]:
    """Class mean plus normal noise, (N, F) float32; and what the noise came to where it was asked for by class."""
    noise = numpy_generator(asked["seed"], "csbm", "features")
    x = noise.standard_normal((asked["num_nodes"], asked["num_features"]), dtype=np.float32)
    realized: dict[str, list[float]] = {}
    if asked["noise_by_class"] is not None:
        x *= np.asarray(asked["noise_by_class"], dtype=np.float32)[labels, None]
        squares = np.bincount(labels, np.square(x, dtype=np.float64).mean(axis=1), asked["num_classes"])
        realized["realized_noise_by_class"] = np.sqrt(squares / np.bincount(labels)).tolist()
    named = asked["seed"] if asked["rotation_seed"] is None else asked["rotation_seed"]
    rotation = numpy_generator(named, "csbm", "rotation")
    means = asked["separation"] * _simplex(asked["num_classes"], asked["num_features"], rotation)
    if asked["feature_shift"]:
        direction = numpy_generator(named, "csbm", "shift").standard_normal(asked["num_features"])
        means = means + asked["feature_shift"] * direction / np.linalg.norm(direction)
    x += means.astype(np.float32)[labels]
    return torch.from_numpy(x), realized


def _simplex(corners: int, dimension: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Unit vectors with pairwise inner product −1/(C − 1), randomly rotated; (C, F)."""
    centered = np.eye(corners) - 1 / corners
    basis = np.linalg.svd(centered)[0][:, : corners - 1]  # of the hyperplane that holds the corners
    coordinates = np.sqrt(corners / (corners - 1)) * centered @ basis
    # Orthonormal columns, uniformly distributed once the signs of R are taken out (Mezzadri 2007).
    q, r = np.linalg.qr(rng.standard_normal((dimension, corners - 1)))
    return coordinates @ (q * np.sign(np.diag(r))).T
