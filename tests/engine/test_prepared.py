"""What is prepared for a model and a problem is used again, and never for something else."""

import functools
import gc
import threading
import types
from collections import deque

import numpy as np
import pytest
import torch
from torch import nn
from torch_geometric.data import HeteroData

import gnnmc
from gnnmc.engine import Combinations, prepared
from gnnmc.engine.fingerprint import Fingerprint


class _Model(nn.Module):
    """Has something of every kind that a forward may read."""

    def __init__(self, features=8, classes=3):
        super().__init__()
        self.map, self.last = nn.Linear(features, 4), nn.Linear(4, classes)
        self.scale, self.act = 1.0, torch.relu
        self.options = {"shift": [0.0, {"more": 0.0}]}
        self.settings = types.SimpleNamespace(power=1)
        self.constant = torch.ones(4)
        self.register_buffer("kept", torch.ones(4), persistent=False)

    def forward(self, x):
        shift = self.options["shift"][0] + self.options["shift"][1]["more"]
        hidden = self.act(self.map(x)) ** self.settings.power * self.constant * self.kept
        return self.last(hidden + shift) * self.scale


class _Doubled(nn.Linear):
    """In the place of a layer of the same names and shapes."""

    def __init__(self, layer):
        super().__init__(layer.in_features, layer.out_features)

    def forward(self, x):
        return super().forward(x) * 2


@pytest.fixture
def problem(toy_graph):
    return gnnmc.Problem.arrays(toy_graph.x.clone(), toy_graph.y.clone())


def ends_of(model):
    generator = torch.Generator().manual_seed(0)
    return [{n: torch.randn(v.shape, generator=generator) for n, v in model.state_dict().items()} for _ in range(2)]


def profiled(model, problem, engine="stacked"):
    return gnnmc.profile(
        model, problem, gnnmc.LinearPath(*ends_of(model)), points=5, engine=engine, device="cpu"
    ).values


CHANGES = {
    "a number": lambda model, problem: setattr(model, "scale", 2.0),
    "a function": lambda model, problem: setattr(model, "act", torch.tanh),
    "inside of a list": lambda model, problem: model.options["shift"].__setitem__(0, 1.0),
    "inside of a dict in a list": lambda model, problem: model.options["shift"][1].update(more=2.0),
    "inside of an object": lambda model, problem: setattr(model.settings, "power", 2),
    "a tensor, in place": lambda model, problem: model.constant.mul_(2),
    "a tensor, behind torch's back": lambda model, problem: model.constant.data.mul_(2),
    "a tensor, by another": lambda model, problem: setattr(model, "constant", torch.full((4,), 3.0)),
    "a buffer that is in no state_dict": lambda model, problem: model.kept.mul_(2),
    "a layer": lambda model, problem: setattr(model, "map", _Doubled(model.map)),
    "a hook": lambda model, problem: model.map.register_forward_hook(lambda *args: args[2] * 2),
    "the forward of a layer": lambda model, problem: setattr(model.map, "forward", lambda x: x[:, :4]),
    "the features, in place": lambda model, problem: problem.items.x.mul_(2),
    "the features, by numpy": lambda model, problem: problem.items.x.numpy().__imul__(2),
    "the labels, in place": lambda model, problem: problem.targets.copy_(problem.targets.flip(0)),
    "a split, in place": lambda model, problem: problem.splits["train"].copy_(problem.splits["train"].flip(0) % 7),
}


@pytest.mark.parametrize("what", list(CHANGES))
def test_after_a_change_all_is_prepared_anew(problem, what):
    model = _Model()
    profiled(model, problem)
    CHANGES[what](model, problem)
    np.testing.assert_allclose(profiled(model, problem), profiled(model, problem, "loop"), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("what", list(CHANGES))
def test_a_change_is_told(problem, what):
    model = _Model()
    before = Fingerprint(model, problem)
    assert before.matches(Fingerprint(model, problem))
    CHANGES[what](model, problem)
    assert not before.matches(Fingerprint(model, problem))


HELD = {}  # what no forward names
FACTOR, LIMITS = 1.0, np.ones(4, dtype=np.float32)
MODULE = types.ModuleType("a_user_s_settings")
MODULE.STRENGTH = 1.0


def _through_helper(x):
    return x * FACTOR


def made_around(factor):
    def act(x):
        return x * factor["value"]

    return act


class _Outside(_Model):
    """Reads from outside of itself, in every way that code can name."""

    def __init__(self):
        super().__init__()
        HELD["around"] = {"value": 1.0}
        self.act = made_around(HELD["around"])
        self.layers, self.recent = [nn.Linear(4, 4)], deque([1.0], maxlen=2)
        self.named = _Named(shift=0.0)
        self.named.factor = 1.0
        self.partly = functools.partial(torch.mul, other=torch.ones(4))
        self.table = np.ones(4, dtype=np.float32)
        HELD["other"] = _Other()
        self.bound = HELD["other"].scaled
        self.default = _with_default

    def forward(self, x):
        hidden = self._mapped(x) * torch.from_numpy(LIMITS) * torch.from_numpy(self.table)
        hidden = self.layers[0](hidden) * self.recent[-1] * self.named.factor
        hidden = self.bound(self.partly(hidden)) * (lambda: MODULE.STRENGTH)() * _Other.of_class
        return self.last(self.default(hidden))

    def _mapped(self, x):
        return _through_helper(self.act(self.map(x)))


class _Other:
    of_class = 1.0

    def __init__(self):
        self.scale = 1.0

    def scaled(self, x):
        return x * self.scale


def _with_default(x, factor=1.0, *, shift=0.0):
    return x * factor + shift


class _Named(dict):
    """A dict that has attributes too."""


OUTSIDE = {
    "the weights of a module in a list": lambda model, patch: model.layers[0].weight.data.mul_(2),
    "what a deque has": lambda model, patch: model.recent.append(2.0),
    "an attribute of a dict": lambda model, patch: setattr(model.named, "factor", 2.0),
    "a global that a helper of a helper reads": lambda model, patch: patch.setitem(globals(), "FACTOR", 2.0),
    "a global array, in place": lambda model, patch: patch.setitem(globals(), "LIMITS", LIMITS * 2),
    "a user's module": lambda model, patch: patch.setattr(MODULE, "STRENGTH", 2.0),
    "a variable around a function": lambda model, patch: HELD["around"].update(value=2.0),
    "what is partly applied": lambda model, patch: model.partly.keywords["other"].mul_(2),
    "an array of numpy": lambda model, patch: model.table.__imul__(2),
    "whose method it is": lambda model, patch: setattr(HELD["other"], "scale", 2.0),
    "a default": lambda model, patch: patch.setattr(_with_default, "__defaults__", (2.0,)),
    "a default by name": lambda model, patch: patch.setattr(_with_default, "__kwdefaults__", {"shift": 1.0}),
    "a method of a class": lambda model, patch: patch.setattr(_Other, "scaled", lambda self, x: x * 3),
    "an attribute of a class": lambda model, patch: patch.setattr(_Other, "of_class", 2.0),
    "the code of a function": lambda model, patch: patch.setattr(
        _through_helper, "__code__", (lambda x: FACTOR + x).__code__
    ),
}


@pytest.mark.parametrize("what", list(OUTSIDE))
def test_what_is_read_from_outside_is_seen(problem, what, monkeypatch):
    model = _Outside()
    before = Fingerprint(model, problem)
    assert before.matches(Fingerprint(model, problem))
    profiled(model, problem)
    OUTSIDE[what](model, monkeypatch)
    assert not before.matches(Fingerprint(model, problem))
    np.testing.assert_allclose(profiled(model, problem), profiled(model, problem, "loop"), rtol=1e-5, atol=1e-6)


def test_what_may_change_unseen_is_never_taken_for_the_same(problem):
    model = _Model()
    model.array = np.array([{}], dtype=object)
    assert not Fingerprint(model, problem).matches(Fingerprint(model, problem))
    del model.array
    for _ in range(3000):
        model.options = [model.options]
    assert not Fingerprint(model, problem).matches(Fingerprint(model, problem))


def test_what_stays_is_told_too(toy_problem):
    model = gnnmc.build_model("gcn", toy_problem, norm="batch")
    before = Fingerprint(model, toy_problem)
    model.train().eval()
    with torch.no_grad():
        for value in model.state_dict().values():
            value.add_(1)  # the weights of a path are its own
    assert before.matches(Fingerprint(model, toy_problem))


def test_data_of_several_types_in_a_list():
    # Nested dicts that are made anew for every look must not be taken for one another.
    batch = [HeteroData(a={"x": torch.ones(3)}, b={"x": torch.ones(2)}) for _ in range(6)]
    model = nn.Linear(1, 1)
    problem = gnnmc.Problem.custom(batch, lambda outputs, targets: outputs.sum(1), targets=torch.ones(3))
    before = Fingerprint(model, problem)
    assert before.matches(Fingerprint(model, problem))
    batch[-1]["b"].x.mul_(2)
    assert not before.matches(Fingerprint(model, problem))


@pytest.fixture
def recordings(monkeypatch):
    made = []
    plain = Combinations._record
    monkeypatch.setattr(Combinations, "_record", lambda self, *args: made.append(1) or plain(self, *args))
    return made


def test_one_recording_serves_all_paths_planes_and_both_of_two_models(toy_problem, recordings):
    models = [gnnmc.build_model("gcn", toy_problem), gnnmc.build_model("mlp", toy_problem)]
    for _ in range(3):
        for model in models:
            profiled(model, toy_problem)
    a, b = ends_of(models[0])
    gnnmc.plane(models[0], toy_problem, a, b, {n: v + 1 for n, v in a.items()} | {"layers.0.bias": b["layers.0.bias"]})
    assert len(recordings) == 2


def test_two_problems_of_one_model_are_two(toy_problem, toy_graph):
    model = gnnmc.build_model("gcn", toy_problem)
    other = toy_graph.clone()
    other.edge_index = other.edge_index[:, ::2]
    other = gnnmc.Problem.node_classification(other)
    for _ in range(2):
        for each in (toy_problem, other):
            np.testing.assert_allclose(profiled(model, each), profiled(model, each, "loop"), rtol=1e-5, atol=1e-6)


def test_what_cannot_be_recorded_or_failed_is_not_kept(toy_problem, recordings):
    class Branches(nn.Linear):
        def forward(self, x):
            return super().forward(x) if x.sum() > -1e9 and self.weight.sum() > -1e9 else x

    model = Branches(8, 3)
    for _ in range(2):
        profiled(model, toy_problem)
    assert len(recordings) == 2
    with pytest.raises(gnnmc.InputError), prepared(gnnmc.build_model("gcn", toy_problem), toy_problem, "cpu") as ready:
        ready.function.load({})


def test_nothing_outlives_the_problem(toy_graph):
    problem = gnnmc.Problem.node_classification(toy_graph)
    model = gnnmc.build_model("gcn", problem)
    profiled(model, problem)
    with prepared(model, problem, "cpu") as ready:
        copied = ready.function.module
    alive = [object for object in gc.get_objects() if object is copied]
    assert alive
    reference = __import__("weakref").ref(copied)
    del problem, ready, copied, alive
    gc.collect()
    assert reference() is None


def test_threads_do_not_share(toy_problem):
    model = gnnmc.build_model("gcn", toy_problem)
    expected = profiled(model, toy_problem)
    found = []
    threads = [threading.Thread(target=lambda: found.append(profiled(model, toy_problem))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in found:
        np.testing.assert_allclose(each, expected, rtol=1e-6)
