"""REPAIR: channels have the mean and spread between those of the ends, measured by hooks on the layers themselves."""

import numpy as np
import pytest
import torch
from torch import nn
from torch_geometric.nn import GINConv

import gnnmc
from gnnmc.engine import ModelFunction, reestimate_batchnorm
from gnnmc.weights import combine
from tests.symmetry.keeping import lifted

# Of biases.
LIFT = 0.3

DATA = gnnmc.csbm(num_nodes=150, num_classes=3, homophily=0.7, mean_degree=6, num_features=10, seed=0)
NODES = gnnmc.Problem.node_classification(DATA)
T = 0.3


def rows(*shape):
    generator = torch.Generator().manual_seed(0)
    return gnnmc.Problem.arrays(torch.randn(240, *shape, generator=generator), torch.arange(240) % 3, name="rows")


class Blocks(nn.Module):
    """A small vision transformer, pre-norm."""

    def __init__(self, width=12, heads=3):
        super().__init__()
        self.embed = nn.Linear(4, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(4))
        self.attend = nn.ModuleList(nn.MultiheadAttention(width, heads, batch_first=True) for _ in range(2))
        self.widen = nn.ModuleList(nn.Linear(width, 2 * width) for _ in range(2))
        self.narrow = nn.ModuleList(nn.Linear(2 * width, width) for _ in range(2))
        self.last = nn.Linear(width, 3)

    def forward(self, x):
        x = self.embed(x)
        for n in range(2):
            seen = self.norms[2 * n](x)
            x = x + self.attend[n](seen, seen, seen, need_weights=False)[0]
            x = x + self.narrow[n](nn.functional.gelu(self.widen[n](self.norms[2 * n + 1](x))))
        return self.last(x.mean(1))


class Residual(nn.Module):
    """x + f(x) with ReLU on the stream."""

    def __init__(self):
        super().__init__()
        self.first, self.inner, self.last = nn.Linear(10, 8), nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, x):
        x = torch.relu(self.first(x))
        return self.last(torch.relu(x + self.inner(x)))


class Isomorphism(nn.Module):
    """A layer of PyTorch Geometric's own."""

    def __init__(self):
        super().__init__()
        self.conv = GINConv(nn.Sequential(nn.Linear(10, 8), nn.ReLU(), nn.Linear(8, 6)), train_eps=True)
        self.last = nn.Linear(6, 3)

    def forward(self, x, edge_index):
        return self.last(torch.relu(self.conv(x, edge_index)))


def build(name, problem=NODES, **settings):
    return lambda: (gnnmc.build_model(name, problem, **{"hidden": 12, "layers": 3, **settings}), problem)


# The model, and the modules whose outputs functions of each entry are applied to, in order; channels on axis 1 or last.
CASES = {
    "mlp": (build("mlp"), ["layers.0", "layers.1"]),
    "gcn": (build("gcn"), ["layers.0", "layers.1"]),
    "sage": (build("sage"), ["layers.0", "layers.1"]),
    "gat": (build("gat", heads=3), ["layers.0", "layers.1"]),
    "gatv2": (build("gatv2", heads=3), ["layers.0", "layers.1"]),
    "gin": (lambda: (Isomorphism(), NODES), ["conv.nn.0", "conv.nn.2"]),
    "layer norm": (build("gcn", norm="layer"), ["norms.0", "norms.1"]),
    "convolutions": (
        lambda: (
            nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Conv2d(6, 5, 3), nn.Tanh(), nn.Flatten(), nn.Linear(80, 3)),
            rows(3, 8, 8),
        ),
        ["0", "2"],
    ),
    "vision transformer": (lambda: (Blocks(), rows(6, 4)), ["widen.0", "widen.1"]),
    # The branch, not the sum.
    "residual": (lambda: (Residual(), NODES), ["first", "inner"]),
}


def measured(function, weights, places, batches=None):
    """Mean and standard deviation of each channel of what these modules give. Shapes: → [(U,), (U,)] for each."""
    taken = {}
    handles = [
        function.module.get_submodule(one).register_forward_hook(
            lambda _, __, made, name=one: taken.__setitem__(name, made.double())
        )
        for one in places
    ]
    function(weights, batches=batches)
    for handle in handles:
        handle.remove()
    found = []
    for one in places:
        flat = taken[one].movedim(1, -1) if taken[one].dim() == 4 else taken[one]
        flat = flat.flatten(0, -2)
        found.append((flat.mean(0), flat.std(0, correction=0)))
    return found


def between(a, b):
    return [tuple(torch.lerp(x, y, T) for x, y in zip(*both, strict=True)) for both in zip(a, b, strict=True)]


def prepared(model, problem):
    return ModelFunction(model, problem, "cpu"), [lifted(model, seed, LIFT) for seed in (1, 2)]


def train_items(problem):
    return [problem.items.take(problem.splits["train"])] if problem.items.separable else None


@pytest.mark.parametrize("name", CASES)
def test_channels_get_the_mean_and_spread_between_those_of_the_ends(name):
    made, places = CASES[name]
    model, problem = made()
    function, (a, b) = prepared(model, problem)
    point = combine([a, b], [1 - T, T], nearest=0)
    repair = gnnmc.repair(model, problem, device="cpu")
    given = {key: value.clone() for key, value in point.items()}
    moved = repair(T, point, (a, b))
    assert set(moved) == set(point) and all(moved[key].shape == value.shape for key, value in point.items())
    assert all(torch.equal(point[key], value) for key, value in given.items())
    of_ends = [measured(function, end, places, train_items(problem)) for end in (a, b)]
    now, before = (measured(function, one, places, train_items(problem)) for one in (moved, point))
    for (mean, spread), (wanted_mean, wanted_spread) in zip(now, between(*of_ends), strict=True):
        torch.testing.assert_close(mean, wanted_mean, atol=1e-4, rtol=0)
        torch.testing.assert_close(spread, wanted_spread, atol=1e-4, rtol=0)
    assert any(not torch.allclose(x[1], y[1], atol=1e-2) for x, y in zip(before, between(*of_ends), strict=True))
    frame = repair.frame()
    repaired = frame[frame.repaired != "no"]
    assert list(repaired.repaired) == ["scale and shift"] * len(places)


def test_a_single_unit_by_hand():
    problem = gnnmc.Problem.arrays(
        torch.tensor([[0.0], [1.0], [2.0], [3.0]]), torch.tensor([0, 0, 1, 1]), {"train": torch.arange(4)}
    )
    model = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 2))
    a, b = ({name: value.clone() for name, value in model.state_dict().items()} for _ in range(2))
    # x has mean 1.5 and variance 1.25: w·x + c has mean 1.5·w + c and spread |w|·√1.25.
    a["0.weight"], a["0.bias"] = torch.tensor([[2.0], [1.0]]), torch.tensor([1.0, 0.0])
    b["0.weight"], b["0.bias"] = torch.tensor([[-1.0], [1.0]]), torch.tensor([3.0, 0.0])
    point = combine([a, b], [0.5, 0.5], nearest=0)
    moved = gnnmc.repair(model, problem, device="cpu")(0.5, point, (a, b))
    # Halfway w = .5 and c = 2; wanted are a spread of (2 + 1)/2·√1.25, so w = 1.5, and a mean of (4 + 1.5)/2 = 2.75.
    torch.testing.assert_close(moved["0.weight"], torch.tensor([[1.5], [1.0]]))
    torch.testing.assert_close(moved["0.bias"], torch.tensor([2.75 - 1.5 * 1.5, 0.0]))
    assert torch.equal(moved["2.weight"], point["2.weight"])


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_the_ends_stay_as_they_are(norm):
    model = gnnmc.build_model("gcn", NODES, hidden=12, layers=3, norm=norm)
    a, b = gnnmc.train(model, NODES, seeds=[0, 1], epochs=30)
    repair = gnnmc.repair(model, NODES, device="cpu")
    for t, end in ((0.0, a.weights), (1.0, b.weights)):
        moved = repair(t, end, (a.weights, b.weights))
        assert all(moved[name] is value for name, value in end.items())
    plain, repaired = (
        gnnmc.profile(model, NODES, gnnmc.LinearPath(a, b), points=5, transforms=how, device="cpu")
        for how in ([], [repair])
    )
    np.testing.assert_allclose(repaired.values[[0, -1]], plain.values[[0, -1]], atol=1e-6)
    if norm == "batch":
        # All that REPAIR does there is what re-estimation does.
        assert set(repair.frame().repaired) == {"batchnorm"}
        np.testing.assert_allclose(repaired.values, plain.values, atol=1e-5)


def test_a_barrier_of_collapsed_channels_is_lower_after_it():
    model = gnnmc.build_model("gcn", NODES, hidden=32, layers=2)
    a, b = gnnmc.train(model, NODES, seeds=[0, 1], epochs=100)
    path = gnnmc.LinearPath(a, b)
    plain = gnnmc.profile(model, NODES, path, points=11)
    repaired = gnnmc.profile(model, NODES, path, points=11, transforms=[gnnmc.repair(model, NODES)])
    assert repaired.barrier() < 0.9 * plain.barrier()


def test_other_ends_are_measured_anew():
    model, problem = CASES["gcn"][0]()
    _, (a, b) = prepared(model, problem)
    c = lifted(model, 3, LIFT)
    repair = gnnmc.repair(model, problem, device="cpu")
    repair(T, combine([a, b], [1 - T, T], nearest=0), (a, b))
    point = combine([a, c], [1 - T, T], nearest=0)
    moved, alone = repair(T, point, (a, c)), gnnmc.repair(model, problem, device="cpu")(T, point, (a, c))
    assert all(torch.equal(moved[name], value) for name, value in alone.items())


def test_batchnorm_is_reestimated_between():
    model = nn.Sequential(nn.Linear(10, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 7), nn.ReLU(), nn.Linear(7, 3))
    function, ends = prepared(model, NODES)
    a, b = (reestimate_batchnorm(function, end) for end in ends)
    repair = gnnmc.repair(model, NODES, device="cpu")
    assert list(repair.frame().repaired) == ["batchnorm", "scale and shift"]
    moved = repair(T, combine(ends, [1 - T, T], nearest=0), tuple(ends))
    again = reestimate_batchnorm(function, moved)
    assert all(torch.allclose(again[name], value, atol=1e-6) for name, value in moved.items())
    of_ends = [measured(function, end, ["1", "3"]) for end in (a, b)]
    for (mean, spread), (wanted_mean, wanted_spread) in zip(
        measured(function, moved, ["1", "3"]), between(*of_ends), strict=True
    ):
        torch.testing.assert_close(mean, wanted_mean, atol=1e-4, rtol=0)
        torch.testing.assert_close(spread, wanted_spread, atol=1e-2, rtol=0)  # γ of either sign


def test_batchnorm_after_a_repaired_layer_is_reestimated_once_more():
    model = nn.Sequential(nn.Linear(10, 8), nn.ReLU(), nn.Linear(8, 7), nn.BatchNorm1d(7), nn.ReLU(), nn.Linear(7, 3))
    function, ends = prepared(model, NODES)
    moved = gnnmc.repair(model, NODES, device="cpu")(T, combine(ends, [1 - T, T], nearest=0), tuple(ends))
    again = reestimate_batchnorm(function, moved)
    assert all(torch.allclose(again[name], value, atol=1e-6) for name, value in moved.items())


def test_without_a_bias_the_spread_alone_is_repaired_and_that_is_told():
    model = gnnmc.build_model("gcn", NODES, hidden=12, layers=2, bias=False)
    function, (a, b) = prepared(model, NODES)
    repair = gnnmc.repair(model, NODES, device="cpu")
    (row,) = repair.frame().to_dict("records")
    assert row["repaired"] == "scale" and row["reason"] == "no bias is added to it"
    moved = repair(T, combine([a, b], [1 - T, T], nearest=0), (a, b))
    ((_, wanted),) = between(*(measured(function, end, ["layers.0"]) for end in (a, b)))
    ((_, spread),) = measured(function, moved, ["layers.0"])
    torch.testing.assert_close(spread, wanted, atol=1e-4, rtol=0)


class BiasBefore(nn.Module):
    """A bias that neighbor sums multiply by the degree: it shifts no channel as a whole."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(10, 8), nn.Linear(8, 3)

    def forward(self, x, edge_index):
        written = self.first(x)
        summed = torch.zeros_like(written).index_add(0, edge_index[1], written[edge_index[0]])
        return self.last(torch.relu(summed))


class Twice(nn.Module):
    """One weight for two layers."""

    def __init__(self):
        super().__init__()
        self.first, self.inner, self.last = nn.Linear(10, 8), nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, x):
        x = torch.relu(self.first(x))
        for _ in range(2):
            x = torch.relu(self.inner(x))
        return self.last(x)


def test_what_cannot_be_repaired_is_told_and_left():
    assert list(gnnmc.repair(BiasBefore(), NODES).frame().repaired) == ["scale"]
    model = Twice()
    repair = gnnmc.repair(model, NODES, device="cpu")
    frame = repair.frame()
    assert list(frame.repaired) == ["scale and shift", "no", "no"]
    assert all(frame.reason[1:])
    _, (a, b) = prepared(model, NODES)
    point = combine([a, b], [1 - T, T], nearest=0)
    moved = repair(T, point, (a, b))
    assert torch.equal(moved["inner.weight"], point["inner.weight"])
    assert not torch.equal(moved["first.weight"], point["first.weight"])


def test_dead_channels_stay_finite():
    model, problem = CASES["mlp"][0]()
    function, (a, b) = prepared(model, problem)
    for mode, unit in ((a, 0), (a, 1), (b, 1)):
        mode["layers.0.weight"][unit] = 0
    moved = gnnmc.repair(model, problem, device="cpu")(T, combine([a, b], [1 - T, T], nearest=0), (a, b))
    assert all(torch.isfinite(value).all() for value in moved.values())
    wanted, now = (
        between(*(measured(function, end, ["layers.0"]) for end in (a, b))),
        measured(function, moved, ["layers.0"]),
    )
    torch.testing.assert_close(now[0][0], wanted[0][0], atol=1e-4, rtol=0)


def test_labels_have_no_part_in_it_and_items_are_the_same_each_time():
    model, problem = CASES["convolutions"][0]()
    _, (a, b) = prepared(model, problem)
    point = combine([a, b], [1 - T, T], nearest=0)
    one, other = (gnnmc.repair(model, problem, items=40, device="cpu")(T, point, (a, b)) for _ in range(2))
    assert all(torch.equal(one[name], value) for name, value in other.items())
    more = gnnmc.repair(model, problem, items=60, device="cpu")(T, point, (a, b))
    assert not torch.equal(more["0.weight"], one["0.weight"])
    relabeled = DATA.clone()
    relabeled.y = (DATA.y + 1) % 3
    model, _ = CASES["gcn"][0]()
    _, (a, b) = prepared(model, NODES)
    point = combine([a, b], [1 - T, T], nearest=0)
    one, other = (
        gnnmc.repair(model, gnnmc.Problem.node_classification(data), device="cpu")(T, point, (a, b))
        for data in (DATA, relabeled)
    )
    assert all(torch.equal(one[name], value) for name, value in other.items())


class Tied(nn.Module):
    """A weight that is there under two names."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(10, 8), nn.Linear(8, 3)
        self.again = self.first

    def forward(self, x):
        return self.last(torch.relu(self.first(x)))


def test_other_names_of_a_tensor_say_the_same():
    model = Tied()
    a, b = lifted(model, 1, LIFT), lifted(model, 2, LIFT)
    for mode in (a, b):
        mode["again.weight"], mode["again.bias"] = mode["first.weight"], mode["first.bias"]
    profile = gnnmc.profile(model, NODES, gnnmc.LinearPath(a, b), points=3, transforms=[gnnmc.repair(model, NODES)])
    assert np.isfinite(profile.values).all()


def test_a_forward_that_cannot_be_recorded_is_told():
    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(10, 8), nn.Linear(8, 3)

        def forward(self, x):
            hidden = torch.relu(self.first(x))
            return self.last(hidden if float(hidden.sum()) > 0 else -hidden)

    with pytest.raises(
        gnnmc.InputError, match=r"hidden units of Reader cannot be seen.*profile without repair"
    ) as told:
        gnnmc.repair(Reader(), NODES)
    assert "\n" not in str(told.value)


def test_an_end_that_is_changed_in_place_is_measured_anew():
    problem = rows(4)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    a, b = (lifted(model, seed, LIFT) for seed in (1, 2))
    transform = gnnmc.repair(model, problem, device="cpu")
    middle = combine([a, b], [0.5, 0.5], nearest=0)
    before = transform(0.5, middle, (a, b))
    a["0.weight"].mul_(3)
    changed = transform(0.5, middle, (a, b))
    expected = gnnmc.repair(model, problem, device="cpu")(0.5, middle, (a, b))
    assert not torch.equal(before["0.weight"], expected["0.weight"])
    assert all(torch.equal(value, expected[name]) for name, value in changed.items())


def test_weights_of_another_model_are_told_in_one_line():
    problem = rows(4)
    model, other = (nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 3)) for width in (8, 6))
    transform = gnnmc.repair(model, problem, device="cpu")
    right, wrong = (lifted(one, 1, LIFT) for one in (model, other))
    part = {"0.weight": right["0.weight"]}
    for weights, ends in ((wrong, (right, right)), (right, (right, wrong)), (part, (right, right))):
        with pytest.raises(gnnmc.InputError, match="weights do not match") as told:
            transform(0.5, weights, ends)
        assert "\n" not in str(told.value)
    for given in (("model", problem), (model, None)):
        with pytest.raises(gnnmc.InputError, match="expected a"):
            gnnmc.repair(*given)
