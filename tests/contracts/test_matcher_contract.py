"""What every way of matching keeps, whatever it looks at: outputs, what it was given, repetition."""

import pytest
import torch
from torch import nn

import gnnmc
from gnnmc.engine import ModelFunction
from gnnmc.symmetry import METHODS, align_many
from tests.symmetry.zoo import CASES, problem_of

# Few steps: what is asked of here does not depend on how far a method gets.
OPTIONS = {"ste": {"steps": 3}, "sinkhorn": {"steps": 3}, "learned": {"steps": 3}}
ON_GRAPHS = ["gcn", "gat", "transformer"]


def made(name, problem):
    return gnnmc.build_model(name, problem, hidden=8, layers=2, **({"heads": 2} if name != "gcn" else {}))


def points(function, count):
    """Weights near the model's own, as different runs would give them."""
    found = []
    for seed in range(count):
        generator = torch.Generator().manual_seed(seed)
        found.append(
            {
                name: value + 0.3 * torch.randn(value.shape, generator=generator)
                if value.is_floating_point() and name in function.parameter_names
                else value.clone()
                for name, value in function.reference.items()
            }
        )
    return found


@pytest.mark.parametrize("name", ON_GRAPHS)
@pytest.mark.parametrize("method", METHODS.names())
class TestMatcher:
    def test_the_moved_mode_computes_what_it_did(self, toy_problem, method, name):
        model = made(name, toy_problem)
        function = ModelFunction(model, toy_problem)
        a, b = points(function, 2)
        (found,) = align_many(model, toy_problem, [(a, b)], method=method, **OPTIONS.get(method, {}))
        before, after = function(b), function(found.apply(b))
        torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4 * float(before.abs().max()))

    def test_what_was_given_is_left_alone(self, toy_problem, method, name):
        model = made(name, toy_problem)
        a, b = points(ModelFunction(model, toy_problem), 2)
        kept = [{key: value.clone() for key, value in one.items()} for one in (a, b, model.state_dict())]
        align_many(model, toy_problem, [(a, b)], method=method, **OPTIONS.get(method, {}))[0].apply(b)
        for one, before in zip((a, b, model.state_dict()), kept, strict=True):
            assert all(torch.equal(value, before[key]) for key, value in one.items())

    def test_it_repeats_and_pairs_do_not_meet(self, toy_problem, method, name):
        model = made(name, toy_problem)
        a, b, c = points(ModelFunction(model, toy_problem), 3)
        options = OPTIONS.get(method, {})
        together = align_many(model, toy_problem, [(a, b), (a, c)], method=method, **options)
        again = align_many(model, toy_problem, [(a, b), (a, c)], method=method, **options)
        for one, other in zip(together, again, strict=True):
            assert all(torch.equal(value, other.apply(b)[key]) for key, value in one.apply(b).items())
        alone = align_many(model, toy_problem, [(a, c)], method=method, **options)[0]
        assert alone.after == pytest.approx(together[1].after, rel=1e-3)


@pytest.mark.parametrize("name", CASES)
def test_every_class_of_a_users_model_keeps_its_outputs(name):
    make, _, of = CASES[name]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model: nn.Module = make()
    problem = problem_of(of)
    function = ModelFunction(model, problem)
    a, b = points(function, 2)
    found = align_many(model, problem, [(a, b)], classes=METHODS["weights"].classes)[0]
    with torch.random.fork_rng():
        torch.manual_seed(1)
        before = function(b)
        torch.manual_seed(1)
        after = function(found.apply(b))
    torch.testing.assert_close(after, before, rtol=1e-3, atol=1e-3 * float(before.abs().max()))
    assert found.after <= found.before * (1 + 1e-6)
