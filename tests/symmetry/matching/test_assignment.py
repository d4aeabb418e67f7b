"""Groups within groups, assigned together, against all of their orders; sums of products against einsum."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gnnmc.symmetry import Element, Symmetry, SymmetryClass
from gnnmc.symmetry.group import Group, Signing
from gnnmc.symmetry.layout import Fixed, Product, Units
from gnnmc.symmetry.matching.assignment import Nested, assign_nested
from gnnmc.symmetry.matching.family import best_element, faces, families
from gnnmc.symmetry.matching.projections import rotation
from gnnmc.symmetry.matching.terms import CHUNK, inner, products, terms


def normal(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def two(seed, held=(), heads=3, first=3, second=2):
    """Heads, and two sets of channels inside each."""
    inside = [
        Nested("first", (heads, first), normal(seed, heads * first, heads * first), held="first" in held),
        Nested("second", (heads, second), normal(seed + 1, heads * second, heads * second)),
    ]
    return Nested("heads", (heads,), normal(seed + 2, heads, heads), tuple(inside), held="heads" in held)


def total(nested, outer, orders):
    """Σ of gains under orders; outer: the old heads, place by place."""
    heads = len(outer)
    value = sum(float(nested.gains[i, outer[i]]) for i in range(heads))
    for child in nested.inside:
        size = child.shape[-1]
        for i in range(heads):
            for k in range(size):
                value += float(child.gains[i * size + k, outer[i] * size + int(orders[child.name][i][k])])
    return value


def everything(nested):
    """The largest total of all orders."""
    heads = nested.shape[0]
    plain = tuple(range(heads))
    best = -math.inf
    for outer in [plain] if nested.held else itertools.permutations(plain):
        of_children = []
        for child in nested.inside:
            orders = (
                [tuple(range(child.shape[-1]))] if child.held else [*itertools.permutations(range(child.shape[-1]))]
            )
            of_children.append([*itertools.product(orders, repeat=heads)])
        for chosen in itertools.product(*of_children):
            orders = dict(zip([child.name for child in nested.inside], chosen, strict=True))
            best = max(best, total(nested, outer, orders))
    return best


@pytest.mark.parametrize("held", [(), ("heads",), ("first",)], ids=str)
@pytest.mark.parametrize("seed", [0, 10, 20])
def test_no_orders_of_heads_and_channels_are_better(seed, held):
    nested = two(seed, held)
    best = assign_nested(nested).orders
    assert set(held).isdisjoint(best)
    outer = best.get("heads", torch.arange(3)).tolist()
    orders = {"first": torch.arange(3).expand(3, 3), **best}
    assert total(nested, outer, orders) == pytest.approx(everything(nested))


def test_no_orders_of_three_groups_within_each_other_are_better():
    top, middle, low = (2,), (2, 2), (2, 2, 2)
    deepest = Nested("low", low, normal(0, 8, 8))
    nested = Nested("top", top, normal(2, 2, 2), (Nested("middle", middle, normal(1, 4, 4), (deepest,)),))
    best = assign_nested(nested).orders

    def value(orders):
        found = 0.0
        for i in range(2):
            a = int(orders["top"][i])
            found += float(nested.gains[i, a])
            for j in range(2):
                b = int(orders["middle"][i][j])
                found += float(nested.inside[0].gains[2 * i + j, 2 * a + b])
                for k in range(2):
                    c = int(orders["low"][i][j][k])
                    found += float(deepest.gains[4 * i + 2 * j + k, 4 * a + 2 * b + c])
        return found

    flips = [*itertools.permutations(range(2))]
    most = max(
        value(
            {
                "top": flips[t],
                "middle": [flips[m] for m in ms],
                "low": [[flips[one] for one in ls[:2]], [flips[one] for one in ls[2:]]],
            }
        )
        for t in range(2)
        for ms in itertools.product(range(2), repeat=2)
        for ls in itertools.product(range(2), repeat=4)
    )
    assert value(best) == pytest.approx(most)


def test_heads_are_assigned_by_what_rotations_inside_them_yield():
    heads, size = 3, 4
    gains = normal(0, heads * size, heads * size)
    nested = Nested("heads", (heads,), normal(1, heads, heads), (Nested("in", (heads, size), gains, turned=True),))
    best = assign_nested(nested)
    assert "in" not in best.orders
    apart = gains.reshape(heads, size, heads, size)

    def value(outer):
        return sum(float(nested.gains[i, j] + torch.linalg.svdvals(apart[i, :, j]).sum()) for i, j in enumerate(outer))

    outer = best.orders["heads"].tolist()
    assert value(outer) == pytest.approx(max(map(value, itertools.permutations(range(heads)))))
    for i, j in enumerate(outer):
        assert torch.allclose(best.matrices["in"][i], rotation(apart[i, :, j]))


def toy(classes=("permutation",), signings=()):
    """Heads h with channels c in each; w holds them on one axis, v each in its own form, u the heads alone."""
    kinds = frozenset(map(SymmetryClass, classes))
    groups = {"h": Group("h", 3, classes=kinds - {"signed"}), "c": Group("c", 2, ("h",), 3, kinds)}
    both = Product((Units("h", 3), Units("c", 2, signings=tuple(signings))))
    layouts = {"w": (both, Fixed(5)), "u": (Fixed(4), Units("h", 3)), "v": (Units("h", 3), Fixed(2), Units("c", 2))}
    return Symmetry(groups, layouts, signings={label: Signing(label, "c") for label in signings})


def weights(seed):
    return {"w": normal(seed, 6, 5), "u": normal(seed + 1, 4, 3), "v": normal(seed + 2, 3, 2, 2)}


def gains_of(symmetry, a, b):
    (family,) = families(symmetry)
    gains = {}
    for term in terms(symmetry, list(a), a, b, family.names):
        for face in faces(symmetry, family, term):
            value = products(term.a, term.b, face.axes)
            gains[face.key] = gains[face.key] + value if face.key in gains else value
    return family, gains


@pytest.mark.parametrize("signings", [(), ("±",), ("±0", "±1")], ids=len)
@pytest.mark.parametrize("seed", range(2))
def test_no_element_is_nearer_than_the_best(seed, signings):
    symmetry = toy(("permutation", "signed"), signings)
    a, b = weights(seed), weights(seed + 50)
    family, gains = gains_of(symmetry, a, b)
    best = best_element(symmetry, family, gains)

    def value(element):
        moved = element.apply(symmetry, b)
        return sum(float((a[name] * moved[name]).sum()) for name in a)

    flips = [torch.tensor(one) for one in ((0, 1), (1, 0))]
    most = -math.inf
    for outer in itertools.permutations(range(3)):
        for inside in itertools.product(flips, repeat=3):
            element = Element({"h": torch.tensor(outer), "c": torch.stack(inside)})
            if not signings:
                most = max(most, value(element))
            # Of several signings on one axis only the product counts here.
            for signs in itertools.product((1.0, -1.0), repeat=6) if signings else ():
                given = {label: torch.ones(3, 2) for label in signings} | {
                    signings[0]: torch.tensor(signs).reshape(3, 2)
                }
                most = max(most, value(Element(element.orders, signs=given)))
    assert value(best) == pytest.approx(most)
    assert set(best.signs) == set(signings)


def test_signs_alone_are_found_without_an_order():
    symmetry = toy(("signed",), ("±",))
    a = weights(0)
    planted = Element(signs={"±": torch.tensor([[1.0, -1.0], [-1.0, -1.0], [1.0, 1.0]])})
    b = planted.apply(symmetry, a)
    best = best_element(symmetry, *gains_of(symmetry, a, b))
    assert not best.orders and torch.equal(best.signs["±"], planted.signs["±"])


AXES = [(0,), (1,), (2,), (0, 1), (1, 0), (2, 0), (0, 1, 2)]


@pytest.mark.parametrize("axes", AXES)
def test_products_are_those_of_einsum(axes):
    a, b = normal(0, 2, 3, 4), normal(1, 2, 3, 4)
    letters, others = "ijk", list("ijk")
    for axis in axes:
        others[axis] = "xyz"[axis]
    on_a, on_b = "".join(letters[axis] for axis in axes), "".join(others[axis] for axis in axes)
    expected = torch.einsum(f"{letters},{''.join(others)}->{on_a}{on_b}", a, b)
    units = math.prod(a.shape[axis] for axis in axes)
    assert torch.allclose(products(a, b, axes), expected.reshape(units, units))


def test_products_of_matrices_and_vectors():
    a, b = normal(0, 3, 4), normal(1, 3, 4)
    assert torch.allclose(products(a, b, [0]), a @ b.T) and torch.allclose(products(a, b, [1]), a.T @ b)
    assert torch.allclose(products(a[0], b[0], [0]), torch.outer(a[0], b[0]))


@given(st.integers(0, 5), st.integers(1, 3))
def test_inner_products_are_summed_in_double_precision(seed, rows):
    a, b = normal(seed, rows, 7).float(), normal(seed + 1, 7, rows).float().T
    assert inner(a, b) == pytest.approx(float((a.double() * b.double()).sum()), rel=1e-12)


def test_inner_products_are_summed_over_all_parts():
    ones = torch.ones(2, CHUNK + 3)
    assert inner(ones, ones) == 2 * CHUNK + 6
    # In single precision this many would be lost.
    assert inner(torch.full((1 << 24,), 1.0), torch.full((1 << 24,), 1 + 2**-20)) == (1 << 24) + 16


def test_blocks_of_a_copy_are_those_of_its_head():
    symmetry = toy()
    a, b = weights(0), weights(1)
    for term in terms(symmetry, ["w", "v"], a, b, ["c"]):
        for copy in range(3):
            of_a, of_b, axes = term.of_copy(symmetry.groups["c"], copy, (3, 2))
            name = "w" if term.a.dim() == 3 and term.a.shape[-1] == 5 else "v"
            whole = [one[name].reshape(3, 2, 5) if name == "w" else one[name] for one in (a, b)]
            assert torch.equal(of_a, whole[0][copy]) and torch.equal(of_b, whole[1][copy])
            assert axes == ([0] if name == "w" else [1])
