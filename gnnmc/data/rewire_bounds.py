"""Which homophily rewiring at fixed degrees can reach (science 1.7)."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def bounds(classes: Ints, degrees: Ints, num_same: int) -> tuple[int, int]:
    """The least and the largest number of edges inside classes that degrees allow; no simple graph is beyond them.

    From below: the class with the largest total degree D can join all other edge ends and keeps D − |E| edges inside;
    and a node has at most all nodes of other classes as neighbors. From above: what a class cannot place inside
    (`_most_inside`) leaves it, and every edge that leaves a class needs an end in another one. With two classes the
    number keeps its parity, that of `num_same`. [ours: the bounds of science 1.7 and what being simple adds to them]

    Shapes:
        classes, degrees: (N,)
    """
    classes, degrees = classes[degrees > 0], degrees[degrees > 0]
    sizes = np.bincount(classes)
    totals = np.bincount(classes, degrees).astype(np.int64)
    num_edges = int(totals.sum()) // 2
    crowded = int(np.maximum(degrees - (len(classes) - sizes[classes]), 0).sum())
    low = max(int(totals.max()) - num_edges, (crowded + 1) // 2, 0)
    by_class = np.split(degrees[np.argsort(classes, kind="stable")], np.cumsum(sizes)[:-1])
    leaving = totals - 2 * np.array([_most_inside(own) for own in by_class])
    high = num_edges - max(int(leaving.max()), int(leaving.sum()) // 2)
    if np.count_nonzero(sizes) == 2:
        low += (low - num_same) % 2
        high -= (high - num_same) % 2
    return low, high


def nearest_number(wanted: float, num_same: int, low: int, high: int, two_classes: bool) -> int:
    """The number of edges inside classes nearest to `wanted`; two classes go in steps of two from `num_same`."""
    step = 2 if two_classes else 1
    return min(max(num_same + step * round((wanted - num_same) / step), low), high)


def _most_inside(degrees: Ints) -> int:
    """A bound on the edges of a simple graph whose degrees are at most these (n,).

    The k nodes of largest degree have k(k − 1) ends among themselves and one at most at each other node, which has no
    more than its degree: for every k the sum of degrees is at most k(k − 1) + Σ_{i>k} (d_i + min(d_i, k)), as in Erdős
    & Gallai 1960; k = 0 and the cap n − 1 give the bound of science 1.7.
    """
    n = len(degrees)
    ordered = np.sort(np.minimum(degrees, n - 1))[::-1]
    rest = np.concatenate([np.cumsum(ordered[::-1])[::-1], [0]])  # Σ_{i≥k}, k = 0 … n
    k = np.arange(n + 1)
    # Nodes k … above − 1 have a degree of k at least, the later ones less.
    above = np.maximum(np.searchsorted(-ordered, -k, side="right"), k)
    return int((k * (k - 1) + rest[k] + k * (above - k) + rest[above]).min()) // 2
