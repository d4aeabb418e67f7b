"""What holds for every method that descends: exact elements, never worse than the start, seeds, inputs left alone."""

import pytest
import torch
from torch import nn

from gnnmc.engine import ModelFunction
from gnnmc.errors import InputError
from gnnmc.models import build_model
from gnnmc.problem import Problem
from gnnmc.seeding import torch_generator
from gnnmc.symmetry import Element, SymmetryClass, align, align_many, find_symmetry, random_element
from gnnmc.symmetry.matching import start as starting
from gnnmc.symmetry.matching.objectives import _Alone
from gnnmc.training import BatchOrder
from gnnmc.weights import clone, digest, distance

METHODS = {
    "ste": {"steps": 8, "lr": 0.3},
    "sinkhorn": {"steps": 8, "lr": 1.0},
    "sinkhorn by distance": {"steps": 8, "lr": 1.0, "distance": True},
    "learned": {"steps": 8, "lr": 0.03},
}
MODELS = {
    "gcn": {"hidden": 8},
    "gat": {"hidden": 8, "heads": 2},
    "gcn with BatchNorm": {"hidden": 8, "layers": 3, "norm": "batch", "residual": True},
    "mlp": {"hidden": 8},
}


class Stream(nn.Module):
    """A residual stream that rotates, with a ReLU inside the branch and an invertible map before all."""

    def __init__(self, norm=nn.LayerNorm):
        super().__init__()
        self.first, self.enter = nn.Linear(8, 5, bias=False), nn.Linear(5, 6)
        self.one, self.up, self.down = norm(6), nn.Linear(6, 7), nn.Linear(7, 6)
        self.two, self.leave = norm(6), nn.Linear(6, 3)

    def forward(self, x):
        h = self.enter(self.first(x))
        h = h + self.down(torch.relu(self.up(self.one(h))))
        return self.leave(self.two(h))


class Recurrent(nn.Module):
    """Its record cannot be run into memory that is there."""

    def __init__(self):
        super().__init__()
        self.cells, self.leave = nn.LSTM(2, 6, batch_first=True), nn.Linear(6, 3)

    def forward(self, x):
        return self.leave(self.cells(x.view(-1, 4, 2))[0][:, -1])


@pytest.fixture(autouse=True)
def seed():
    with torch.random.fork_rng():
        torch.manual_seed(0)  # of models as they are made
        yield


@pytest.fixture(scope="module")
def points():
    x = torch.randn(30, 8, generator=torch.Generator().manual_seed(3))
    return Problem.arrays(x, torch.arange(30) % 3, {"train": torch.arange(30)})


def run(method, model, problem, pairs, **more):
    options = METHODS[method] | more
    return align_many(model, problem, pairs, method=method.split()[0], device="cpu", **options)


def jittered(function, seed):
    """Weights in general position."""
    generator = torch_generator("test", seed)
    return {
        name: (value + 0.3 * torch.randn(value.shape, generator=generator)).abs()
        if "running_var" in name
        else value + 0.3 * torch.randn(value.shape, generator=generator)
        if value.is_floating_point()
        else value
        for name, value in function.reference.items()
    }


def models(toy_problem, points):
    for name, options in MODELS.items():
        yield build_model(name.split()[0], toy_problem, **options), toy_problem
    yield Stream(), points
    yield Stream(nn.RMSNorm), points
    yield Recurrent(), points


@pytest.mark.parametrize("method", METHODS)
def test_outputs_stay_and_nothing_given_is_changed(method, toy_problem, points, monkeypatch):
    # The last element, whether it is better or not: that of the start would prove nothing.
    monkeypatch.setattr(starting.Best, "see", lambda self, elements, scores: setattr(self, "elements", list(elements)))
    for model, problem in models(toy_problem, points):
        function = ModelFunction(model, problem, "cpu")
        a, b = jittered(function, 1), jittered(function, 2)
        before = digest(a), digest(b), digest(model.state_dict())
        first = random_element(find_symmetry(model, problem, device="cpu"), torch_generator(7), ["permutation"])
        (alignment,) = run(method, model, problem, [(a, b)], start=first)
        moved = alignment.apply(b)
        real = function(b)
        assert alignment.element is not first
        assert float((function(moved) - real).abs().max()) < 1e-4 * float(real.abs().max()), type(model)
        assert (digest(a), digest(b), digest(model.state_dict())) == before


def midpoint_loss(model, problem, a, b):
    function = ModelFunction(model, problem, "cpu")
    middle = {name: (a[name] + b[name]) / 2 if a[name].is_floating_point() else a[name] for name in a}
    return float(function.loss(middle, problem.splits["train"], training=True, dropout=False))


@pytest.mark.parametrize("method", ["ste", "sinkhorn", "learned"])
@pytest.mark.parametrize("lr", [0.1, 10.0])
def test_the_midpoint_is_never_worse_than_with_the_start(method, lr, toy_problem):
    model = build_model("gcn", toy_problem, hidden=8)
    function = ModelFunction(model, toy_problem, "cpu")
    symmetry = find_symmetry(model, toy_problem, device="cpu")
    for seed in range(3):
        a, b = jittered(function, seed), jittered(function, seed + 10)
        first = random_element(symmetry, torch_generator(seed), ["permutation"])
        (alignment,) = run(method, model, toy_problem, [(a, b)], start=first, lr=lr)
        start = midpoint_loss(model, toy_problem, a, first.apply(symmetry, b))
        assert midpoint_loss(model, toy_problem, a, alignment.apply(b)) <= start + 1e-6


@pytest.mark.parametrize("method", METHODS)
def test_a_start_that_nothing_beats_is_given_back(method, toy_problem, monkeypatch):
    model = build_model("gcn", toy_problem, hidden=8)
    function = ModelFunction(model, toy_problem, "cpu")
    a, b = jittered(function, 1), jittered(function, 2)
    first = Element({"layers.0.lin.weight[0]": torch.arange(8).flip(0)})
    seen = starting.Best.see
    monkeypatch.setattr(starting.Best, "see", lambda self, elements, scores: seen(self, elements, scores * torch.nan))
    (alignment,) = run(method, model, toy_problem, [(a, b)], start=first)
    assert alignment.element is first


@pytest.mark.parametrize("method", METHODS)
def test_a_seed_repeats_bit_by_bit_and_a_pair_gets_what_it_gets_alone(method, toy_problem):
    model = build_model("gat", toy_problem, hidden=8, heads=2)
    function = ModelFunction(model, toy_problem, "cpu")
    a, b, c = (jittered(function, seed) for seed in range(3))
    both = run(method, model, toy_problem, [(a, b), (a, c)], seed=4, restarts=2)
    again = run(method, model, toy_problem, [(a, b), (a, c)], seed=4, restarts=2)
    assert [digest(one.apply(b)) for one in both] == [digest(one.apply(b)) for one in again]
    (alone,) = run(method, model, toy_problem, [(a, c)], seed=4, restarts=2)
    assert distance(alone.apply(c), both[1].apply(c)) < 1e-3


def test_one_pair_after_another_gives_what_all_at_once_do(points):
    model = nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 3))
    a, b, c = ({name: seeded(value, k) for name, value in model.state_dict().items()} for k in range(3))
    together = run("learned", model, points, [(a, b), (a, c)], start=None)
    pairs = [(prefixed(a), prefixed(b)), (prefixed(a), prefixed(c))]
    apart = run("learned", Unfollowed(model), points, pairs, start=None)
    for one, other, moving in zip(together, apart, (b, c)):
        assert one.element.scales
        assert distance(prefixed(one.apply(moving)), other.apply(prefixed(moving))) < 1e-3


def seeded(value, seed):
    return torch.randn(value.shape, generator=torch_generator("test", seed))


class Unfollowed(nn.Module):
    """Has a forward that is not the same at every step, so that no record of it is believed."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.calls = inner, 0

    def forward(self, x):
        self.calls += 1
        return self.inner(x)


def prefixed(weights):
    return {f"inner.{name}": value for name, value in weights.items()}


def test_mini_batches_of_items_are_followed_too(points):
    model = Stream()
    function = ModelFunction(model, points, "cpu")
    a, b = jittered(function, 1), jittered(function, 2)
    for method in ("ste", "sinkhorn", "learned"):
        (alignment,) = run(method, model, points, [(a, b)], batch=10)
        assert float((function(alignment.apply(b)) - function(b)).abs().max()) < 1e-4


def test_the_loss_of_one_pair_has_the_gradient_of_what_was_moved(points):
    model = Stream()
    function = ModelFunction(model, points, "cpu")
    a, b = jittered(function, 1), jittered(function, 2)
    alone = _Alone(function, a, BatchOrder(points.splits["train"], None))
    value, (gradients,) = alone([b], 0.3)
    name, step = "enter.weight", 1e-2
    change = torch.randn(b[name].shape, generator=torch_generator(1))
    ends = [alone([clone(b) | {name: b[name] + sign * step * change}], 0.3)[0] for sign in (1, -1)]
    assert float((ends[0] - ends[1]) / (2 * step)) == pytest.approx(float((gradients[name] * change).sum()), rel=5e-2)
    middle = {key: torch.lerp(a[key], b[key], 0.3) for key in a}
    assert float(value) == pytest.approx(float(function.loss(middle, points.splits["train"])), rel=1e-5)


def test_no_pairs_give_no_elements(toy_problem):
    model = build_model("gcn", toy_problem, hidden=8)
    for method in METHODS:
        assert run(method, model, toy_problem, []) == []


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("ste", {"step": 3}, "unknown option of ste 'step': did you mean 'steps'"),
        ("ste", {"steps": 0}, "steps=0"),
        ("learned", {"lr": -1.0}, "lr=-1"),
        ("learned", {"between": 0.5}, "between=0.5"),
        ("sinkhorn", {"between": (0.8, 0.2)}, "the lower one first"),
        ("sinkhorn", {"start": 3}, "start is a int"),
        ("sinkhorn", {"start": [Element(), Element()]}, "2 elements for 1 pairs"),
        ("learned", {"start": "weihgts"}, "unknown matching method"),
    ],
)
def test_wrong_options_are_told_in_one_line(method, options, message, toy_problem):
    model = build_model("gcn", toy_problem, hidden=8)
    a = model.state_dict()
    with pytest.raises(InputError, match=message) as caught:
        align(model, toy_problem, a, a, method=method, device="cpu", **options)
    assert "\n" not in str(caught.value)


def test_a_model_without_symmetry_is_left_alone(points):
    model = nn.Linear(8, 3)
    a, b = model.state_dict(), nn.Linear(8, 3).state_dict()
    for method in ("ste", "sinkhorn", "learned"):
        assert digest(align(model, points, a, b, method=method, device="cpu").apply(b)) == digest(b)


def test_every_class_of_a_stream_is_used(points):
    model = Stream()
    function = ModelFunction(model, points, "cpu")
    a, b = jittered(function, 1), jittered(function, 2)
    (alignment,) = run("learned", model, points, [(a, b)], start=None, distance=True, steps=60)
    symmetry = find_symmetry(model, points, device="cpu")
    kinds = {kind for group in symmetry.groups.values() for kind in group.classes}
    assert {SymmetryClass.ORTHOGONAL, SymmetryClass.INVERTIBLE, SymmetryClass.SCALING} <= kinds
    assert len(alignment.element.matrices) == 2 and alignment.element.scales and alignment.element.orders
    centered = next(group for group in symmetry.groups.values() if group.centered)
    matrix = alignment.element.matrices[centered.name]
    assert torch.allclose(matrix.sum(-1), torch.ones(centered.size, dtype=torch.float64))
    assert torch.allclose(matrix @ matrix.mT, torch.eye(centered.size, dtype=torch.float64))
    assert alignment.after < 0.95 * alignment.before
