"""A group on two axes of one tensor (residual layers, GCNII): the objective is quadratic in its order.

An assignment on the gradient lowers it about half of the time (science 3). So: the assignment where it helps, else
Frank–Wolfe over doubly stochastic matrices and the assignment nearest to where that leads, then swaps of two units. A
step is taken only if the exact objective rises.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gnnmc.symmetry.matching.assignment import assign
from gnnmc.symmetry.matching.terms import inner

# Steps of Frank–Wolfe: more bring less than 1 % of the objective (residual GCN of width 64).
STEPS = 30
# Gains below this share of the objective are rounding.
TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Order:
    """units: which old unit comes to each place. signs: of 1 and −1 at these places. Shapes: (n,), (n,) float64."""

    units: Tensor
    signs: Tensor

    @classmethod
    def plain(cls, units: Tensor) -> "Order":
        """Without signs."""
        return cls(units, torch.ones(len(units), dtype=torch.float64))

    def matrix(self) -> Tensor:
        """The signed permutation matrix that puts old unit units[i] at i. Shape (n, n), float64."""
        return torch.eye(len(self.units), dtype=torch.float64)[self.units] * self.signs[:, None]


@dataclass(frozen=True, eq=False)
class Coupled:
    """Σ linear[i, j]·P[i, j] + Σ over pairs (A, B) of ⟨A, P·B·Pᵀ⟩. signed: P may have entries of −1, too.

    Values are exact to double precision; gradients and gains are as exact as the pairs, which may be views of weights.
    Shapes: linear (n, n) float64; pairs of (r, n, n), r whatever else the tensor has.
    """

    linear: Tensor
    pairs: Sequence[tuple[Tensor, Tensor]]
    signed: bool = False

    def value(self, order: Order) -> float:
        """At an order."""
        rows = torch.arange(len(order.units))
        total = float((self.linear[rows, order.units] * order.signs).sum())
        return total + sum(inner(a, _moved(b, order)) for a, b in self.pairs)

    def relaxed(self, matrix: Tensor) -> float:
        """At any matrix."""
        total = float((self.linear * matrix).sum())
        return total + sum(inner(a, matrix.to(b) @ b @ matrix.T.to(b)) for a, b in self.pairs)

    def gradient(self, matrix: Tensor) -> Tensor:
        """In P, at a matrix. Shapes: (n, n) → (n, n), float64."""
        total = self.linear.clone()
        for a, b in self.pairs:
            at = matrix.to(b)
            total += (a @ at @ b.mT).sum(0).double() + (a.mT @ at @ b).sum(0).double()
        return total

    def best_of(self, gains: Tensor) -> Order:
        """The order with the largest Σ gains·P. Shapes: (n, n) → (n,)."""
        units = assign(gains.abs() if self.signed else gains)
        if not self.signed:
            return Order.plain(units)
        chosen = gains[torch.arange(len(units)), units]
        return Order(units, torch.where(chosen < 0, -1.0, 1.0).double())

    def swap_gains(self, order: Order) -> Tensor:
        """What the objective gains where two units change places (with their signs), for every two. Shape (n, n)."""
        moved = self.linear[:, order.units] * order.signs
        own = moved.diagonal()
        gains = moved + moved.T - own[:, None] - own[None, :]
        for a, whole in self.pairs:
            b = _moved(whole, order)
            aii, bii = a.diagonal(dim1=1, dim2=2), b.diagonal(dim1=1, dim2=2)
            change = ((aii[:, :, None] - aii[:, None, :]) * (bii[:, None, :] - bii[:, :, None])).sum(0)
            change += ((a - a.mT) * (b.mT - b)).sum(0)
            for x, y in ((a, b), (a.mT, b.mT)):
                cross = (x @ y.mT).sum(0)
                same = cross.diagonal()
                change += cross + cross.T - same[:, None] - same[None, :]
                # Entries between the two units themselves and on the diagonal are moved on both axes at once.
                change -= ((aii[:, :, None] - x.mT) * (y.mT - bii[:, :, None])).sum(0)
                change -= ((x - aii[:, None, :]) * (bii[:, None, :] - y)).sum(0)
            gains += change.double()
        return gains

    def flip_gains(self, order: Order) -> Tensor:
        """What the objective gains where a unit changes its sign, for every one. Shape (n,)."""
        gains = -2 * self.linear[torch.arange(len(order.units)), order.units] * order.signs
        for a, b in self.pairs:
            both = (a * _moved(b, order)).sum(0).double()
            gains -= 2 * (both.sum(0) + both.sum(1) - 2 * both.diagonal())
        return gains


def raised(problem: Coupled) -> Order:
    """An order at which the objective is at least that of the order at hand."""
    order = Order.plain(torch.arange(len(problem.linear)))
    best = problem.value(order)
    proposals = (_assigned, _frank_wolfe, _exchanged) if problem.pairs else (_assigned,)
    place = 0
    while place < len(proposals):
        found = proposals[place](problem, order)
        value = problem.value(found)
        if value > best + TINY * max(1.0, abs(best)):
            order, best, place = found, value, 0
        else:
            place += 1
    return order


def _moved(b: Tensor, order: Order) -> Tensor:
    moved = b[:, order.units][:, :, order.units]
    if bool((order.signs < 0).any()):
        signs = order.signs.to(b)
        moved = moved * signs[:, None] * signs
    return moved


def _assigned(problem: Coupled, order: Order) -> Order:
    return problem.best_of(problem.gradient(order.matrix()))


def _frank_wolfe(problem: Coupled, order: Order) -> Order:
    matrix = order.matrix()
    for _ in range(STEPS):
        gradient = problem.gradient(matrix)
        vertex = problem.best_of(gradient)
        toward = vertex.matrix() - matrix
        slope = float((gradient * toward).sum())
        # Of a quadratic function, the value at hand takes no products of its own.
        here = float(((problem.linear + gradient) * matrix).sum()) / 2
        if slope <= 1e-6 * abs(here):
            break
        # Along the line it is here + slope·s + bend·s²: its exact maximum on [0, 1].
        bend = problem.value(vertex) - here - slope
        step = 1.0 if -2 * bend <= slope else -slope / (2 * bend)
        matrix = matrix + step * toward
    return problem.best_of(matrix)


def _exchanged(problem: Coupled, order: Order) -> Order:
    """Swaps of two units, and changes of sign, as long as they raise the objective: the best ones first, those of
    different units at once.
    """
    best = problem.value(order)
    while True:
        gains = problem.swap_gains(order).triu(1)
        if problem.signed:
            gains += torch.diag(problem.flip_gains(order))
        least = TINY * max(1.0, abs(best))
        chosen = _apart(gains, least)
        # Each alone raises it; together they may not.
        while chosen:
            found = _with(order, chosen)
            value = problem.value(found)
            if value > best + least:
                break
            chosen = chosen[: len(chosen) // 2]
        if not chosen:
            return order
        order, best = found, value


def _apart(gains: Tensor, least: float) -> list[tuple[int, int]]:
    """Pairs of units with gains above `least`, the best first, each unit in one of them."""
    where = (gains > least).nonzero()
    ranked = gains[where[:, 0], where[:, 1]].argsort(descending=True)
    taken: set[int] = set()
    pairs = []
    for i, j in where[ranked].tolist():
        if i not in taken and j not in taken:
            pairs.append((i, j))
            taken |= {i, j}
    return pairs


def _with(order: Order, pairs: Sequence[tuple[int, int]]) -> Order:
    units, signs = order.units.clone(), order.signs.clone()
    for i, j in pairs:
        if i == j:
            signs[i] = -signs[i]
        else:
            units[[i, j]], signs[[i, j]] = units[[j, i]], signs[[j, i]]
    return Order(units, signs)
