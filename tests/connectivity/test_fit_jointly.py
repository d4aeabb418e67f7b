"""Curves fitted together: each is the curve that it would be alone."""

import logging

import pytest
import torch
from torch import nn

import gnnmc
from gnnmc.models import MODELS
from gnnmc.weights import digest


@pytest.fixture
def refusals(caplog):
    """Why curves were not fitted together, where they were not."""
    caplog.set_level(logging.DEBUG, logger="gnnmc")
    return lambda: [record.message for record in caplog.records if "one fit after another" in record.message]


def ends_of(model, problem, count=3, **options):
    modes = gnnmc.train(model, problem, seeds=range(count), epochs=4, device="cpu", **options)
    return [(modes[0], modes[1]), (modes[1], modes[2]), (modes[2], modes[0])]


def both(model, problem, pairs, **options):
    how = {"steps": 6, "device": "cpu"} | options
    return [gnnmc.fit_paths(model, problem, pairs, engine=engine, **how) for engine in ("loop", "stacked")]


def assert_close(alone, together, tolerance):
    for a, b in zip(alone, together, strict=True):
        assert a.record["loss"] == pytest.approx(b.record["loss"], rel=tolerance, abs=tolerance)
        assert {**a.record, "loss": None} == {**b.record, "loss": None}
        for one, other in zip(a.control_points, b.control_points, strict=True):
            assert list(one) == list(other)
            for name, value in one.items():
                torch.testing.assert_close(other[name], value, rtol=tolerance, atol=tolerance)


def in_double(graph):
    doubled = graph.clone()
    doubled.x = graph.x.double()
    return gnnmc.Problem.node_classification(doubled)


@pytest.mark.parametrize("name", [name for name in MODELS if MODELS[name].needs not in ("images", "text")])
def test_every_model_of_the_registry(toy_graph, name, refusals):
    problem = in_double(toy_graph)
    model = gnnmc.build_model(name, problem).double()
    # Adam divides by the size of a gradient, and what is nearly 0 is made of rounding errors.
    assert_close(*both(model, problem, ends_of(model, problem), optimizer="sgd"), 1e-9)
    assert not refusals()


HOW = [
    {"kind": "polygonal", "points": 4},
    {"points": 2},
    {"optimizer": "sgd", "momentum": 0.3, "schedule": "cosine"},
    {"batch_size": 12},
    {"dropout": False},
    {"l2": 0.0},
    {"l2": 0.3},
    {"seed": 5},
]


@pytest.mark.parametrize("how", HOW, ids=str)
def test_every_way_of_fitting(toy_graph, how, refusals):
    problem = in_double(toy_graph)
    model = gnnmc.build_model("gcn", problem, norm="batch").double()
    assert_close(*both(model, problem, ends_of(model, problem), **how), 1e-6)
    assert not refusals()


class _Scale(nn.Linear):
    """A weight without axes."""

    def __init__(self):
        super().__init__(8, 3, dtype=torch.float64)
        self.scale = nn.Parameter(torch.tensor(1.5, dtype=torch.float64))

    def forward(self, x):
        return super().forward(x) * self.scale


@pytest.mark.parametrize("l2", [0.3, 5e-4])
def test_l2_in_double_of_every_weight(toy_graph, l2, refusals):
    problem, model = in_double(toy_graph), lambda: _Scale()
    found = both(model, problem, ends_of(model, problem), l2=l2, optimizer="sgd", lr=0.1, steps=20)
    assert_close(*found, 1e-12)
    assert not refusals()


class _Detour(nn.Linear):
    """Reads a number of its output in a way that no recording sees."""

    def forward(self, x):
        out = super().forward(x)
        return out / float(out.detach().numpy().std())


@pytest.mark.parametrize("count", [1, 2])
def test_what_no_recording_sees_is_fitted_in_turn(toy_problem, count, refusals):
    model = _Detour(8, 3)
    assert_close(*both(model, toy_problem, ends_of(model, toy_problem)[:count]), 1e-6)
    assert refusals()


def test_one_pair_is_as_among_others_and_ends_stay(toy_problem):
    model = gnnmc.build_model("gcn", toy_problem)
    pairs = ends_of(model, toy_problem)
    before = [digest(mode.weights) for pair in pairs for mode in pair]
    several = gnnmc.fit_paths(model, toy_problem, pairs, steps=5, device="cpu")
    alone = [gnnmc.fit_path(model, toy_problem, *pair, steps=5, device="cpu") for pair in pairs]
    assert_close(alone, several, 1e-5)
    assert [digest(mode.weights) for pair in pairs for mode in pair] == before
    for (a, b), path in zip(pairs, several, strict=True):
        assert [digest(end) for end in path.ends] == [digest(a.weights), digest(b.weights)]


def test_every_pair_has_the_weight_decay_of_its_ends(toy_problem):
    model = gnnmc.build_model("mlp", toy_problem)
    weak, strong = ends_of(model, toy_problem), ends_of(model, toy_problem, weight_decay=0.1)
    alone, together = both(model, toy_problem, [weak[0], strong[0]])
    assert [path.record["l2"] for path in together] == [5e-4, 0.1]
    assert_close(alone, together, 1e-4)


def test_a_curve_that_diverges_leaves_the_others_alone(toy_problem, refusals):
    model = nn.Linear(8, 3)
    generator = torch.Generator().manual_seed(0)
    shapes = {name: value.shape for name, value in model.state_dict().items()}
    sound = [{n: torch.randn(shape, generator=generator).clamp(-3, 3) for n, shape in shapes.items()} for _ in range(2)]
    huge = [{name: value * 1e38 for name, value in end.items()} for end in sound]
    alone, together = both(model, toy_problem, [tuple(sound), tuple(huge)])
    assert [path.record["status"] for path in together] == [path.record["status"] for path in alone]
    assert [path.record["status"] == "ok" for path in together] == [True, False]
    assert_close(alone[:1], together[:1], 1e-5)
    assert not refusals()


class _Idle(nn.Module):
    """Has a layer that nothing reaches, and may count its forwards."""

    def __init__(self, counts):
        super().__init__()
        self.map, self.idle = nn.Linear(8, 3), nn.Linear(2, 2)
        self.counts, self.calls = counts, 0

    def forward(self, x):
        self.calls += self.counts and self.training
        return self.map(x) / (1 + self.calls)


def test_what_no_loss_reaches_decays_too(toy_problem, refusals):
    model = _Idle(counts=False)
    pairs = ends_of(model, toy_problem)
    alone, together = both(model, toy_problem, pairs, l2=0.5)
    assert_close(alone, together, 1e-5)
    without, _ = both(model, toy_problem, pairs, l2=0.0)
    assert float(alone[0].control_points[1]["idle.weight"].abs().sum()) < float(
        without[0].control_points[1]["idle.weight"].abs().sum()
    )
    assert not refusals()


@pytest.mark.parametrize("engine", ["loop", "stacked"])
def test_every_fit_begins_with_the_model_as_it_was_given(toy_problem, engine):
    model = _Idle(counts=True)
    pairs = ends_of(model, toy_problem)
    several = gnnmc.fit_paths(model, toy_problem, pairs, steps=5, device="cpu", engine=engine)
    alone = [gnnmc.fit_path(model, toy_problem, *pair, steps=5, device="cpu", engine="loop") for pair in pairs]
    assert [digest(path.control_points[1]) for path in several] == [digest(path.control_points[1]) for path in alone]


def test_a_tied_weight_stays_tied(toy_problem, refusals):
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second, self.last = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 3)
            self.second.weight = self.first.weight

        def forward(self, x):
            return self.last(self.second(self.first(x).relu()).relu())

    model = Tied()
    alone, together = both(model, toy_problem, ends_of(model, toy_problem))
    assert_close(alone, together, 1e-4)
    point = together[0].control_points[1]
    assert torch.equal(point["first.weight"], point["second.weight"])
    assert not refusals()


def test_no_pairs_no_paths(toy_problem):
    assert gnnmc.fit_paths(gnnmc.build_model("mlp", toy_problem), toy_problem, []) == []
