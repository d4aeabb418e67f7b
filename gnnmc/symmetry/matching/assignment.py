"""Linear assignment, one group or groups within groups; rotations inside the units of a group."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from gnnmc.symmetry.matching.projections import rotation


def assign(gains: Tensor) -> Tensor:
    """order: which column each row gets, so that the sum of gains is largest. Shapes: (n, n) → (n,)."""
    return torch.from_numpy(linear_sum_assignment(gains.cpu().numpy(), maximize=True)[1])


@dataclass(frozen=True, eq=False)
class Nested:
    """gains: of putting unit j where i is, for every pair of places of the group, all copies in one. inside: the groups
    that each of its units holds one of. held: its own units stay where they are, only what is inside is put in order.
    turned: a group inside another, with nothing in it, that any rotation may act on; `centered` ones keep the ones.

    Shapes: gains (U, U), U the product of `shape`, the sizes of the groups around it and its own.
    """

    name: str
    shape: tuple[int, ...]
    gains: Tensor
    inside: tuple["Nested", ...] = ()
    held: bool = False
    turned: bool = False
    centered: bool = False


@dataclass(frozen=True)
class Best:
    """Shapes: orders: group → (…, n) int64; matrices: group → (…, n, n) float64."""

    orders: dict[str, Tensor] = field(default_factory=dict)
    matrices: dict[str, Tensor] = field(default_factory=dict)


def assign_nested(top: Nested) -> Best:
    """The best order of the units, and of those inside each of them: inner ones are assigned (or turned) for every pair
    of outer units, then the outer ones by what that yields (science 3). Groups that are held are left out.
    """
    best = Best()
    total, choose = _solved(top)
    rows, chosen = _best(total, held=top.held)
    if not top.held:
        best.orders[top.name] = torch.from_numpy(chosen)
    choose(rows, chosen, best)
    return best


# (places in a, places in b, all that is known so far) → adds what is inside
_Choose = Callable[[np.ndarray, np.ndarray, Best], None]


def _solved(group: Nested) -> tuple[np.ndarray, _Choose]:
    """Gains with those of what is inside, and how to read the choices off."""
    total: np.ndarray = group.gains.cpu().double().numpy()
    inner: list[tuple[Nested, np.ndarray, _Choose]] = []
    turning: list[tuple[Nested, Tensor]] = []
    for child in group.inside:
        gains, deeper = _solved(child)
        size, units = child.shape[-1], len(total)
        # One small assignment for every pair of outer units.
        apart = gains.reshape(units, size, units, size).transpose(0, 2, 1, 3)
        if child.turned:
            turns = rotation(torch.from_numpy(apart), centered=child.centered)
            total = total + (turns.numpy() * apart).sum((-2, -1))
            turning.append((child, turns))
            continue
        columns = np.empty((units, units, size), dtype=np.int64)
        values = np.empty((units, units))
        for i in range(units):
            for j in range(units):
                rows, columns[i, j] = _best(apart[i, j], held=child.held)
                values[i, j] = apart[i, j, rows, columns[i, j]].sum()
        total = total + values
        inner.append((child, columns, deeper))

    def choose(of_a: np.ndarray, of_b: np.ndarray, best: Best) -> None:
        for child, turns in turning:
            best.matrices[child.name] = turns[of_a, of_b].reshape(*child.shape, child.shape[-1])
        for child, columns, deeper in inner:
            size = child.shape[-1]
            order = columns[of_a, of_b]
            if not child.held:
                best.orders[child.name] = torch.from_numpy(order).reshape(child.shape)
            places_a = (of_a[:, None] * size + np.arange(size)).reshape(-1)
            places_b = (of_b[:, None] * size + order).reshape(-1)
            deeper(places_a, places_b, best)

    return total, choose


def _best(gains: np.ndarray, *, held: bool) -> tuple[np.ndarray, np.ndarray]:
    """Rows, and the column of each."""
    rows = np.arange(len(gains))
    return rows, rows if held else linear_sum_assignment(gains, maximize=True)[1]
