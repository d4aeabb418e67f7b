"""Modes trained together: each is the mode that it would be alone."""

import logging
import random

import numpy as np
import pytest
import torch
from torch import nn
from torch_geometric.nn import GAT, GCN, GIN, GraphSAGE

import gnnmc
from gnnmc.engine import Together, budget
from gnnmc.models import MODELS
from gnnmc.weights import digest

SEEDS = [3, 1, 7]


def in_double(graph):
    doubled = graph.clone()
    doubled.x = graph.x.double()
    return gnnmc.Problem.node_classification(doubled)


def both(model, problem, **options):
    """The modes of both engines, and whether the seeds were really trained together."""
    how = {"seeds": SEEDS, "epochs": 6, "device": "cpu"} | options
    return [gnnmc.train(model, problem, engine=engine, **how) for engine in ("loop", "stacked")]


def assert_close(alone, together, tolerance):
    for a, b in zip(alone, together, strict=True):
        assert (a.seed, a.init_digest, a.unused, a.status) == (b.seed, b.init_digest, b.unused, b.status)
        for name, value in a.last.items():
            torch.testing.assert_close(b.last[name], value, rtol=tolerance, atol=tolerance)
            assert b.last[name].shape == value.shape and list(b.last) == list(a.last)
        torch.testing.assert_close(
            torch.tensor(b.log.to_numpy()), torch.tensor(a.log.to_numpy()), rtol=tolerance, atol=tolerance
        )
        assert list(a.log) == list(b.log)
        assert (a.metrics.epoch == b.metrics.epoch).all()


@pytest.fixture
def refusals(caplog):
    """Why seeds were not trained together, where they were not."""
    caplog.set_level(logging.DEBUG, logger="gnnmc")
    return lambda: [record.message for record in caplog.records if "one training after another" in record.message]


@pytest.mark.parametrize("norm", ["none", "layer", "batch"])
@pytest.mark.parametrize("name", list(MODELS))
def test_every_model_of_the_registry(toy_graph, name, norm, refusals):
    problem = in_double(toy_graph)
    try:
        model = gnnmc.build_model(name, problem, norm=norm).double()
    except gnnmc.InputError as error:
        pytest.skip(str(error))
    # Without weight decay and Adam's division by the size of a gradient that is made of rounding errors: a bias before
    # BatchNorm has no other.
    assert_close(*both(model, problem, optimizer="sgd", lr=0.1), 1e-9)
    assert not refusals()


@pytest.mark.parametrize("layers", [GCN, GraphSAGE, GIN, GAT])
def test_layers_as_users_write_them(toy_problem, layers, refusals):
    model = layers(toy_problem.num_features, 8, 2, toy_problem.num_outputs, dropout=0.5)
    assert_close(*both(model, toy_problem), 1e-4)
    assert not refusals()


HOW = [
    {"optimizer": "adamw"},
    {"optimizer": "sgd", "momentum": 0.5, "schedule": "cosine", "warmup": 0.2},
    {"batch_size": 12},
    {"evaluate_every": 4},
    {"vary": "init", "shared_seed": 9},
    {"vary": "data_order", "shared_seed": 9},
    {"vary": "data_order", "batch_size": 12},
    {"vary": "spawn", "spawn_step": 2},
    {"vary": "spawn", "spawn_step": 4, "batch_size": 12, "optimizer": "sgd"},
    {"vary": "spawn", "spawn_step": 5, "batch_size": 12},
]


@pytest.mark.parametrize("how", HOW, ids=str)
def test_every_way_of_training(toy_graph, how, refusals):
    problem = in_double(toy_graph)
    model = gnnmc.build_model("gcn", problem, norm="layer").double()
    assert_close(*both(model, problem, **how), 1e-9)
    assert not refusals()


def test_images_and_rows(refusals):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(60, 1, 8, 8, generator=generator, dtype=torch.float64)
    splits = {"train": torch.arange(30), "test": torch.arange(30, 60)}
    problem = gnnmc.Problem.arrays(x, torch.arange(60) % 3, splits, chunk=32)
    for name in ("vgg", "mlp", "resnet"):
        assert not refusals()
        model = gnnmc.build_model(name, problem, hidden=4, layers=2).double()
        assert_close(*both(model, problem, epochs=3, optimizer="sgd"), 1e-9)
    (refusal,) = refusals()  # it would take longer
    assert "BatchNorm between convolutions" in refusal


class _Detour(nn.Linear):
    """Reads a number of its output in a way that no recording sees, in training, in evaluation, or in both."""

    def __init__(self, when):
        super().__init__(8, 3)
        self.when = when

    def forward(self, x):
        out = super().forward(x)
        return out / float(out.detach().numpy().std()) if self.training in self.when else out


@pytest.mark.parametrize("when", [(True,), (False,), (True, False)])
@pytest.mark.parametrize("seeds", [[3], [3, 1]])
def test_what_no_recording_sees_is_trained_in_turn(toy_problem, when, seeds, refusals):
    assert_close(*both(_Detour(when), toy_problem, seeds=seeds), 1e-6)
    assert refusals()


def test_a_user_s_own_objective(refusals):
    x = torch.randn(30, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    problem = gnnmc.Problem.custom(x, lambda outputs, targets: (outputs - targets).square().mean())
    model = nn.Sequential(nn.Linear(4, 2), nn.Tanh(), nn.Linear(2, 4)).double()
    assert_close(*both(model, problem), 1e-9)
    assert not refusals()


class _Tied(nn.Module):
    """Two layers that share a weight, one that is frozen, and one that nothing reaches."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(8, 8), nn.Linear(8, 8)
        self.second.weight = self.first.weight
        self.last, self.idle = nn.Linear(8, 3), nn.Linear(2, 2)
        self.last.bias.requires_grad_(False)

    def forward(self, x):
        return self.last(torch.relu(self.second(self.first(x).relu())))


def test_tied_frozen_and_unused_weights(toy_problem, refusals):
    alone, together = both(_Tied(), toy_problem)
    assert_close(alone, together, 1e-4)
    assert together[0].unused == ["last.bias", "idle.weight", "idle.bias"]
    assert not refusals()


class _Embedded(nn.Module):
    """A vector for every node, most of which no loss on the train split reaches."""

    def __init__(self, nodes):
        super().__init__()
        self.vectors, self.last = nn.Embedding(nodes, 4), nn.Linear(12, 3)

    def forward(self, x):
        return self.last(torch.cat([x, self.vectors.weight], dim=1))


def test_weights_that_no_training_node_reaches_decay_all_the_same(toy_problem, refusals):
    alone, together = both(_Embedded(90), toy_problem, weight_decay=0.1)
    assert_close(alone, together, 1e-4)
    assert not refusals()


class _Odd(nn.Module):
    def __init__(self, act):
        super().__init__()
        self.map, self.act = nn.Linear(8, 3), act

    def forward(self, x):
        return self.act(self.map(x))


class _Rounded(torch.autograd.Function):
    """Rounds forward, and passes gradients as they are."""

    @staticmethod
    def forward(ctx, x):
        return x.round()

    @staticmethod
    def backward(ctx, gradient):
        return gradient


class _Large(torch.autograd.Function):
    """Lets large gradients not through, which no gradient at the start is."""

    @staticmethod
    def forward(ctx, x):
        return x * 1

    @staticmethod
    def backward(ctx, gradient):
        return gradient.clamp(-5, 5)


REFUSED = {
    "a branch": lambda x: x.relu() if x.sum() > 0 else -x,
    "a backward of its own": lambda x: x + _Rounded.apply(x),
    "a backward of its own, as torch's at the start": lambda x: _Large.apply(x),
    "a branch that nothing takes at the start": lambda x: x if x.abs().max().tolist() < 1e4 else x * 0,
    "a branch of numpy": lambda x: x if np.asarray(x.detach()).max() < 1e4 else x * 0,
    "numpy": lambda x: x + torch.from_numpy(x.detach().numpy() ** 2),
    "a law that depends on the weights": lambda x: x * torch.bernoulli(x.sigmoid()),
}


class _Remembers(nn.Module):
    """Keeps something from one forward to the next."""

    def __init__(self, how):
        super().__init__()
        self.map, self.norm, self.how = nn.Linear(8, 3), nn.BatchNorm1d(8), how
        self.calls, self.temperature, self.cached, self.seen = 0, 5.0, None, []
        self.register_buffer("mean", torch.zeros(3), persistent=False)

    def forward(self, x):
        return self.how(self, self.map(self.norm(x)))


def _counted(model, x):
    model.calls += model.training
    if model.calls > 12:
        model.norm.eval()
    return x


def _annealed(model, x):
    model.temperature -= 0.1 * model.training
    return x / max(model.temperature, 4.0) if model.temperature > 3.5 else x


def _followed(model, x):
    if model.training:
        model.mean = 0.9 * model.mean + 0.1 * x.detach().mean(0)
    return x - model.mean


def _listed(model, x):
    model.seen.append(model.training)
    return x * (1 + (sum(model.seen) > 12))


def _retained(model, x):
    if model.training:
        x.retain_grad()
    return x


def _by_chance(model, x):
    return x * 0.5 if model.training and random.random() < 1e-9 else x


MEMORIES = {
    "a count": _counted,
    "a temperature": _annealed,
    "a buffer that is in no state_dict": _followed,
    "a list": _listed,
    "an error of its own without gradients": _retained,
}


@pytest.mark.parametrize("what", list(MEMORIES))
def test_what_is_another_at_every_step_is_trained_in_turn(toy_problem, what, refusals):
    alone, together = both(_Remembers(MEMORIES[what]), toy_problem, epochs=20)
    assert refusals()
    assert [digest(mode.last) for mode in alone] == [digest(mode.last) for mode in together]


class _Clamped(nn.Linear):
    """Keeps its weight within bounds, without a say of the gradient."""

    def forward(self, x):
        with torch.no_grad():
            self.weight.clamp_(-0.1, 0.1)
        return super().forward(x)


def test_a_weight_that_is_written_to_is_trained_in_turn(toy_problem, refusals):
    model = _Clamped(8, 3)
    alone, together = both(model, toy_problem)
    assert "writes into weight" in refusals()[0]
    assert [digest(mode.last) for mode in alone] == [digest(mode.last) for mode in together]


class _Gated(nn.Linear):
    """A way on which gradients are stopped, behind a gate that is shut at the start."""

    def __init__(self, hook):
        super().__init__(8, 3)
        self.gate, self.hook = nn.Parameter(torch.zeros(1)), hook

    def forward(self, x):
        made = super().forward(x).relu()
        if self.hook:
            if made.requires_grad:
                made.register_hook(lambda gradient: gradient.clamp(-5, 5))
            return made
        with torch.no_grad():
            still = super().forward(x).relu() * 2
        return made + self.gate * still


def test_gradients_that_are_stopped(toy_graph, refusals):
    problem = in_double(toy_graph)
    assert_close(*both(lambda: _Gated(hook=False).double(), problem, optimizer="sgd", lr=1.0, epochs=20), 1e-9)
    assert not refusals()


def test_hooks_on_gradients_are_trained_in_turn(toy_problem, refusals):
    alone, together = both(lambda: _Gated(hook=True), toy_problem)
    assert "a hook on a gradient" in refusals()[0]
    assert [digest(mode.last) for mode in alone] == [digest(mode.last) for mode in together]


class _Halves(nn.Module):
    """A layer in half precision for a while."""

    def __init__(self, features):
        super().__init__()
        self.layers = GCN(features, 8, 2, 3)

    def forward(self, x, edge_index):
        with torch.autocast("cpu", torch.bfloat16):
            return self.layers(x, edge_index).float()


def test_half_precision_within_a_forward(toy_problem, refusals):
    alone, together = both(_Halves(toy_problem.num_features), toy_problem)
    assert_close(alone, together, 0.05 if not refusals() else 1e-6)


class _Scaled(nn.Linear):
    """A number that is a tensor without axes, and no buffer."""

    def __init__(self):
        super().__init__(8, 3)
        self.scale = torch.tensor(2.0)

    def forward(self, x):
        return super().forward(x) * self.scale


def test_a_number_as_an_attribute(toy_problem, refusals):
    assert_close(*both(_Scaled(), toy_problem), 1e-5)
    assert not refusals()


def test_chance_outside_of_torch_is_trained_in_turn(toy_problem, refusals):
    both(_Remembers(_by_chance), toy_problem)
    assert "draws unseen" in refusals()[0]


def _cached(model, x):
    if model.cached is None:
        model.cached = torch.arange(3.0)
    return x + model.cached


def _shown(model, x):
    model.cached = x.detach()
    return x


@pytest.mark.parametrize("how", [_cached, _shown])
def test_what_every_forward_leaves_alike_changes_nothing(toy_problem, how, refusals):
    assert_close(*both(_Remembers(how), toy_problem), 1e-4)
    assert not refusals()


@pytest.mark.parametrize("what", list(REFUSED))
def test_what_cannot_be_followed_is_trained_in_turn(toy_problem, what, refusals):
    alone, together = both(_Odd(REFUSED[what]), toy_problem)
    assert len(refusals()) == 1
    assert [digest(mode.last) for mode in alone] == [digest(mode.last) for mode in together]


def test_a_gradient_that_is_stopped_stays_stopped(toy_problem, refusals):
    assert_close(*both(_Odd(lambda x: x * x.detach()), toy_problem), 1e-4)
    assert not refusals()


def test_a_training_that_diverges_leaves_the_others_alone(toy_problem, refusals):
    class Fragile(nn.Linear):
        def reset_parameters(self):
            super().reset_parameters()
            if torch.rand(()) < 0.5:
                with torch.no_grad():
                    self.weight.mul_(1e39)

    how = {"seeds": range(6), "epochs": 3}
    alone, together = both(Fragile(8, 3), toy_problem, **how)
    assert len({mode.status for mode in alone}) > 1
    assert [mode.status for mode in together] == [mode.status for mode in alone]
    assert [len(mode.log) for mode in together] == [len(mode.log) for mode in alone]
    assert not refusals()


def test_no_more_at_once_than_memory_allows(toy_problem, monkeypatch):
    sizes = []
    plain = Together.losses

    def spy(self, weights, items, generators):
        sizes.append(len(generators))
        return plain(self, weights, items, generators)

    monkeypatch.setattr(Together, "losses", spy)
    model = gnnmc.build_model("gcn", toy_problem)
    whole = gnnmc.train(model, toy_problem, seeds=range(5), epochs=2, device="cpu")
    assert max(sizes) == 5
    sizes.clear()
    few = gnnmc.train(model, toy_problem, seeds=range(5), epochs=2, device="cpu", memory=1)
    assert set(sizes[1:]) == {1}  # after the check
    for a, b in zip(whole, few, strict=True):
        for name, value in a.last.items():
            torch.testing.assert_close(b.last[name], value)


def test_half_as_many_when_memory_runs_out(toy_problem, monkeypatch, caplog):
    plain = Together.losses

    def short(self, weights, items, generators):
        if len(generators) > 2:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory")
        return plain(self, weights, items, generators)

    monkeypatch.setattr(Together, "losses", short)
    model = gnnmc.build_model("gcn", toy_problem)
    modes = gnnmc.train(model, toy_problem, seeds=range(5), epochs=2, device="cpu")
    assert [mode.seed for mode in modes] == list(range(5))
    assert {mode.settings["modes_at_once"] for mode in modes} == {2}
    assert "out of memory" in caplog.text


def test_where_not_even_one_fits_the_error_is_told():
    def work(given):
        raise RuntimeError("CUDA out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        budget.halving(work, [1, 2, 3], 3)


def test_an_engine_that_there_is_not(toy_problem):
    with pytest.raises(gnnmc.InputError, match="loop, stacked"):
        gnnmc.train(gnnmc.build_model("mlp", toy_problem), toy_problem, engine="fast")
