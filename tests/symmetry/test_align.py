"""What `align` and an Alignment promise, whatever is asked."""

import copy
import dataclasses

import pytest
import torch
from torch import nn

import gnnmc
from gnnmc.errors import InputError
from gnnmc.models import build_model
from gnnmc.symmetry import METHODS, Element, SymmetryClass, align, align_many
from gnnmc.weights import Mode, clone, distance
from tests.symmetry.matching.planted import planted, same
from tests.symmetry.zoo import problem_of


@pytest.fixture(scope="module")
def case(toy_graph_factory):
    """A residual model, whose matching draws random numbers, and three modes."""
    problem = gnnmc.Problem.node_classification(toy_graph_factory())
    model = build_model("gcn", problem, hidden=16, layers=3, residual=True, head="linear")
    return model, problem, gnnmc.train(model, problem, seeds=[0, 1, 2], epochs=20, device="cpu")


def test_several_pairs_are_what_each_is_alone(case):
    model, problem, (a, b, c) = case
    pairs = [(a, b), (b, c), (c, a)]
    together = align_many(model, problem, pairs, restarts=2, seed=3)
    for (first, second), one in zip(pairs, together, strict=True):
        alone = align(model, problem, first, second, restarts=2, seed=3)
        assert same(one.apply(second).weights, alone.apply(second).weights)
        assert (one.before, one.after) == (alone.before, alone.after)


def test_a_seed_repeats(case):
    model, problem, (a, b, _) = case
    first, again = (align(model, problem, a, b, seed=5, restarts=2).apply(b) for _ in range(2))
    assert same(first.weights, again.weights)


def test_nothing_that_was_given_is_changed(case):
    model, problem, (a, b, _) = case
    before = [clone(a.weights), clone(b.weights), clone(model.state_dict())]
    state = torch.random.get_rng_state()
    align(model, problem, a, b, restarts=2).apply(b)
    assert same(before[0], a.weights) and same(before[1], b.weights) and same(before[2], model.state_dict())
    assert torch.equal(state, torch.random.get_rng_state())


def test_a_mode_is_moved_with_both_its_endpoints_and_weights_as_weights(case):
    model, problem, (a, b, _) = case
    alignment = align(model, problem, a, b)
    mode, weights = alignment.apply(b), alignment.apply(b.weights)
    assert isinstance(mode, Mode) and isinstance(weights, dict)
    assert same(mode.last, weights) and not same(mode.last, b.last)
    assert mode.best and same(mode.best, alignment.apply(b.best))
    assert (mode.seed, mode.log.equals(b.log)) == (b.seed, True)
    assert torch.allclose(problem.outputs(_at(model, b.best)), problem.outputs(_at(model, mode.best)), atol=1e-4)


def _at(model, weights):
    moved = copy.deepcopy(model).eval()
    moved.load_state_dict(weights)
    return moved


def test_before_and_after_are_distances(case):
    model, problem, (a, b, _) = case
    alignment = align(model, problem, a, b)
    names = [name for name, _ in model.named_parameters()]
    assert alignment.before == pytest.approx(distance(a.weights, b.weights, names))
    assert alignment.after == pytest.approx(distance(a.weights, alignment.apply(b).weights, names))
    assert alignment.after < alignment.before


def test_the_report_counts_what_stands_elsewhere(case):
    model, problem, _ = case
    a, b = planted(model, problem)
    alignment = align(model, problem, a, b)
    report = alignment.report()
    assert list(report.columns) == ["group", "units", "copies", "moved", "class"]
    assert set(report.group) == {group.name for group in alignment.symmetry.moving()}
    for row in report.itertuples():
        order = alignment.element.orders[row.group]
        assert row.moved == pytest.approx(float((order != torch.arange(row.units)).double().mean()))
    assert alignment.share_moved == pytest.approx((report.moved * report.units).sum() / report.units.sum())
    still = align(model, problem, a, a)
    assert still.share_moved == 0 and (still.report()["class"] == "none").all()


def test_classes_restrict_what_is_done(toy_problem):
    model = build_model("transformer", toy_problem, hidden=16, layers=2, heads=4)
    a, b = planted(model, toy_problem, ("permutation", "orthogonal"))
    orders, turned = (align(model, toy_problem, a, b, classes=kinds) for kinds in (None, ["permutation", "orthogonal"]))
    assert not orders.element.matrices and turned.element.matrices
    assert turned.after < 1e-3 < orders.after
    nothing = align(model, toy_problem, a, b, classes=[])
    assert nothing.before == nothing.after and same(nothing.apply(b), b)


def test_what_was_never_used_by_either_end_does_not_count(case):
    model, problem, (a, b, _) = case
    name = next(one for one in a.weights if a.weights[one].dim() == 2)
    odd = dataclasses.replace(b, unused=[name])
    names = [one for one, _ in model.named_parameters() if one != name]
    alignment = align(model, problem, a, odd)
    assert alignment.before == pytest.approx(distance(a.weights, b.weights, names))
    assert alignment.after < alignment.before
    # It moves all the same: what is moved is the model.
    assert torch.allclose(
        problem.outputs(_at(model, b.weights)), problem.outputs(_at(model, alignment.apply(odd).weights)), atol=1e-4
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "wieghts"}, ["unknown matching method", "'weights'"]),
        ({"restarts": 0}, ["restarts=0", "at least 1"]),
        ({"restarts": 1.5}, ["restarts=1.5", "whole number"]),
        ({"seed": "a"}, ["seed='a'", "whole number"]),
        ({"method": "ste", "batch": 0}, ["batch=0", "at least 1"]),
        ({"method": "learned", "batch": 2.5}, ["batch=2.5", "whole number"]),
        ({"method": "activations", "items": 0}, ["items=0", "at least 1"]),
        ({"method": "semi", "stat": None}, ["unknown option", "'start'"]),
        ({"classes": ["permutations"]}, ["unknown symmetry class", "'permutation'"]),
        ({"temperature": 1.0}, ["no option 'temperature'"]),
    ],
)
def test_wrong_words_are_told_in_one_line(case, options, words):
    model, problem, (a, b, _) = case
    with pytest.raises(InputError) as told:
        align(model, problem, a, b, **options)
    assert "\n" not in str(told.value)
    assert all(word in str(told.value) for word in words), told.value


def test_weights_of_another_model_are_told_in_one_line(case):
    model, problem, (a, b, _) = case
    other = build_model("gcn", problem, hidden=8, layers=3, residual=True, head="linear")
    with pytest.raises(InputError) as told:
        align(model, problem, a, other.state_dict())
    assert "\n" not in str(told.value)
    with pytest.raises(InputError, match="made for"):
        align(model, problem, a, b).apply(other.state_dict())


def test_a_model_without_symmetry_stays():
    model, problem = nn.Linear(8, 3), problem_of("nodes")
    a, b = (clone(nn.Linear(8, 3).state_dict()) for _ in range(2))
    alignment = align(model, problem, a, b)
    assert alignment.before == alignment.after > 0 and alignment.share_moved == 0


@pytest.mark.parametrize(
    ("method", "kind", "words"),
    [
        ("weights", "semi", ["it uses permutation, signed, scaling, orthogonal, invertible", "semi is used by semi"]),
        (
            "activations",
            "orthogonal",
            ["it uses permutation, signed;", "is used by learned, semi, ste, weights"],
        ),
        ("sinkhorn", "signed", ["it uses permutation;", "signed is used by", "ste"]),
    ],
)
def test_a_class_that_a_method_cannot_use_is_told_with_those_that_can(case, method, kind, words):
    model, problem, (a, b, _) = case
    with pytest.raises(InputError) as told:
        align(model, problem, a, b, method=method, classes=["permutation", kind])
    assert "\n" not in str(told.value)
    assert all(word in str(told.value) for word in [f"method {method!r} cannot use class {kind!r}", *words]), told.value


def test_what_a_method_starts_from_may_use_its_own_classes():
    assert "orthogonal" in METHODS["sinkhorn"].usable({"start": "weights"})
    assert METHODS["semi"].usable({"start": None}) == {"semi"}
    assert METHODS["learned"].usable({"start": Element()}) == set(SymmetryClass)


def test_a_single_name_is_one_class_and_one_that_the_model_lacks_is_no_error(case):
    model, problem, (a, b, _) = case
    one, same_one = (align(model, problem, a, b, classes=kinds) for kinds in ("permutation", ["permutation"]))
    assert same(one.apply(b).weights, same_one.apply(b).weights) and one.share_moved > 0
    assert align(model, problem, a, b, classes="orthogonal").share_moved == 0


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_told_with_mode_and_tensor(case, value):
    model, problem, (a, b, c) = case
    name = next(iter(b.weights))
    broken = clone(b.weights)
    broken[name].view(-1)[0] = value
    for method in METHODS:
        with pytest.raises(InputError, match=rf"^b is not finite: '{name}' holds NaN or infinity"):
            align(model, problem, a, broken, method=method)
    with pytest.raises(InputError, match=rf"^a of pair 1 is not finite: '{name}'"):
        align_many(model, problem, [(a, b), (broken, c)])


@pytest.mark.parametrize("method", METHODS)
def test_every_method_tells_what_it_lowered(case, method):
    model, problem, (a, b, _) = case
    options = {"steps": 3} if method in ("ste", "sinkhorn", "learned") else {}
    found = align(model, problem, a, b, method=method, **options)
    before, after = found.figures["objective_before"], found.figures["objective_after"]
    assert after < before
    if method in ("weights", "semi"):
        assert (before, after) == pytest.approx((found.before**2, found.after**2))
    still = align(model, problem, a, a, method=method, **options).figures
    assert still["objective_after"] == pytest.approx(still["objective_before"], abs=1e-6)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (lambda known: known.restricted(["permute"]), ["'permute'", "permutation"]),
        (lambda known: known.moving("permute"), ["'permute'", "permutation"]),
        (lambda known: known.shape("nowhere"), ["'nowhere'", "allowed"]),
    ],
)
def test_a_symmetry_names_what_it_does_not_know(toy_problem, asked, words):
    known = gnnmc.find_symmetry(build_model("gcn", toy_problem), toy_problem)
    with pytest.raises(InputError) as raised:
        asked(known)
    assert all(word in str(raised.value) for word in words)


def test_pairs_that_are_none_are_refused(case):
    model, problem, (a, b, _) = case
    with pytest.raises(InputError, match=r"pair 0 is Mode: give pairs \(a, b\)"):
        align_many(model, problem, [a, b])
    with pytest.raises(InputError, match="pair 0 is 3 entries"):
        align_many(model, problem, [(a, b, a)])
