"""Linear assignment, one group or groups within groups."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor


def assign(gains: Tensor) -> Tensor:
    """order: which column each row gets, so that the sum of gains is largest. Shapes: (n, n) → (n,)."""
    return torch.from_numpy(linear_sum_assignment(gains.double().cpu().numpy(), maximize=True)[1])


@dataclass(frozen=True, eq=False)
class Nested:
    """gains: of putting unit j where i is, for every pair of places of the group, all copies in one. inside: the groups
    that each of its units holds one of.

    Shapes: gains (U, U), U the product of `shape`, the sizes of the groups around it and its own.
    """

    name: str
    shape: tuple[int, ...]
    gains: Tensor
    inside: tuple["Nested", ...] = ()


def assign_nested(top: Nested, *, held: bool = False) -> dict[str, Tensor]:
    """The best order of the units, and of those inside each of them: inner ones are assigned for every pair of outer
    units, then the outer ones by what that yields (science 3).

    held: the outermost stay in place. Shapes: → group → (…, n) int64.
    """
    orders: dict[str, Tensor] = {}
    total, choose = _solved(top)
    chosen = torch.arange(top.shape[-1]) if held else assign(total)
    orders[top.name] = chosen
    choose(np.arange(len(chosen)), chosen.numpy(), orders)
    if held:
        del orders[top.name]
    return orders


# (places in a, places in b, all orders so far) → adds the orders of what is inside
_Choose = Callable[[np.ndarray, np.ndarray, dict[str, Tensor]], None]


def _solved(group: Nested) -> tuple[Tensor, _Choose]:
    """Gains with those of what is inside, and how to read the choices off."""
    total = group.gains.double().cpu().clone()
    inner: list[tuple[Nested, np.ndarray, _Choose]] = []
    for child in group.inside:
        gains, deeper = _solved(child)
        size = child.shape[-1]
        units = len(total)
        # One small assignment for every pair of outer units.
        apart = gains.reshape(units, size, units, size).permute(0, 2, 1, 3).numpy()
        columns = np.empty((units, units, size), dtype=np.int64)
        values = np.empty((units, units))
        rows = np.arange(size)
        for i in range(units):
            for j in range(units):
                columns[i, j] = linear_sum_assignment(apart[i, j], maximize=True)[1]
                values[i, j] = apart[i, j, rows, columns[i, j]].sum()
        total += torch.from_numpy(values)
        inner.append((child, columns, deeper))

    def choose(of_a: np.ndarray, of_b: np.ndarray, orders: dict[str, Tensor]) -> None:
        for child, columns, deeper in inner:
            size = child.shape[-1]
            order = columns[of_a, of_b]
            orders[child.name] = torch.from_numpy(order).reshape(child.shape)
            places_a = (of_a[:, None] * size + np.arange(size)).reshape(-1)
            places_b = (of_b[:, None] * size + order).reshape(-1)
            deeper(places_a, places_b, orders)

    return total, choose
