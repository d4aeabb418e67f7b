"""All orders at once: value and gradient against loops of `Element`, and where the search ends."""

import itertools

import pytest
import torch

import gnnmc
from gnnmc.engine import ModelFunction
from gnnmc.models import build_model
from gnnmc.problem import Problem
from gnnmc.seeding import torch_generator
from gnnmc.symmetry import Element, SymmetryClass, random_element
from gnnmc.symmetry.find import read
from gnnmc.symmetry.matching.family import families
from gnnmc.symmetry.matching.joint import Joint
from gnnmc.weights import distance
from tests.symmetry.matching.planted import ResidualTanh, planted, same
from tests.symmetry.test_zoo import model_of
from tests.symmetry.zoo import problem_of

KINDS = [SymmetryClass.PERMUTATION, SymmetryClass.SIGNED]


def case(name, toy_problem):
    """A model, its problem, and the classes of it that are looked at."""
    if name == "signs":
        return ResidualTanh(), problem_of("nodes"), KINDS
    options = {
        "chain": ("gcn", {"layers": 4}),
        "residual": ("gcn", {"layers": 3, "residual": True, "head": "linear"}),
        "heads": ("gat", {"layers": 3, "heads": 4}),
        "transformer": ("transformer", {"layers": 2, "heads": 4}),
    }[name]
    return build_model(options[0], toy_problem, hidden=16, **options[1]), toy_problem, KINDS[:1]


def joint_of(model, problem, kinds, a, b):
    function = ModelFunction(model, problem)
    symmetry = read(function).symmetry.restricted(kinds)
    names = [name for name in function.parameter_names if name not in function.tied]
    return symmetry, names, Joint(symmetry, names, a, b, families(symmetry))


def weights(model, seed):
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(value.shape, generator=generator, dtype=torch.float64)
        for name, value in model.state_dict().items()
    }


NAMES = ["chain", "residual", "heads", "transformer", "signs"]


@pytest.mark.parametrize("name", NAMES)
def test_at_an_order_the_value_is_that_of_the_moved_weights(name, toy_problem):
    model, problem, kinds = case(name, toy_problem)
    a, b = weights(model, 0), weights(model, 1)
    symmetry, names, joint = joint_of(model, problem, kinds, a, b)

    def value(element):
        moved = element.apply(symmetry, b)
        return sum(float((a[one] * moved[one]).sum()) for one in names)

    elements = [random_element(symmetry, torch_generator("test", seed), kinds) for seed in range(2)]
    first, second = (joint.value(joint.matrices(one)) for one in elements)
    # What no family is on is in one of the two only.
    assert first - second == pytest.approx(value(elements[0]) - value(elements[1]), abs=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_is_that_of_small_steps(name, toy_problem):
    model, problem, kinds = case(name, toy_problem)
    a, b = weights(model, 0), weights(model, 1)
    _, _, joint = joint_of(model, problem, kinds, a, b)
    generator = torch.Generator().manual_seed(2)

    def near(at, step):
        return {key: at[key] + step * direction[key] for key in at}

    middle = joint.middle()
    at = {key: one.double() + 0.1 * torch.randn(one.shape, generator=generator).double() for key, one in middle.items()}
    direction = {key: torch.randn(one.shape, generator=generator).double() for key, one in at.items()}
    slope = sum(float((joint.gradient(at)[key] * direction[key]).sum()) for key in at)
    assert slope == pytest.approx((joint.value(near(at, 1e-4)) - joint.value(near(at, -1e-4))) / 2e-4, rel=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_the_middle_is_the_mean_of_all_orders(name, toy_problem):
    model, problem, kinds = case(name, toy_problem)
    a, b = weights(model, 0), weights(model, 1)
    symmetry, _, joint = joint_of(model, problem, kinds, a, b)
    draws = [random_element(symmetry, torch_generator("test", seed), kinds) for seed in range(600)]
    for key, middle in joint.middle().items():
        mean = torch.stack([joint.matrices(one)[key] for one in draws]).mean(0)
        assert float((mean - middle).abs().max()) < 0.2
        assert key[1] or torch.allclose(middle.sum(0), torch.ones(len(middle)))


@pytest.mark.parametrize("name", NAMES)
def test_each_step_goes_as_far_as_is_best(name, toy_problem):
    model, problem, kinds = case(name, toy_problem)
    # Two that have nothing to do with each other: along many lines the objective turns.
    _, _, joint = joint_of(model, problem, kinds, weights(model, 0), weights(model, 1))
    at = joint.middle()
    degree = max(len(block.faces) for block in joint._blocks)
    shares = []
    for _ in range(8):
        gradient = joint.gradient(at)
        vertex = joint.matrices(joint.best_of(gradient))
        toward = {key: vertex[key] - at[key] for key in at}
        slope = sum(float((gradient[key] * toward[key]).sum()) for key in at)
        share = joint._best_share(at, toward, joint.value(at), slope, degree)
        shares.append(share)
        line = [joint.value({key: at[key] + s * toward[key] for key in at}) for s in torch.linspace(0, 1, 41).tolist()]
        at = {key: at[key] + share * toward[key] for key in at}
        assert joint.value(at) >= max(line) - 1e-3 * abs(max(line))

    assert any(0 < share < 1 for share in shares)


@pytest.mark.parametrize("name", NAMES)
def test_what_was_planted_is_found_at_once(name, toy_problem):
    model, problem, kinds = case(name, toy_problem)
    a, b = planted(model, problem, [kind.value for kind in kinds])
    symmetry, _, joint = joint_of(model, problem, kinds, a, b)
    assert not joint.is_linear
    found = joint.ascend(joint.middle())
    assert same(a, found.apply(symmetry, b))


def test_it_does_not_depend_on_the_order_that_units_are_given_in(toy_graph_factory):
    problem = Problem.node_classification(toy_graph_factory())
    model = build_model("gcn", problem, hidden=16, layers=4, residual=True, head="linear")
    a, b = (dict(mode.weights) for mode in gnnmc.train(model, problem, seeds=[0, 1], epochs=30, device="cpu"))
    symmetry, names, joint = joint_of(model, problem, KINDS[:1], a, b)
    ends = [joint.ascend(joint.middle()).apply(symmetry, b)]
    for seed in range(3):
        shuffled = random_element(symmetry, torch_generator("test", seed), KINDS[:1]).apply(symmetry, b)
        _, _, again = joint_of(model, problem, KINDS[:1], a, shuffled)
        ends.append(again.ascend(again.middle()).apply(symmetry, shuffled))
    assert all(distance(one, other, names) < 1e-5 for one, other in itertools.pairwise(ends))


def test_where_no_weights_lie_between_two_groups_there_is_nothing_to_search(toy_problem):
    model = build_model("gcn", toy_problem, hidden=16, layers=2)
    _, _, joint = joint_of(model, toy_problem, KINDS[:1], weights(model, 0), weights(model, 1))
    assert joint.is_linear and joint.largest == 16


def test_groups_that_cross_inside_another_are_left_where_they_are():
    # Channels of a grouped convolution: two sets inside each group, on one tensor.
    model, problem = model_of("Grouped"), problem_of("images")
    symmetry, _, joint = joint_of(model, problem, KINDS[:1], weights(model, 0), weights(model, 1))
    assert families(symmetry) and joint.largest == 0
    assert not joint.best_of(joint.gradient(joint.middle())).orders
    assert joint.matrices(Element()) == {}
