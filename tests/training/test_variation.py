"""Pair kinds: what the seeds share and in what they differ; every seed repeats alone."""

import inspect
from dataclasses import fields

import pytest
import torch
from torch import nn

from gnnmc.errors import InputError
from gnnmc.models import build_model
from gnnmc.training import initialize, train
from gnnmc.training.train_settings import TrainSettings
from gnnmc.training.trajectory import Trajectory, weights_on_cpu
from gnnmc.weights import digest

# 30 labeled nodes: 3 steps an epoch.
FEW = {"epochs": 4, "device": "cpu"}
KINDS = [
    {"vary": "all"},
    {"vary": "init", "shared_seed": 9},
    {"vary": "data_order", "shared_seed": 9},
    {"vary": "spawn", "spawn_step": 4},
    {"vary": "spawn", "spawn_step": 0, "shared_seed": 9},
]


def identity(mode):
    return digest(mode.last), digest(mode.best), mode.init_digest


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("batch_size, optimizer", [(None, "adam"), (12, "sgd")])
def test_in_turn_a_seed_alone_is_the_seed_among_others(toy_problem, kind, batch_size, optimizer):
    how = FEW | kind | {"batch_size": batch_size, "optimizer": optimizer, "schedule": "cosine", "engine": "loop"}
    model = build_model("gcn", toy_problem, norm="batch")
    if batch_size is None and kind.get("spawn_step"):
        how["spawn_step"] = 2
    several = train(model, toy_problem, seeds=[3, 1], **how)
    assert digest(several[0].last) != digest(several[1].last)
    for mode in several:
        (alone,) = train(model, toy_problem, seeds=[mode.seed], **how)
        assert identity(alone) == identity(mode)
        assert alone.log.equals(mode.log)
        assert alone.metrics.equals(mode.metrics)
    shared = kind["vary"] in ("data_order", "spawn")
    assert (several[0].init_digest == several[1].init_digest) == shared


@pytest.mark.parametrize("batch_size", [None, 12])
def test_kinds_meet_where_their_seeds_do(toy_problem, batch_size):
    model = build_model("gcn", toy_problem, norm="batch")
    how = FEW | {"batch_size": batch_size, "shared_seed": 5}

    def ends(**kind):
        return [identity(mode) for mode in train(model, toy_problem, seeds=[5, 6], **(how | kind))]

    plain = ends(vary="all", shared_seed=0)
    order = ends(vary="data_order")
    assert ends(vary="init")[0] == order[0] == plain[0]
    assert ends(vary="spawn", spawn_step=0) == order
    assert len({plain[1], order[1], ends(vary="init")[1]}) == 3


@pytest.mark.parametrize("vary", ["init", "data_order"])
def test_only_what_is_said_differs(toy_problem, vary):
    class Draws(nn.Linear):
        def __init__(self):
            super().__init__(8, 3)
            self.register_buffer("drawn", torch.zeros(4))

        def forward(self, x):
            if self.training and not self.drawn.any():
                self.drawn.copy_(torch.rand(4))
            return super().forward(x)

    a, b = train(Draws, toy_problem, seeds=[0, 1], batch_size=12, vary=vary, **FEW)
    assert torch.equal(a.last["drawn"], b.last["drawn"]) == (vary == "init")
    assert (a.init_digest == b.init_digest) == (vary == "data_order")


@pytest.mark.parametrize("step", [3, 4])
def test_children_share_the_trunk_to_the_step_and_no_further(toy_problem, monkeypatch, step):
    seen = {}
    plain = Trajectory._step

    def spy(self):
        plain(self)
        seen.setdefault((self.seed, self.step), digest(weights_on_cpu(self.module)))

    monkeypatch.setattr(Trajectory, "_step", spy)
    model = build_model("gcn", toy_problem)
    how = FEW | {"batch_size": 12, "engine": "loop"}
    modes = train(model, toy_problem, seeds=[1, 2], vary="spawn", spawn_step=step, shared_seed=7, **how)
    assert sorted(number for seed, number in seen if seed == 7) == list(range(1, step + 1))
    for seed in (1, 2):
        assert min(number for who, number in seen if who == seed) == step + 1
    assert seen[1, step + 1] != seen[2, step + 1]
    shared_epochs = step // 3
    assert modes[0].log[:shared_epochs].equals(modes[1].log[:shared_epochs])
    # The trunk is the shared seed's own training up to there.
    trunk = {number: found for (seed, number), found in seen.items() if seed == 7}
    seen.clear()
    train(model, toy_problem, seeds=[7], **how)
    assert {number: seen[7, number] for number in trunk} == trunk


def test_a_child_takes_on_the_optimizers_state(toy_problem):
    # Without random numbers and in one batch a child goes on exactly as its trunk would have.
    model = build_model("gcn", toy_problem, dropout=0.0, norm="batch")
    settings = TrainSettings(epochs=6, schedule="cosine")
    whole, trunk = (Trajectory(initialize(model, 0), toy_problem, settings, 0) for _ in range(2))
    whole.run()
    trunk.run(3)
    child = trunk.spawn(1)
    at_spawn = digest(weights_on_cpu(trunk.module))
    child.run()
    assert digest(weights_on_cpu(child.module)) == digest(weights_on_cpu(whole.module))
    assert digest(weights_on_cpu(trunk.module)) == at_spawn
    assert child.mode(1, "last").log.equals(whole.mode(0, "last").log)
    trunk.run()
    assert digest(weights_on_cpu(trunk.module)) == digest(weights_on_cpu(whole.module))


@pytest.mark.parametrize("kind", [{"vary": "data_order"}, {"vary": "spawn", "spawn_step": 1}], ids=str)
def test_shared_starts_that_cannot_end_differently_are_refused(toy_problem, kind):
    still = build_model("gcn", toy_problem, dropout=0.0)
    for size in (None, 30, 99):
        with pytest.raises(InputError, match="in full batch without dropout makes identical ends: give a batch_size"):
            train(still, toy_problem, seeds=[0], batch_size=size, **kind, **FEW)

    class Noisy(nn.Linear):
        def forward(self, x):
            return super().forward(x + torch.randn_like(x) if self.training else x)

    for model, size in ((still, 12), (lambda: Noisy(8, 3), None)):
        a, b = train(model, toy_problem, seeds=[0, 1], batch_size=size, **kind, **FEW)
        assert digest(a.last) != digest(b.last)


def test_evaluating_less_often_changes_only_the_log(toy_problem):
    model = build_model("gcn", toy_problem)
    often, seldom = (train(model, toy_problem, epochs=7, evaluate_every=k, device="cpu")[0] for k in (1, 3))
    assert digest(often.last) == digest(seldom.last)
    assert seldom.log.epoch.tolist() == [3, 6, 7]
    assert seldom.log.equals(often.log[often.log.epoch.isin([3, 6, 7])].reset_index(drop=True))
    assert set(seldom.metrics.epoch) <= {3, 6, 7}
    assert seldom.settings["evaluate_every"] == 3


def test_a_loss_that_is_not_finite_is_seen_between_evaluations(toy_problem):
    (mode,) = train(
        build_model("gcn", toy_problem),
        toy_problem,
        lr=1e30,
        optimizer="sgd",
        evaluate_every=50,
        epochs=50,
        device="cpu",
    )
    assert mode.status.startswith("diverged at epoch ")
    assert len(mode.log) == 1
    assert mode.log.epoch.item() < 50


def test_the_records_defaults_are_trains():
    signature = inspect.signature(train).parameters
    assert all(signature[field.name].default == field.default for field in fields(TrainSettings))


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"schedule": "cosin"}, "unknown schedule 'cosin': did you mean 'cosine'"),
        ({"vary": "order"}, r"unknown pair kind \(vary\) 'order': did you mean 'data_order'"),
        ({"batch_size": 0}, "batch_size=0: at least 1"),
        ({"batch_size": 1.5}, r"batch_size=1\.5 is a float"),
        ({"warmup": 1}, r"warmup=1: allowed: a number in \[0, 1\)"),
        ({"momentum": 0.5}, "momentum=0.5: optimizer 'adam' has none to set: .*'sgd'"),
        ({"momentum": 1.5, "optimizer": "sgd"}, r"momentum=1.5: allowed: a number in \[0, 1\)"),
        ({"evaluate_every": 0}, "evaluate_every=0: at least 1"),
        ({"shared_seed": 3}, "shared_seed=3: vary='all' shares nothing"),
        ({"spawn_step": 3}, "spawn_step=3 is for vary='spawn', got vary='all'"),
        ({"vary": "spawn"}, "vary='spawn' needs spawn_step="),
        ({"vary": "spawn", "spawn_step": -1}, "spawn_step=-1: at least 0"),
        ({"vary": "spawn", "spawn_step": 4}, "spawn_step=4: the training has 4 optimizer steps: give fewer"),
    ],
)
def test_wrong_settings_are_one_clear_line(toy_problem, settings, message):
    with pytest.raises(InputError, match=message) as error:
        train(build_model("gcn", toy_problem), toy_problem, **(FEW | settings))
    assert "\n" not in str(error.value)
