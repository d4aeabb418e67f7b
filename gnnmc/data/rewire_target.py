"""From one number of edges inside classes to another with as few double-edge swaps as can be found."""

import numpy as np

from gnnmc.data.rewire_swaps import Edges, Ints, carry_out, propose

# A swap changes the number of edges inside classes by 2 at most. Swaps of 2 are tried this often before one of 1 is
# taken (in a dense graph a round may fail by chance), and after this many steps without getting nearer it is over.
TRIES = 3
PATIENCE = 300

Pairs = tuple[Ints, Ints]


def move_to(edges: Edges, num_same: int, rng: np.random.Generator) -> tuple[Edges, int]:
    """A graph of the same degrees with `num_same` edges inside classes, or as near as swaps got; and how many swaps.

    Greedy: swaps of gain 2 as long as there are any, chosen at random, then of gain 1. A swap of gain 2 joins the ends
    of two edges between the same two classes class by class, or undoes that; none needs more than ⌈gap/2⌉ of them.
    Where only existing edges stand in the way, a few neutral swaps move them (they are counted).
    """
    swaps = total = failed = since = boldness = 0
    best, best_gap = edges, abs(num_same - edges.num_same)
    while best_gap and since < PATIENCE:
        gap = num_same - edges.num_same
        edges, made, gain = _step(edges, gap, failed, boldness, rng)
        total += made
        failed = 0 if made and gain * gap > 0 else failed + 1
        since += 1
        boldness += gain == 0
        if abs(num_same - edges.num_same) < best_gap:
            best, best_gap = edges, abs(num_same - edges.num_same)
            swaps, since, boldness = total, 0, max(boldness - 1, 0)
    return best, swaps


def _step(edges: Edges, gap: int, failed: int, boldness: int, rng: np.random.Generator) -> tuple[Edges, int, int]:
    """One batch after `failed` fruitless ones: the graph, the swaps made and the gain of each."""
    up = gap > 0
    sign = 1 if up else -1
    turn = failed % (TRIES + 2)
    if turn < TRIES and abs(gap) >= 2:
        most, gain = abs(gap) // 2, 2 * sign
        first, second = _alike(edges, rng) if up else _unlike(edges, most, rng)
    elif turn <= TRIES:
        most, gain = abs(gap), sign
        first, second = _halves(rng.permutation(np.flatnonzero(~edges.same) if up else len(edges)))
    elif abs(gap) == 1 and failed % 2:  # over the target by one, from where a step back may be possible
        most, gain = 1, 2 * sign
        first, second = _alike(edges, rng) if up else _unlike(edges, most, rng)
    else:
        most, gain = len(edges), 0
        first, second = _shaken(edges, 8 << min(boldness, 40), up, rng)
    edges, made = carry_out(edges, propose(edges, first, second, gain, rng).some(most, rng))
    return edges, made, gain


def _halves(order: Ints) -> Pairs:
    half = len(order) // 2
    return order[:half], order[half : 2 * half]


def _alike(edges: Edges, rng: np.random.Generator) -> Pairs:
    """As many disjoint pairs as there are of edges between the same two classes."""
    order = rng.permutation(np.flatnonzero(~edges.same))
    a, b = (classes[order] for classes in edges.end_classes)
    kind = np.minimum(a, b) * (int(edges.classes.max()) + 1) + np.maximum(a, b)
    by_kind = np.argsort(kind, kind="stable")
    order, kind = order[by_kind], kind[by_kind]
    new_kind = np.concatenate([[True], kind[1:] != kind[:-1]])[: len(kind)]
    start = np.maximum.accumulate(np.where(new_kind, np.arange(len(kind)), 0))
    odd = np.flatnonzero((np.arange(len(kind)) - start) % 2)
    return order[odd - 1], order[odd]


def _unlike(edges: Edges, most: int, rng: np.random.Generator) -> Pairs:
    """Disjoint pairs of edges inside two different classes: `most`, or as many as there are.

    The edges are a random choice, as far as no class gives more than half of them; then so many pairs are possible, and
    as many are left for the next round when some of them cannot be swapped.
    """
    order = rng.permutation(np.flatnonzero(edges.same))
    inside = edges.end_classes[0][order]
    most = min(most, len(order) // 2, len(order) - int(np.bincount(inside, minlength=1).max()))
    if not most:
        return order[:0], order[:0]
    chosen = np.arange(len(order)) < 2 * most
    drawn = np.bincount(inside[chosen])
    top = int(drawn.argmax())
    surplus = int(drawn[top]) - most
    if surplus > 0:
        chosen[np.flatnonzero(chosen & (inside == top))[:surplus]] = False
        chosen[np.flatnonzero(~chosen & (inside != top))[:surplus]] = True
    order, inside = order[chosen], inside[chosen]
    mixed = rng.permutation(len(order))
    first, second = mixed[:most], mixed[most:]
    # Two edges of one class change partners with a pair that has none of it: there are enough, since no class has more
    # than half of the edges.
    for one in np.unique(inside[first[inside[first] == inside[second]]]):
        alike = np.flatnonzero((inside[first] == one) & (inside[second] == one))
        free = np.flatnonzero((inside[first] != one) & (inside[second] != one))
        free = rng.permutation(free)[: len(alike)]
        second[alike], first[free] = first[free], second[alike]
    return order[first], order[second]


def _shaken(edges: Edges, most: int, up: bool, rng: np.random.Generator) -> Pairs:
    """At most `most` of the edges that are too many, each with any other edge."""
    order = rng.permutation(len(edges))
    surplus = order[edges.same[order] != up][: min(most, len(edges) // 2)]
    others = np.setdiff1d(order, surplus, assume_unique=True)
    partners = rng.choice(others, size=min(len(surplus), len(others)), replace=False)
    return surplus[: len(partners)], partners
