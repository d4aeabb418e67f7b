"""What an Alignment is to its user: it tells what it did, can be composed and undone, and shares no memory."""

import math

import pytest
import torch
from torch import nn

import gnnmc
from gnnmc.errors import InputError
from gnnmc.seeding import torch_generator
from gnnmc.symmetry import Alignment, Element, SymmetryClass, align, find_symmetry, load_alignment, random_element
from gnnmc.weights import Mode, clone, distance
from tests.symmetry.keeping import lifted
from tests.symmetry.matching.planted import same
from tests.symmetry.zoo import Factored, Foreign, Hidden, Relu, RmsNormedLinears, Tanh, problem_of

PROBLEM = problem_of("nodes")


def pair(make):
    torch.manual_seed(0)
    model = make()
    return model, lifted(model, 1, 0.0), lifted(model, 2, 0.0)


def row(alignment):
    (found,) = alignment.report().itertuples()
    return found._asdict() | {"class": alignment.report()["class"][0]}


@pytest.mark.parametrize(
    ("make", "classes", "method"),
    [
        (Tanh, ["signed"], "weights"),
        (Relu, ["scaling"], "weights"),
        (RmsNormedLinears, ["orthogonal"], "weights"),
        (Relu, ["permutation"], "weights"),
    ],
)
def test_whatever_is_done_is_told(make, classes, method):
    model, a, b = pair(make)
    symmetry = find_symmetry(model, PROBLEM)
    b = random_element(symmetry, torch_generator("planted"), classes).apply(symmetry, b)
    alignment = align(model, PROBLEM, a, b, classes=classes, method=method)
    assert alignment.after < alignment.before
    assert row(alignment)["class"] == ", ".join(classes)
    assert 0 < row(alignment)["moved"] == alignment.share_moved <= 1
    assert " 0% moved" not in repr(alignment)


def test_all_classes_of_all_steps_are_listed():
    symmetry = find_symmetry(Factored(), PROBLEM)
    parts = [random_element(symmetry, torch_generator(kind), [kind]) for kind in ("scaling", "orthogonal", "signed")]
    whole = parts[0].then(parts[1], symmetry).then(parts[2], symmetry)
    assert row(Alignment(whole, symmetry, "by hand", 2, 1))["class"] == "signed, scaling, orthogonal"


def test_units_are_counted_one_by_one():
    symmetry = find_symmetry(Relu(), PROBLEM)
    (group,), (scaling,) = symmetry.groups, symmetry.scalings
    order, scale, shares = torch.arange(16), torch.ones(16).double(), torch.ones(16).double()
    assert row(Alignment(Element({group: order}, scales={scaling: scale}), symmetry, "by hand", 1, 1))["moved"] == 0
    scale[3] = 2
    order[[0, 1]] = order[[1, 0]]
    found = row(Alignment(Element({group: order}, scales={scaling: scale}), symmetry, "by hand", 2, 1))
    assert (found["moved"], found["class"]) == (3 / 16, "permutation, scaling")
    order, shares = torch.arange(16), shares.clone()
    order[5], shares[4], shares[5] = 4, 0.25, 0.75
    found = row(Alignment(Element({group: order}, shares={group: shares}), symmetry, "by hand", 2, 1))
    assert (found["moved"], found["class"]) == (2 / 16, "semi")


def test_what_was_moved_shares_no_memory_with_what_it_was(toy_problem):
    model = gnnmc.build_model("gcn", toy_problem, hidden=8, norm="batch")
    a, b = gnnmc.train(model, toy_problem, seeds=[0, 1], epochs=2, device="cpu")
    alignment = align(model, toy_problem, a, b)
    before = clone(b.weights)
    for moved in (alignment.apply(b), alignment.apply(b.weights)):
        for value in (moved.weights if isinstance(moved, Mode) else moved).values():
            value.zero_()
        assert same(before, b.weights)


def test_one_after_the_other_and_back():
    model, a, b = pair(Factored)
    c = lifted(model, 3, 0.0)
    first = align(model, PROBLEM, b, c, classes=["permutation"])
    later = align(model, PROBLEM, a, b, classes=["orthogonal", "signed"])
    whole = first.then(later)
    expected = later.apply(first.apply(c))
    for name, value in whole.apply(c).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-5, atol=1e-5)
    assert (whole.method, math.isnan(whole.before)) == ("weights, then weights", True)
    assert "nan" not in repr(whole)
    back = whole.inverse()
    assert distance(back.apply(whole.apply(c)), c) < 1e-4
    assert back.method == "the inverse of weights, then weights"


def test_an_inverse_of_orders_is_as_near(tmp_path):
    model, a, b = pair(Relu)
    alignment = align(model, PROBLEM, a, b)
    back = load_alignment(alignment.inverse().save(tmp_path / "back.safetensors"))
    assert (back.before, back.after) == (alignment.before, alignment.after)
    assert back.after == pytest.approx(distance(back.apply(a), b, list(a)), rel=1e-6)


def test_alignments_of_other_models_and_split_units_are_an_error():
    model, a, b = pair(Relu)
    other, c, d = pair(lambda: Relu(8))
    with pytest.raises(InputError, match="two of one model") as told:
        align(model, PROBLEM, a, b).then(align(other, PROBLEM, c, d))
    assert "\n" not in str(told.value)
    symmetry = find_symmetry(model, PROBLEM)
    (group,) = symmetry.groups
    split = Element({group: torch.tensor([*range(15), 0])}, shares={group: torch.full((16,), 0.5)})
    with pytest.raises(InputError, match="no way back"):
        Alignment(split, symmetry, "semi", 2, 1).inverse()


class Gelus(Hidden):
    def act(self, h):
        return nn.functional.gelu(h)


def codes(alignment):
    return [one.code for one in alignment.diagnostics()]


def test_nothing_aligned_and_frozen_groups_are_told_to_whoever_aligns():
    model, a, b = pair(Foreign)
    alignment = align(model, PROBLEM, a, b)
    assert set(codes(alignment)) == {"GMC019"} and "fft" in alignment.diagnostics()[0].message
    assert "GMC019" in repr(alignment)
    model, a, b = pair(Gelus)
    for method in ("weights", "activations"):
        nothing = align(model, PROBLEM, a, a, method=method)
        assert codes(nothing) == ["GMC021"] and "GMC021" in repr(nothing)
    assert codes(align(model, PROBLEM, a, b)) == []
    model, a, b = pair(lambda: nn.Linear(8, 3))
    (told,) = align(model, PROBLEM, a, b).diagnostics()
    assert str(told).endswith("the model has no units that may be moved by these classes")


def test_classes_that_a_model_lacks_are_told():
    model, a, b = pair(Tanh)
    (told,) = align(model, PROBLEM, a, b, classes=[SymmetryClass.ORTHOGONAL]).diagnostics()
    assert told.code == "GMC021"
