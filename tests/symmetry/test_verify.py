"""The check by numbers: what is not true of a model is not kept, and is named."""

from dataclasses import replace

import pytest
import torch

from gnnmc.engine import ModelFunction
from gnnmc.symmetry import Symmetry, SymmetryClass, random_element
from gnnmc.symmetry.evaluating import Remembered, evaluated, general_position, outputs_on
from gnnmc.symmetry.find import read
from gnnmc.symmetry.group import Group, Scaling, Signing
from gnnmc.symmetry.layout import Units
from gnnmc.symmetry.verify import Far, verified
from tests.symmetry.zoo import CASES, problem_of


def found(name):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return read(ModelFunction(CASES[name][0](), problem_of(CASES[name][2])))


def check(model, symmetry):
    really = Remembered(outputs_on(model.function, model.batches))
    outputs, weights = evaluated(model.function, model.trace, really, general_position(model.function, 5))
    return verified(symmetry, outputs, weights, tolerance=1e-5)


def with_classes(symmetry, *kinds):
    groups = {name: replace(group, classes=group.classes | set(kinds)) for name, group in symmetry.groups.items()}
    return replace(symmetry, groups=groups)


def test_what_is_true_is_kept():
    model = found("Relu")
    assert check(model, model.symmetry).frame().equals(model.symmetry.frame())


@pytest.mark.parametrize("kind", [SymmetryClass.ORTHOGONAL, SymmetryClass.INVERTIBLE])
def test_a_class_that_is_not_true_is_taken_away_and_the_others_stay(kind):
    model = found("Gelu")
    assert check(model, with_classes(model.symmetry, kind)).frame().equals(model.symmetry.frame())


def test_factors_that_are_not_undone_are_taken_away():
    model, other = found("Gelu"), found("Relu")
    checked = check(model, other.symmetry)
    (group,) = checked.groups.values()
    assert group.classes == {SymmetryClass.PERMUTATION}
    assert not checked.scalings


def test_an_order_that_is_not_free_is_frozen_and_named():
    model = found("ShiftedUnevenly")
    group = Group("a.weight[0]", 16, classes=frozenset({SymmetryClass.PERMUTATION}))
    units = Units("a.weight[0]", 16)
    layouts = {**model.symmetry.layouts}
    for name, axis in (("a.weight", 0), ("a.bias", 0), ("b.weight", 1)):
        layouts[name] = tuple(units if n == axis else one for n, one in enumerate(layouts[name]))
    checked = check(model, Symmetry({group.name: group}, layouts))
    assert not checked.moving()
    frame = checked.frame()
    stopped = frame[frame.status == "not understood"]
    assert set(zip(stopped.tensor, stopped.axis, strict=True)) == {("a.weight", 0), ("a.bias", 0), ("b.weight", 1)}
    assert stopped.reason.str.contains("a random element changes the outputs").all()


def test_one_of_several_that_is_not_true_costs_the_others_nothing():
    model = found("Concatenated")
    first, second = model.symmetry.groups
    groups = {**model.symmetry.groups}
    groups[second] = replace(groups[second], classes=groups[second].classes | {SymmetryClass.ORTHOGONAL})
    checked = check(model, replace(model.symmetry, groups=groups))
    assert checked.groups[first] == model.symmetry.groups[first]
    assert checked.groups[second] == model.symmetry.groups[second]


def a_swap(outputs, size, kind=SymmetryClass.PERMUTATION):
    """What is said of two weights, and is not so."""
    signings = {"w±": Signing("w±", "w")} if kind is SymmetryClass.SIGNED else {}
    layouts = {"w": (Units("w", size, signings=tuple(signings)),)}
    said = Symmetry({"w": Group("w", size, classes=frozenset({kind}))}, layouts, signings=signings)
    weights = {"w": torch.tensor([0.3, -1.1, 0.7, 2.0, -0.4][:size], dtype=torch.float64)}
    return lambda seed: verified(said, outputs, weights, tolerance=1e-5, seed=seed)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", [SymmetryClass.PERMUTATION, SymmetryClass.SIGNED, SymmetryClass.INVERTIBLE])
@pytest.mark.parametrize("size", [2, 3])
def test_the_smallest_groups_are_not_tested_by_what_does_nothing(size, kind, seed):
    checked = a_swap(lambda weights: weights["w"] * torch.arange(1.0, size + 1), size, kind)(seed)
    assert not checked.groups["w"].classes


@pytest.mark.parametrize("seed", range(12))
def test_what_only_turning_in_a_circle_keeps_is_no_order(seed):
    checked = a_swap(lambda weights: (weights["w"] * weights["w"].roll(1).exp()).sum()[None], 3)(seed)
    assert not checked.groups["w"].classes


@pytest.mark.parametrize("centered", [False, True])
@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_elements_that_test_leave_nothing_where_it_is(size, centered):
    kinds = frozenset({SymmetryClass.PERMUTATION, SymmetryClass.SCALING, SymmetryClass.SIGNED})
    groups = {
        "h": Group("h", 2, classes=frozenset({SymmetryClass.PERMUTATION})),
        "c": Group("c", size, ("h",), 2, kinds),
        "o": Group("o", size, ("h",), 2, frozenset({SymmetryClass.ORTHOGONAL}), centered),
        "i": Group("i", size, ("h",), 2, frozenset({SymmetryClass.INVERTIBLE})),
    }
    symmetry = Symmetry(groups, {}, {"c×": Scaling("c×", "c")}, {"c±": Signing("c±", "c")})
    for seed in range(20):
        generator = torch.Generator().manual_seed(seed)
        one = random_element(symmetry, generator, list(SymmetryClass), draws=Far())
        assert (one.orders["h"] != torch.arange(2)).all()
        assert size == 1 or (one.orders["c"] != torch.arange(size)).all()
        assert torch.equal(one.orders["c"].sort(-1).values, torch.arange(size).expand(2, size))
        assert (one.scales["c×"].log().abs() > 0.1).all()
        assert (one.signs["c±"] == -1).any(-1).all()
        assert size == 1 or (one.signs["c±"] == 1).any(-1).all()
        free = {"i": size, "o": size - centered}
        for name, dims in free.items():
            far = torch.linalg.matrix_norm(one.matrices[name] - torch.eye(size, dtype=torch.float64))
            assert (far >= (dims**0.5 - 1e-9)).all()


def test_every_sign_of_a_single_direction_is_drawn():
    symmetry = Symmetry({"o": Group("o", 2, classes=frozenset({SymmetryClass.ORTHOGONAL}), centered=True)}, {})
    generator = torch.Generator().manual_seed(0)
    drawn = [random_element(symmetry, generator, list(SymmetryClass)).matrices["o"] for _ in range(20)]
    assert 0 < sum(torch.allclose(one, torch.eye(2, dtype=torch.float64)) for one in drawn) < 20


def test_a_unit_that_activations_alone_read_is_not_shared():
    model = found("LinearAttention")
    assert check(model, with_classes(model.symmetry, SymmetryClass.SEMI)).frame().equals(model.symmetry.frame())
