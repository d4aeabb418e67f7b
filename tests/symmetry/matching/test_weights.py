"""Matching by weights finds what was planted, never lowers its objective, and changes nothing that it is given."""

import itertools

import pytest
import torch
from torch import nn

import gnnmc
from gnnmc.engine import ModelFunction
from gnnmc.models import MODELS, build_model
from gnnmc.problem import Problem
from gnnmc.seeding import torch_generator
from gnnmc.symmetry import SymmetryClass, align, find_symmetry
from gnnmc.symmetry.find import read
from gnnmc.symmetry.matching import ascent as matching
from gnnmc.symmetry.matching.ascent import Ascent
from gnnmc.symmetry.matching.folded import folded, without_gauges
from gnnmc.symmetry.matching.match import Match
from tests.symmetry.matching.planted import ResidualTanh, farthest, found, planted, same
from tests.symmetry.test_contract import problem_for
from tests.symmetry.test_zoo import model_of
from tests.symmetry.zoo import CASES, problem_of

ORDERS, ROTATIONS = ("permutation",), ("permutation", "orthogonal")
VARIANTS = {
    "gcn, all skips": ("gcn", {"residual": True, "jumping_knowledge": "cat", "norm": "layer"}),
    "gcn, max over layers": ("gcn", {"residual": True, "jumping_knowledge": "max", "norm": "batch"}),
    "gcn, LSTM over layers": ("gcn", {"jumping_knowledge": "lstm"}),
    "sage, residual": ("sage", {"residual": True}),
    "gat, residual": ("gat", {"residual": True, "heads": 4}),
    "gatv2, cat": ("gatv2", {"jumping_knowledge": "cat", "heads": 4}),
}
# Rotations are found to rounding; what is shifted behind a LayerNorm (β) is not compared, so it is left out here.
TURNING = ["RmsNormedLinears", "RmsByHand", "Normalized", "TiedResidual", "ChannelByChannel"]


def encoder():
    """torch's own, with heads in one tensor of queries, keys and values."""
    layer = nn.TransformerEncoderLayer(16, 4, 24, dropout=0.0, batch_first=True)
    body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    return nn.Sequential(nn.Unflatten(1, (1, 8)), nn.Linear(8, 16), body, nn.Flatten(), nn.Linear(16, 3))


def matched(model, problem, a, b, classes=ORDERS, **options):
    """What a method is given of one pair."""
    function = ModelFunction(model, problem)
    known = read(function)
    kinds = [SymmetryClass(one) for one in classes]
    counted = [name for name in function.parameter_names if name not in function.tied]
    pair = (function.load(a, "a"), function.load(b, "b"))
    return Match(known, known.symmetry.restricted(kinds), [pair], counted, **options)


def ascent_of(match, in_readers=False):
    """in_readers: with γ of the norms multiplied into what reads behind it."""
    symmetry, counted, (a, b) = match.symmetry, match.counted, match.pairs[0]
    if in_readers:
        (a, kept), (b, _) = (folded(symmetry, counted, one) for one in (a, b))
        symmetry, counted = without_gauges(symmetry), kept
    return Ascent(symmetry, counted, a, b, torch_generator("test"))


def objective(a, b, names):
    return sum(float((a[name].double() * b[name].double()).sum()) for name in names)


@pytest.mark.parametrize("name", MODELS)
def test_planted_orders_are_found_in_every_model_of_the_registry(toy_problem, name):
    problem = problem_for(name, toy_problem)
    options = {"heads": 4} if name in ("vit", "gpt") else {}
    a, b, moved = found(build_model(name, problem, hidden=16, layers=3, **options), problem)
    assert same(a, moved)
    assert name == "sgc" or not same(a, b)


@pytest.mark.parametrize("name", VARIANTS)
def test_planted_orders_are_found_through_skips_and_heads(toy_problem, name):
    base, options = VARIANTS[name]
    a, b, moved = found(build_model(base, toy_problem, hidden=16, layers=3, head="linear", **options), toy_problem)
    assert same(a, moved) and not same(a, b)


def test_planted_orders_are_found_in_torch_s_transformer():
    problem = problem_of("nodes")
    a, b, moved = found(encoder(), problem)
    assert same(a, moved) and not same(a, b)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("classes", [ORDERS, ("signed",), ("permutation", "signed")], ids=str)
def test_planted_orders_and_signs_are_found_in_users_models(name, classes):
    a, _, moved = found(model_of(name), problem_of(CASES[name][2]), classes, seed=0)
    assert same(a, moved)


@pytest.mark.parametrize("jointly", [0, 1024])
@pytest.mark.parametrize("seed", range(3))
def test_planted_signs_are_found_where_a_group_is_on_both_axes(seed, jointly, monkeypatch):
    monkeypatch.setattr(matching, "JOINTLY", jointly)
    model, problem = ResidualTanh(), problem_of("nodes")
    (group, *_) = find_symmetry(model, problem).moving("signed")
    assert any(axes == 2 for axes in _axes_on_one_tensor(model, problem, group.name))
    a, b, moved = found(model, problem, ("permutation", "signed"), seed)
    assert same(a, moved) and not same(a, b)


def _axes_on_one_tensor(model, problem, group):
    axes = find_symmetry(model, problem).axes(group)
    return [sum(name == one for name, _ in axes) for one, _ in axes]


@pytest.mark.parametrize("classes", [ROTATIONS, (*ROTATIONS, "signed")], ids=len)
@pytest.mark.parametrize("name", TURNING)
def test_planted_rotations_are_found(name, classes):
    a, b, moved = found(model_of(name), problem_of(CASES[name][2]), classes)
    assert farthest(a, b) > 0.1
    assert farthest(a, moved) < 1e-4


def test_planted_rotations_are_found_in_a_graph_transformer(toy_problem):
    model = build_model("transformer", toy_problem, hidden=16, layers=2, heads=4)
    assert find_symmetry(model, toy_problem).moving("orthogonal")
    a, b, moved = found(model, toy_problem, ROTATIONS)
    assert farthest(a, b) > 0.1
    assert farthest(a, moved) < 1e-4


@pytest.fixture(scope="module")
def trained(toy_graph_factory):
    """name → (model, problem, three modes)"""
    problem = Problem.node_classification(toy_graph_factory())
    models = {
        "residual": build_model("gcn", problem, hidden=16, layers=4, residual=True, head="linear"),
        "heads": build_model("gat", problem, hidden=16, layers=3, heads=4),
        "transformer": build_model("transformer", problem, hidden=16, layers=2, heads=4),
        "gcnii": build_model("gcnii", problem, hidden=16, layers=4),
    }
    return {
        name: (model, problem, gnnmc.train(model, problem, seeds=[0, 1, 2], epochs=30, device="cpu"))
        for name, model in models.items()
    }


NAMES = ["residual", "heads", "transformer", "gcnii"]


@pytest.mark.parametrize("in_readers", [False, True])
@pytest.mark.parametrize("classes", [ORDERS, ROTATIONS, tuple(SymmetryClass)], ids=len)
@pytest.mark.parametrize("name", NAMES)
def test_no_step_lowers_the_objective(trained, name, classes, in_readers, monkeypatch):
    model, problem, (a, b, _) = trained[name]
    match = matched(model, problem, a.weights, b.weights, classes)
    seen = []
    accept = Ascent._accept

    def watched(self, *step):
        accept(self, *step)
        # The weights as they are now, and as the element makes them of those given.
        seen.append((self._symmetry, dict(self._moved), self.element, self.value))

    monkeypatch.setattr(Ascent, "_accept", watched)
    ascent = ascent_of(match, in_readers)
    start = ascent.value
    given, aim = dict(ascent._moved), ascent._a
    ascent.run()
    assert seen
    values = [start]
    for symmetry, moved, element, value in seen:
        distance = sum(float((aim[one].double() - moved[one].double()).square().sum()) for one in ascent._counted)
        values.append(-distance / 2)
        assert value == pytest.approx(values[-1], rel=1e-9)
        again = element.apply(symmetry, given)
        assert all(torch.allclose(again[one], moved[one], rtol=1e-4, atol=1e-5) for one in moved)
    assert all(later > earlier for earlier, later in itertools.pairwise(values))


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_a_single_group_could_do_is_left(trained, name):
    model, problem, (a, b, _) = trained[name]
    match = matched(model, problem, a.weights, b.weights)
    ascent = ascent_of(match)
    ascent.run()
    assert not any(ascent._raise(family) for family in ascent._families)


@pytest.mark.parametrize("name", NAMES)
def test_more_restarts_never_end_lower(trained, name):
    model, problem, (a, b, _) = trained[name]
    ends = [align(model, problem, a, b, restarts=count).after for count in (1, 2, 4)]
    assert ends[0] >= ends[1] >= ends[2]


def test_where_the_search_for_all_orders_leads_astray_it_ends_no_lower_than_b_is(trained, monkeypatch):
    model, problem, (a, b, _) = trained["transformer"]
    b = align(model, problem, a, b, restarts=8).apply(b)
    drawn = torch.Generator().manual_seed(0)
    astray = []

    def anywhere(joint, at):
        astray.append(joint.best_of({key: torch.rand(value.shape, generator=drawn) for key, value in at.items()}))
        return astray[-1]

    monkeypatch.setattr(matching.Joint, "ascend", anywhere)
    alignment = align(model, problem, a, b)
    assert astray and alignment.after <= alignment.before
    assert alignment.share_moved == 0


@pytest.mark.parametrize("name", NAMES)
def test_the_distance_falls_by_what_the_inner_product_gains(trained, name):
    model, problem, (a, b, _) = trained[name]
    alignment = align(model, problem, a, b)
    names = [one for one, _ in model.named_parameters()]
    gain = objective(a.weights, alignment.apply(b).weights, names) - objective(a.weights, b.weights, names)
    assert gain > 0
    assert alignment.before**2 - alignment.after**2 == pytest.approx(2 * gain, rel=1e-6)


def test_one_group_on_no_tensor_twice_is_solved_once(toy_problem, monkeypatch):
    # Its best order depends on nothing else: neither more starts nor a second round are of any use.
    asked = []
    best = matching.best_element
    monkeypatch.setattr(matching, "best_element", lambda *given: asked.append(given) or best(*given))
    model = build_model("gcn", toy_problem, hidden=16, layers=2)
    a, b = (mode.weights for mode in gnnmc.train(model, toy_problem, seeds=[0, 1], epochs=5, device="cpu"))
    align(model, toy_problem, a, b, restarts=5)
    assert len(asked) == 1


def test_a_group_is_looked_at_again_only_where_something_was_moved(toy_problem, monkeypatch):
    raised = []
    once = Ascent._raise
    monkeypatch.setattr(Ascent, "_raise", lambda self, family: raised.append(family.top.name) or once(self, family))
    model = build_model("gcn", toy_problem, hidden=16, layers=3)
    a, b = planted(model, toy_problem)
    match = matched(model, toy_problem, a, b)
    ascent = ascent_of(match)
    ascent.run()
    assert ascent.is_best
    # There are two, in an order drawn anew for each round: neither follows upon itself.
    assert len(raised) > 2 and all(one != other for one, other in itertools.pairwise(raised))


def test_more_restarts_are_not_made_of_what_cannot_be_better(toy_problem, monkeypatch):
    starts = []
    make = Ascent.__init__
    monkeypatch.setattr(Ascent, "__init__", lambda self, *given: starts.append(given) or make(self, *given))
    model = build_model("gcn", toy_problem, hidden=16, layers=4, residual=True, head="linear")
    a, b = planted(model, toy_problem)
    assert align(model, toy_problem, a, b, restarts=50).after == 0
    assert len(starts) < 10
