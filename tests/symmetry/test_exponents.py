"""Solutions of equations between factors."""

from fractions import Fraction
from math import gcd

from hypothesis import given
from hypothesis import strategies as st

from gnnmc.symmetry.reading.exponents import free_exponents
from gnnmc.symmetry.reading.relations import CONTRACTED, LINEAR, MULTIPLIED, ODD, POSITIVE, power


def test_relu_between_two_maps():
    equations = [*LINEAR.scale(["w", "b"], ["h"]), *POSITIVE.scale(["h"], ["r"]), *CONTRACTED.scale(["r", "v"], [])]
    assert free_exponents(equations, ["w", "b", "v"]) == [{"w": 1, "b": 1, "v": -1}]


def test_an_odd_function_keeps_signs_alone():
    scale = [*LINEAR.scale(["w"], ["h"]), *ODD.scale(["h"], ["r"]), *CONTRACTED.scale(["r", "v"], [])]
    sign = [*LINEAR.sign(["w"], ["h"]), *ODD.sign(["h"], ["r"]), *CONTRACTED.sign(["r", "v"], [])]
    assert free_exponents(scale, ["w", "v"]) == []
    assert free_exponents(sign, ["w", "v"], modulo_two=True) == [{"w": 1, "v": 1}]


def test_squares_and_roots():
    equations = [*power(2)(["w"], ["h"]), *CONTRACTED.scale(["h", "v"], [])]
    assert free_exponents(equations, ["w", "v"]) == [{"w": 1, "v": -2}]
    equations = [*power(1, 2)(["w"], ["h"]), *CONTRACTED.scale(["h", "v"], [])]
    assert free_exponents(equations, ["w", "v"]) == [{"w": 2, "v": -1}]


def test_a_gate_and_its_values_have_two_factors():
    equations = [*MULTIPLIED.scale(["g", "v"], ["h"]), *CONTRACTED.scale(["h", "o"], [])]
    found = free_exponents(equations, ["g", "v", "o"])
    assert len(found) == 2
    assert all(one.get("g", 0) + one.get("v", 0) + one.get("o", 0) == 0 for one in found)


KEYS = list("abcdef")
EQUATION = st.dictionaries(st.sampled_from(KEYS), st.integers(-3, 3).filter(bool), min_size=1, max_size=4)


def rank(rows):
    rows = [[Fraction(row.get(key, 0)) for key in KEYS] for row in rows]
    found = 0
    for column in range(len(KEYS)):
        pivot = next((n for n in range(found, len(rows)) if rows[n][column]), None)
        if pivot is None:
            continue
        rows[found], rows[pivot] = rows[pivot], rows[found]
        for n in range(len(rows)):
            if n != found and rows[n][column]:
                factor = rows[n][column] / rows[found][column]
                rows[n] = [a - factor * b for a, b in zip(rows[n], rows[found], strict=True)]
        found += 1
    return found


@given(st.lists(EQUATION, max_size=6))
def test_solutions_solve_are_independent_and_are_all(equations):
    basis = free_exponents(equations, KEYS)
    for one in basis:
        assert gcd(*one.values()) == 1
        assert all(sum(factor * one.get(key, 0) for key, factor in equation.items()) == 0 for equation in equations)
    assert rank(basis) == len(basis) == len(KEYS) - rank(equations)


@given(st.lists(EQUATION, max_size=6))
def test_signs_solve_modulo_two(equations):
    for one in free_exponents(equations, KEYS, modulo_two=True):
        assert all(sum(factor * one.get(key, 0) for key, factor in equation.items()) % 2 == 0 for equation in equations)
