"""How the edges of a block model spread over pairs of classes at a given homophily and equal mean degree per class."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

Floats = NDArray[np.float64]


def minimum_homophily(proportions: Floats) -> float:
    """The lowest edge homophily with equal mean degree per class: max(0, 2·π_max − 1) (science 1.2).

    The largest class owns the share π_max of all edge ends; the other classes can take 1 − π_max of them.

    Shapes:
        proportions: (C,), sum 1
    """
    return max(0.0, 2 * float(proportions.max()) - 1)


def mixing_matrix(proportions: Floats, homophily: float) -> Floats:
    """Share of edges by the classes of their ends: symmetric, row sums π, trace = homophily.

    Row sums π_k mean that class k owns π_k of all edge ends, so every class has the same mean degree. A mixture of
    edges placed regardless of the classes (ππᵀ: edge homophily Σπ², adjusted homophily 0) with one extreme: only
    within classes (diag π) above Σπ², as few within classes as possible below. Above Σπ² the weight of the extreme is
    the adjusted homophily itself. With equal π this is the planted partition model with its p_in and p_out. [ours]

    Shapes:
        proportions: (C,), positive, sum 1
        homophily: in [minimum_homophily(proportions), 1]
        returns: (C, C); entry (k, k) is the share inside class k, twice entry (k, l) the share between k and l
    """
    independent = np.outer(proportions, proportions)
    neutral = float(np.trace(independent))
    if homophily >= neutral:
        extreme = np.diag(proportions)
    else:
        extreme = _least_homophilous(proportions)
    weight = (homophily - neutral) / (float(np.trace(extreme)) - neutral)
    return (1 - weight) * independent + weight * extreme


def _least_homophilous(proportions: Floats) -> Floats:
    """Row sums π and as small a trace as they allow."""
    top = int(proportions.argmax())
    if proportions[top] >= 0.5:
        # Every edge of the other classes goes to the largest one, which keeps what is left over for itself.
        mixing = np.zeros((len(proportions), len(proportions)))
        mixing[top, :] = mixing[:, top] = proportions
        mixing[top, top] = 2 * proportions[top] - 1
        return mixing
    activity = _activity(proportions, top)
    mixing = np.outer(activity, activity)
    np.fill_diagonal(mixing, 0.0)
    return mixing


def _activity(proportions: Floats, top: int) -> Floats:
    """Class activities u with u_k·(Σu − u_k) = π_k: the zero-diagonal mixing of largest entropy is u_k·u_l.

    For a given sum S each u_k solves a quadratic: all take the smaller root, or the largest class takes the larger one;
    S is then the root of one equation in one unknown.
    """

    def smaller(total: float) -> Floats:
        return 2 * proportions / (total + np.sqrt(np.maximum(total**2 - 4 * proportions, 0.0)))

    def excess_of_others(total: float) -> float:
        roots = smaller(total)
        return float(roots.sum() - 2 * roots[top])

    least = 2 * float(np.sqrt(proportions[top]))  # below it the quadratic of the largest class has no root
    if excess_of_others(least) >= 0:
        return smaller(brentq(lambda total: float(smaller(total).sum()) - total, least, 2.0, xtol=1e-15))
    upper = 2 * least
    while excess_of_others(upper) <= 0:
        upper *= 2
    total = brentq(excess_of_others, least, upper, xtol=1e-15)
    activity = smaller(total)
    activity[top] = total - activity[top]
    return activity
