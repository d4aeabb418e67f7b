"""Solutions of the equations between factors: which factors may be chosen freely, and where each of them enters."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import gcd, lcm
from typing import TypeAlias

from gnnmc.symmetry.reading.relations import Equation, Key

Combination: TypeAlias = dict[Key, Fraction]


class _Solved:
    """Every key as a combination of free ones, over the rationals or modulo 2."""

    def __init__(self, equations: Iterable[Equation], last: Sequence[Key], modulo_two: bool) -> None:
        self._modulo_two = modulo_two
        self._known: dict[Key, Combination] = {}
        # Those in `last` stay free as long as others can be expressed by them; earlier ones longer than later ones.
        self._rank = {key: place for place, key in enumerate(reversed(last), start=1)}
        for equation in equations:
            left = self._reduced({key: Fraction(factor) for key, factor in equation.items()})
            if not left:
                continue
            pivot = min(left, key=lambda key: self._rank.get(key, 0))
            factor = left.pop(pivot)
            self._known[pivot] = self._number({key: -other / factor for key, other in left.items()})

    def of(self, key: Key) -> Combination:
        """A key in free ones."""
        return self._reduced({key: Fraction(1)})

    def _reduced(self, terms: Combination) -> Combination:
        total: Combination = {}
        for key, factor in terms.items():
            if key in self._known:
                # Kept as found, so that a chain is walked once.
                expression = self._known[key] = self._reduced(self._known[key])
            else:
                expression = {key: Fraction(1)}
            for free, one in expression.items():
                total[free] = total.get(free, Fraction(0)) + factor * one
        return self._number(total)

    def _number(self, terms: Combination) -> Combination:
        if self._modulo_two:
            terms = {key: Fraction(factor.numerator % 2) for key, factor in terms.items()}
        return {key: factor for key, factor in terms.items() if factor}


def free_exponents(
    equations: Iterable[Equation], keys: Sequence[Key], *, modulo_two: bool = False
) -> list[Mapping[Key, int]]:
    """A basis of what the exponents on `keys` may be: each a mapping from keys to whole numbers, its first positive."""
    solved = _Solved(equations, keys, modulo_two)
    of_keys = {key: solved.of(key) for key in keys}
    free = dict.fromkeys(name for combination in of_keys.values() for name in combination)
    basis: list[Mapping[Key, int]] = []
    for name in free:
        entries = {key: combination[name] for key, combination in of_keys.items() if name in combination}
        scale = lcm(*(value.denominator for value in entries.values()))
        whole = {key: int(value * scale) for key, value in entries.items()}
        common = gcd(*whole.values())
        sign = -1 if next(iter(whole.values())) < 0 else 1
        basis.append({key: sign * value // common for key, value in whole.items()})
    return basis
