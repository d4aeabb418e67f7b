"""Elements as a group: they are undone, put one after another, and written to files."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gnnmc.engine import ModelFunction
from gnnmc.errors import InputError
from gnnmc.seeding import torch_generator
from gnnmc.symmetry import Alignment, Element, SymmetryClass, load_alignment, random_element
from gnnmc.symmetry.evaluating import general_position
from gnnmc.symmetry.files import load_element, save_element
from gnnmc.symmetry.find import read
from gnnmc.weights.files import save_weights
from tests.symmetry.zoo import CASES, problem_of

NAMES = ["Relu", "Tanh", "Linears", "SwiGlu", "BatchNormed", "GroupNormed", "RmsNormedLinears", "LayerNormedLinears"]
NAMES += [
    "OneByOne",
    "HeadByHead",
    "HeadsLast",
    "QkNorm",
    "TiedHead",
    "TiedResidual",
    "Grouped",
    "Depthwise",
    "FlatCnn",
]
DENSE = {SymmetryClass.ORTHOGONAL, SymmetryClass.INVERTIBLE}
KINDS = st.sets(st.sampled_from(list(SymmetryClass)), min_size=1)
FOUND = {}


def found(name):
    if name not in FOUND:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            function = ModelFunction(CASES[name][0](), problem_of(CASES[name][2]))
        symmetry = read(function).symmetry
        weights = {key: value.double() for key, value in general_position(function, 1).items()}
        FOUND[name] = symmetry, weights
    return FOUND[name]


def element_of(symmetry, seed, kinds):
    return random_element(symmetry, torch_generator("element", seed), kinds)


def mixed_element(symmetry, seed, kinds):
    """Something of each class at once: a group that turns has an order, factors and signs as well."""
    parts = [random_element(symmetry, torch_generator("mixed", seed, kind), [kind]) for kind in sorted(kinds)]
    fields = {}
    for name in ("orders", "matrices", "scales", "signs"):
        fields[name] = {key: value for part in parts for key, value in getattr(part, name).items()}
    return Element(**fields)


def assert_alike(a, b):
    for name, value in a.items():
        torch.testing.assert_close(value, b[name], rtol=1e-8, atol=1e-9)


@given(name=st.sampled_from(NAMES), seed=st.integers(0, 2**20), kinds=KINDS)
@settings(max_examples=80)
def test_what_is_done_is_undone(name, seed, kinds):
    symmetry, weights = found(name)
    element = element_of(symmetry, seed, kinds)
    undone = element.inverse(symmetry).apply(symmetry, element.apply(symmetry, weights))
    assert_alike(undone, weights)


@given(name=st.sampled_from(NAMES), seed=st.integers(0, 2**20), first=KINDS, later=KINDS)
@settings(max_examples=80)
def test_two_in_one_do_what_they_do_one_after_the_other(name, seed, first, later):
    symmetry, weights = found(name)
    a, b = element_of(symmetry, seed, first), element_of(symmetry, seed + 1, later)
    assert_alike(a.then(b, symmetry).apply(symmetry, weights), b.apply(symmetry, a.apply(symmetry, weights)))


TURNING = ["RmsNormedLinears", "RmsByHand", "LayerNormedLinears", "TiedResidual", "Normalized"]
TURNING += ["Factored", "FactoredTwice", "Linears", "HeadByHead", "QkNorm"]


@given(name=st.sampled_from(TURNING), seed=st.integers(0, 2**20), first=KINDS, later=KINDS)
@settings(max_examples=120)
def test_all_classes_at_once_are_composed_and_undone(name, seed, first, later):
    symmetry, weights = found(name)
    a, b = mixed_element(symmetry, seed, first), mixed_element(symmetry, seed + 1, later)
    c = mixed_element(symmetry, seed + 2, list(SymmetryClass))
    whole = a.then(b, symmetry)
    assert_alike(whole.apply(symmetry, weights), b.apply(symmetry, a.apply(symmetry, weights)))
    for one in (a, whole):
        back = one.inverse(symmetry)
        assert_alike(back.apply(symmetry, one.apply(symmetry, weights)), weights)
        assert_alike(one.then(back, symmetry).apply(symmetry, weights), weights)
        assert_alike(back.then(one, symmetry).apply(symmetry, weights), weights)
    left, right = whole.then(c, symmetry), a.then(b.then(c, symmetry), symmetry)
    assert_alike(left.apply(symmetry, weights), right.apply(symmetry, weights))
    assert_alike(left.apply(symmetry, weights), c.apply(symmetry, whole.apply(symmetry, weights)))


def test_what_no_single_step_does_is_kept_as_two_and_read_back(tmp_path):
    symmetry, weights = found("Factored")
    scaled, turned = (mixed_element(symmetry, 1, [kind]) for kind in ("scaling", "orthogonal"))
    both = scaled.then(turned, symmetry)
    assert (len(both.steps), len(turned.then(scaled, symmetry).steps)) == (2, 1)
    save_element(tmp_path / "e.safetensors", both, symmetry, {})
    again, same, _ = load_element(tmp_path / "e.safetensors")
    assert len(again.steps) == 2
    assert_alike(again.apply(same, weights), both.apply(symmetry, weights))


@pytest.mark.parametrize("name", ["Factored", "RmsByHand", "QkNorm"])
def test_signs_and_rotations_stay_one_step_however_many(name):
    symmetry, weights = found(name)
    whole, moved = Element(), weights
    for number in range(6):
        step = mixed_element(symmetry, number, ["signed", "permutation"] if number % 2 else ["orthogonal"])
        whole, moved = whole.then(step, symmetry), step.apply(symmetry, moved)
    assert len(whole.steps) == 1
    assert_alike(whole.apply(symmetry, weights), moved)


def test_copies_of_units_after_a_matrix_and_shares_before_one():
    symmetry, weights = found("Factored")
    (group,) = symmetry.groups
    turned = mixed_element(symmetry, 1, ["orthogonal"])
    order, shares = torch.tensor([*range(15), 14]), torch.linspace(0.1, 1, 16).double()
    split = Element({group: order}, shares={group: shares})
    for first, later in ((turned, split), (split, turned)):
        whole = first.then(later, symmetry)
        assert_alike(whole.apply(symmetry, weights), later.apply(symmetry, first.apply(symmetry, weights)))
    with pytest.raises(InputError, match="split or left out"):
        Element(shares={group: shares}).inverse(symmetry)
    with pytest.raises(InputError, match="split or left out"):
        Element({group: torch.arange(12)}).inverse(symmetry)


@pytest.mark.parametrize("name", ["RmsNormedLinears", "RmsByHand", "LayerNormedLinears", "TiedResidual", "Normalized"])
def test_signs_and_factors_before_a_rotation(name):
    symmetry, weights = found(name)
    for kinds in (["signed"], ["permutation", "scaling"], ["permutation", "signed", "scaling"]):
        a, b = element_of(symmetry, 1, kinds), element_of(symmetry, 2, ["orthogonal"])
        one, again = a.then(b, symmetry), b.then(a, symmetry)
        assert_alike(one.apply(symmetry, weights), b.apply(symmetry, a.apply(symmetry, weights)))
        assert_alike(again.apply(symmetry, weights), a.apply(symmetry, b.apply(symmetry, weights)))


@given(name=st.sampled_from(NAMES), seed=st.integers(0, 2**20), kinds=KINDS)
@settings(max_examples=40)
def test_how_they_are_bracketed_is_no_matter(name, seed, kinds):
    symmetry, weights = found(name)
    a, b, c = (element_of(symmetry, seed + n, kinds) for n in range(3))
    left = a.then(b, symmetry).then(c, symmetry)
    right = a.then(b.then(c, symmetry), symmetry)
    assert_alike(left.apply(symmetry, weights), right.apply(symmetry, weights))


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_done_by_nothing_and_what_was_given_is_left(name):
    symmetry, weights = found(name)
    before = {key: value.clone() for key, value in weights.items()}
    moved = Element().apply(symmetry, weights)
    assert all(moved[key] is weights[key] for key in weights)
    element_of(symmetry, 0, list(SymmetryClass)).apply(symmetry, weights)
    assert all(torch.equal(weights[key], before[key]) for key in weights)


def test_permutations_move_numbers_and_change_none():
    symmetry, weights = found("Relu")
    moved = element_of(symmetry, 0, [SymmetryClass.PERMUTATION]).apply(symmetry, weights)
    for name, value in weights.items():
        assert torch.equal(moved[name].flatten().sort().values, value.flatten().sort().values)
    assert not torch.equal(moved["a.weight"], weights["a.weight"])


def test_a_given_order_by_hand():
    symmetry, weights = found("Relu")
    (group,) = symmetry.groups
    order = torch.arange(16).roll(1)
    moved = Element(orders={group: order}).apply(symmetry, weights)
    assert torch.equal(moved["a.weight"], weights["a.weight"][order])
    assert torch.equal(moved["a.bias"], weights["a.bias"][order])
    assert torch.equal(moved["b.weight"], weights["b.weight"][:, order])
    assert moved["b.bias"] is weights["b.bias"]


def test_units_split_in_copies_are_shared_by_what_reads_them():
    symmetry, weights = found("Relu")
    (group,) = symmetry.groups
    order = torch.tensor([*range(15), 14])  # 14 twice, 15 is gone
    shares = torch.ones(16, dtype=torch.float64)
    shares[14], shares[15] = 0.25, 0.75
    weights = {**weights, "b.weight": weights["b.weight"].clone()}
    weights["b.weight"][:, 15] = 0
    element = Element(orders={group: order}, shares={group: shares})
    moved = element.apply(symmetry, weights)
    x = torch.randn(5, 8, dtype=torch.float64, generator=torch_generator("x"))

    def outputs(w):
        return torch.relu(x @ w["a.weight"].T + w["a.bias"]) @ w["b.weight"].T

    torch.testing.assert_close(outputs(moved), outputs(weights))
    with pytest.raises(InputError, match="split or left out"):
        element.inverse(symmetry)


@pytest.mark.parametrize("name", NAMES)
def test_elements_and_symmetries_are_read_back_as_they_were_written(name, tmp_path):
    symmetry, weights = found(name)
    element = element_of(symmetry, 3, list(SymmetryClass))
    save_element(tmp_path / "e.safetensors", element, symmetry, {"n": 1})
    again, same, record = load_element(tmp_path / "e.safetensors")
    assert record == {"n": 1}
    assert same.frame().equals(symmetry.frame())
    assert (dict(same.groups), dict(same.layouts)) == (dict(symmetry.groups), dict(symmetry.layouts))
    assert (same.scalings, same.signings) == (symmetry.scalings, symmetry.signings)
    for field in ("orders", "matrices", "scales", "signs", "shares"):
        before, after = getattr(element, field), getattr(again, field)
        assert before.keys() == after.keys()
        assert all(torch.equal(value, after[key]) for key, value in before.items())
    assert_alike(again.apply(same, weights), element.apply(symmetry, weights))


def test_alignments_are_read_back(tmp_path):
    symmetry, weights = found("OneByOne")
    alignment = Alignment(element_of(symmetry, 3, ["permutation"]), symmetry, "weights", 2.0, 1.0, {"objective": [1.0]})
    again = load_alignment(alignment.save(tmp_path / "a.safetensors"))
    assert (again.method, again.before, again.after, again.figures) == ("weights", 2.0, 1.0, {"objective": [1.0]})
    assert again.report().equals(alignment.report())
    assert all(torch.equal(again.apply(weights)[key], value) for key, value in alignment.apply(weights).items())


def test_files_of_other_origin_are_refused_in_one_line(tmp_path):
    save_weights(tmp_path / "w.safetensors", {"a": torch.zeros(2)})
    with pytest.raises(InputError, match="holds no alignment"):
        load_alignment(tmp_path / "w.safetensors")
    save_weights(tmp_path / "d.safetensors", {"a": torch.zeros(2)}, {"symmetry": {}, "element": {}})
    with pytest.raises(InputError, match="damaged"):
        load_alignment(tmp_path / "d.safetensors")
