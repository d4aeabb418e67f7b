"""What an operation does to factors and bases along one of its axes.

A factor for each unit passes through an operation or not: every law gives linear equations between the exponents that
it has on the operands and on the result. For signs the same equations are read modulo 2.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

Key: TypeAlias = Hashable
Equation: TypeAlias = dict[Key, int]
# (keys of the operands that have the axis, keys of the results that have it) → equations, each = 0
Law: TypeAlias = Callable[[Sequence[Key], Sequence[Key]], list[Equation]]


class Flag(Enum):
    """What happens between the units of an axis. linear: nothing but linear maps; norm: the sum of their squares;
    centered: their mean is taken away first; unit: each by itself; across: they are seen together in another way.
    """

    LINEAR = "linear"
    NORM = "norm"
    CENTERED = "centered"
    UNIT = "unit"
    ACROSS = "across"


@dataclass(frozen=True)
class Relation:
    """The law for positive factors, that for signs, and what the operation means for a basis of the units."""

    scale: Law
    sign: Law
    flag: Flag = Flag.LINEAR


def equal(given: Sequence[Key], made: Sequence[Key]) -> list[Equation]:
    """All alike: sums, copies, ReLU."""
    every = [*given, *made]
    return [{every[0]: 1, other: -1} for other in every[1:] if other != every[0]]


def nothing(given: Sequence[Key], made: Sequence[Key]) -> list[Equation]:
    """No factor passes."""
    return [{key: 1} for key in (*given, *made)]


def product(given: Sequence[Key], made: Sequence[Key]) -> list[Equation]:
    """The factors of a product multiply."""
    return [_sum([*((key, 1) for key in given), (key, -1)]) for key in made]


def shifted_product(given: Sequence[Key], made: Sequence[Key]) -> list[Equation]:
    """The factors of the first two multiply; what is added to their product has those of the result."""
    return product(given[:2], made) + equal(given[2:], made)


def opposite(given: Sequence[Key], made: Sequence[Key]) -> list[Equation]:
    """A sum over products: what one operand has the others must undo."""
    return [_sum([(key, 1) for key in given])] if given else []


def vanishing(given: Sequence[Key], made: Sequence[Key]) -> list[Equation]:
    """The result has none, whatever the operands have: an even function, for signs."""
    return [{key: 1} for key in made]


def quotient(given: Sequence[Key], made: Sequence[Key]) -> list[Equation]:
    """Dividend over divisor."""
    return [_sum([(given[0], 1), (given[1], -1), (key, -1)]) for key in made]


def power(exponent: int, root: int = 1) -> Law:
    """The factor to a power exponent / root."""

    def law(given: Sequence[Key], made: Sequence[Key]) -> list[Equation]:
        return [_sum([(given[0], exponent), (key, -root)]) for key in made]

    return law


def _sum(terms: Sequence[tuple[Key, int]]) -> Equation:
    total: Equation = {}
    for key, factor in terms:
        total[key] = total.get(key, 0) + factor
    return {key: factor for key, factor in total.items() if factor}


LINEAR = Relation(equal, equal)
# Nothing is asked here of what passes.
SAID = Relation(lambda given, made: [], lambda given, made: [])
CONTRACTED = Relation(opposite, opposite)
MULTIPLIED = Relation(product, product)
DIVIDED = Relation(quotient, quotient)
# Element by element: ReLU and its like, odd functions, all others.
POSITIVE = Relation(equal, nothing, Flag.UNIT)
ODD = Relation(nothing, equal, Flag.UNIT)
OTHER = Relation(nothing, nothing, Flag.UNIT)
MAGNITUDE = Relation(equal, vanishing, Flag.UNIT)
EVEN = Relation(nothing, vanishing, Flag.UNIT)
ACROSS = Relation(nothing, nothing, Flag.ACROSS)
