"""The check by numbers: what is not true of a model is not kept, and is named."""

from dataclasses import replace

import pytest
import torch

from gnnmc.engine import ModelFunction
from gnnmc.symmetry import Symmetry, SymmetryClass
from gnnmc.symmetry.evaluating import evaluated, general_position
from gnnmc.symmetry.find import read
from gnnmc.symmetry.group import Group
from gnnmc.symmetry.layout import Units
from gnnmc.symmetry.verify import verified
from tests.symmetry.zoo import CASES, problem_of


def found(name):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return read(ModelFunction(CASES[name][0](), problem_of(CASES[name][2])))


def check(model, symmetry):
    outputs, weights = evaluated(model.function, model.trace, model.batches, general_position(model.function, 5))
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
